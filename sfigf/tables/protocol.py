"""The protocol of a task in words, read from the effective configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfigf.config import read_yaml
from sfigf.interface import UserError
from sfigf.tables.names import condition_label, task_label
from sfigf.training_settings import TASKS_OF_QUIRK


def read_task(path: str | Path, task: str) -> dict[str, Any]:
    """Return the configuration of one task, with the study's ``seeds`` and ``weights`` beside it.

    Raises:
        UserError: If the file cannot be read or does not know the task.
    """
    config = read_yaml(path)
    tasks = config.get("tasks") if isinstance(config, dict) else None
    if not isinstance(tasks, dict) or task not in tasks:
        raise UserError(f"{path}: knows no task {task}; it has {', '.join(tasks or ['none'])}")
    return {key: config.get(key) for key in ("study", "seeds", "weights")} | dict(tasks[task] or {})


def at_condition(settings: Mapping[str, Any], condition: str) -> dict[str, Any]:
    """Return the settings of a task with what ``per_condition`` changes under one of its conditions."""
    changes = dict((settings.get("per_condition") or {}).get(condition) or {})
    training = {**(settings.get("training") or {}), **(changes.pop("training", None) or {})}
    return {**settings, **{key: value for key, value in changes.items() if value is not None}, "training": training}


def metrics_named(settings: Mapping[str, Any]) -> list[str]:
    """Return every metric of a task in the order of the settings, the main one first."""
    parts = [settings, *(settings.get("per_condition") or {}).values()]
    return list(dict.fromkeys(metric for part in parts for metric in (part or {}).get("metrics") or ()))


def protocols_named(settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the protocols a task names, by condition."""
    conditions = settings.get("conditions") or ()
    return {each: list(at_condition(settings, each).get("protocols") or ()) for each in conditions}


def protocol_line(settings: Mapping[str, Any], task: str, condition: str) -> str:
    """Say in one paragraph what was trained on what, chosen on what and tested on what."""
    settings = at_condition(settings, condition)
    parts = [
        f"{task_label(task)}, {condition_label(condition)}",
        _listing("trained on", settings.get("train")),
        _chosen(settings, task),
        _listing("tested on", settings.get("test")),
        _training(settings.get("training") or {}),
        _seeds(settings.get("seeds") or []),
    ]
    return "Protocol: " + "; ".join(part for part in parts if part) + "."


def seed_warning(seeds: int) -> str:
    """Say how far the number of seeds carries."""
    if seeds == 1:
        return "One seed: a difference between two learned methods may be chance, and is no proof."
    return f"{seeds} seeds: ± is the sample deviation of their means, not a confidence interval."


def _listing(words: str, names: Sequence[str] | None) -> str:
    return f"{words} {', '.join(names)}" if names else ""


def _chosen(settings: Mapping[str, Any], task: str) -> str:
    """What weights are chosen on; loud where it is what the scores are of, as in the released code."""
    training = settings.get("training") or {}
    quirks = training.get("quirks")
    asked = quirks.get("selection") if isinstance(quirks, Mapping) else quirks
    released = asked == "released" and task in TASKS_OF_QUIRK["selection"]
    if training.get("selection") == "none":
        return "weights of the last step, chosen on nothing"
    if released and settings.get("test"):
        return f"weights CHOSEN ON THE TEST IMAGES of {settings['test'][0]}, as in the released code: too kind a score"
    return _listing("weights chosen on", settings.get("validation"))


def _training(training: Mapping[str, Any]) -> str:
    phrases = {
        "steps": "{} steps",
        "batch_size": "batch {}",
        "patch_px": "patches of {} px",
        "learning_rate": "peak learning rate {}",
    }
    known = [phrase.format(training[key]) for key, phrase in phrases.items() if key in training]
    return "every learned method: " + ", ".join(known) if known else ""


def _seeds(seeds: Sequence[int]) -> str:
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, seeds)) if seeds else ""
