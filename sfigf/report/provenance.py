"""Where every number is from: settings, data, code, versions, machine and seed of each run."""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from sfigf import __version__
from sfigf.config import Study, kept, load_settings
from sfigf.files import sha256_of
from sfigf.plan import Run, method_settings, runs
from sfigf.report.folder import Folder, TaskResults
from sfigf.report.grids import Table
from sfigf.tables.render import Cell
from sfigf.training_code import code_of, training_code
from sfigf.weights import read_facts

SHORT = 10
_HEADS = ("Run", "Settings", "Training data", "Test data", "Code", "Weights")
_MORE = ("Step kept", "Trained on", "Training seconds", "Versions", "Restored on")


def records(folder: Folder, tasks: Iterable[TaskResults]) -> list[dict[str, Any]]:
    """Return what is known of every run, in the order of the tables.

    Args:
        folder: Results of the study.
        tasks: Its tasks.
    """
    found, code = [], code_digests(folder)
    for task in tasks:
        for condition in task.conditions:
            samples = folder.test_samples(task.name, condition)
            test = sha256_of(samples) if samples else ""
            for run in task.runs(condition):
                found.append(_record(folder, task.name, condition, run, test, code))
    return found


def _record(
    folder: Folder, task: str, condition: str, run: tuple[str, str, int], test: str, code: Mapping[str, str]
) -> dict[str, Any]:
    method, variant, seed = run
    path = "/".join((task, condition, method, variant, f"seed{seed}"))
    weights = folder.weight_file(path)
    return {
        "run": path,
        "task": task,
        "condition": condition,
        "method": method,
        "variant": variant,
        "seed": seed,
        "code": code.get(path, ""),
        "test_data": test,
        "weights": sha256_of(weights) if weights else "",
        "trained": read_facts(weights) if weights else {},
        "training": _end(folder.log(path)),
        "cost": folder.facts("costs", f"{path}.json"),
    }


def _end(log: str) -> dict[str, Any]:
    """The last word of a training log: seconds and device."""
    found: dict[str, Any] = {}
    for line in log.splitlines()[-3:]:
        with contextlib.suppress(ValueError, RecursionError):  # a line that is none says nothing
            event = json.loads(line)
            found |= event if isinstance(event, dict) and event.get("event") == "end" else {}
    return {key: value for key, value in found.items() if key != "event"}


def code_digests(folder: Folder) -> dict[str, str]:
    """Digest of the code that trains a run, or that restores without training, by path; as it is now.

    The workflow runs again what other code had made, so there it is the code that made the run. Nothing is known of
    published weights.
    """
    if folder.settings.get("weights") != "trained":
        return {}
    study = load_settings(kept(folder.settings))
    return {run.path: _code(study, run) for run in runs(study)}


def _code(study: Study, run: Run) -> str:
    if run.learned:
        return training_code(study, run)
    method: type = type(method_settings(study, run.task, run.method, run.condition).method)
    return code_of("learn:restore_set", method)


def table(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the runs as a table, digests cut to their first digits; the JSON beside it has them whole."""
    grid = [[Cell(head) for head in (*_HEADS, *_MORE)]]
    grid += [[Cell(text) for text in _texts(record)] for record in found]
    return Table("provenance", "Every run", grid)


def _texts(record: Mapping[str, Any]) -> list[str]:
    trained, cost, training = record["trained"], record["cost"], record["training"]
    data = trained.get("data_digest") or {}
    learned = bool(trained)
    versions = trained.get("versions") or {}
    return [
        record["run"],
        _short(trained.get("config_digest")) if learned else "–",
        _short(data.get("train") if isinstance(data, Mapping) else data) if learned else "–",
        _short(record["test_data"]),
        _short(record["code"]),
        _short(record["weights"]) if learned else "no training",
        str(trained.get("selected_step", "n/a")) if learned else "–",
        str(training.get("device", "n/a")) if learned else "–",
        f"{training['seconds']:.0f}" if "seconds" in training else "–",
        ", ".join(f"{name} {version}" for name, version in versions.items()) or "–",
        _machine(cost),
    ]


def _machine(cost: Mapping[str, Any]) -> str:
    if not cost:
        return "n/a"
    threads = cost.get("threads", "n/a")
    return f"{cost.get('device', 'n/a')}, {threads} thread" + ("" if threads == 1 else "s")


def _short(digest: Any) -> str:
    return str(digest)[:SHORT] if digest else "n/a"


def whole(settings: Mapping[str, Any], commit: str) -> list[tuple[str, str]]:
    """What holds for the whole page."""
    seeds = ", ".join(map(str, settings.get("seeds") or [])) or "n/a"
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return [
        ("Study", str(settings.get("study", "n/a"))),
        ("Commit", commit or "not given"),
        ("sfigf", __version__),
        ("Seeds", seeds),
        ("Weights", str(settings.get("weights", "n/a"))),
        ("Page written on", f"{machine}"),
    ]
