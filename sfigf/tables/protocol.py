"""The protocol of a task in words, read from the effective configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfigf.config import read_yaml
from sfigf.interface import UserError
from sfigf.tables.names import condition_label, task_label


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


def protocol_line(settings: Mapping[str, Any], task: str, condition: str) -> str:
    """Say in one paragraph what was trained on what, chosen on what and tested on what."""
    parts = [
        f"{task_label(task)}, {condition_label(condition)}",
        _listing("trained on", settings.get("train")),
        _listing("weights chosen on", settings.get("validation")),
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
