"""What a study will take: its trainings, and minutes from measured seconds per step. Loads no torch."""

from __future__ import annotations

import csv
import heapq
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sfigf.config import Study, Training, kept, load_settings, merged, read_yaml
from sfigf.files import write_text
from sfigf.interface import UserError
from sfigf.plan import Run, digest, method_settings, runs

COLUMNS = ("task", "method", "variant", "batch_size", "patch_px", "seconds_per_step", "options", "device")
Key = tuple[str, str, str, str]
"""Task, method, variant, digest of the method's options: another width is another cost."""
Costs = dict[Key, float]
REST: Key = ("-", "rest", "-", "")
"""All but the trainings: set-up, data, restoring, scoring. Its seconds are those of the whole study."""


def read_study(paths: Iterable[str | Path]) -> Study:
    """Read settings files, later ones changing earlier ones, as Snakemake's ``--configfile`` does."""
    settings: dict[str, Any] = {}
    for path in paths:
        settings = merged(settings, read_yaml(path) or {})
    return load_settings(kept(settings), str(path))


def read_costs(path: str | Path) -> Costs:
    """Read measured seconds per training step, scaled to one patch pixel; empty where nothing was measured yet.

    Raises:
        UserError: If the file holds something else.
    """
    return {_key(row): float(row["seconds_per_step"]) / _pixels(row) for row in _read_rows(path)}


def write_costs(
    path: str | Path, weights: Iterable[str | Path], logs: Iterable[str | Path], rest_seconds: float | None = None
) -> None:
    """Write what trainings took, one row per task, method, variant and size: the mean over conditions and seeds.

    Args:
        path: CSV file; what it says of the rest of the study is kept.
        weights: Weight files.
        logs: Their training logs, in the same order.
        rest_seconds: Seconds of all but the trainings, in place of what the file says.

    Raises:
        UserError: If a log is not that of its weights, or is not finished.
    """
    found: dict[tuple[str, ...], list[float]] = {}
    weights, logs = list(weights), list(logs)
    if len(weights) != len(logs):
        raise UserError(f"{len(weights)} weight files and {len(logs)} logs; give one --log for each --weights")
    for weight, log in zip(weights, logs, strict=True):
        where, seconds = _measured(weight, log)
        found.setdefault(where, []).append(seconds)
    rows = [(*key[:5], f"{math.fsum(all_) / len(all_):.4g}", *key[5:]) for key, all_ in sorted(found.items())]
    rest = {_key(row): row["seconds_per_step"] for row in _read_rows(path)}.get(REST)
    rest = rest if rest_seconds is None else f"{rest_seconds:.4g}"
    if rest is not None:
        rows.append((*REST[:3], "1", "1", rest, "", ""))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    write_text(path, text.getvalue())


def estimate_seconds(run: Run, study: Study, costs: Costs) -> float | None:
    """Seconds one training will take on one core of the measured machine; None where nothing was measured."""
    settings = method_settings(study, run.task, run.method)
    cost = costs.get((run.task, run.method, run.variant, digest(settings.options)))
    return None if cost is None else cost * _pixels(settings.training.model_dump()) * settings.training.steps


def makespan(seconds: Iterable[float], cores: int) -> float:
    """Seconds until the last job ends when the longest start first on ``cores`` cores."""
    busy = [0.0] * cores
    for job in sorted(seconds, reverse=True):
        heapq.heapreplace(busy, busy[0] + job)
    return max(busy)


def describe_plan(study: Study, costs: Costs, cores: int) -> str:
    """The plan as text: one line per training, then what the whole study comes to from nothing."""
    trained = [run for run in runs(study) if run.learned and study.weights == "trained"]
    guesses = {run: estimate_seconds(run, study, costs) for run in trained}
    lines = [f"study '{study.study}': {study.title}", ""]
    for run, seconds in guesses.items():
        minutes = "not measured" if seconds is None else f"{seconds / 60:.1f} min"
        lines.append(f"  train {run.path:45} {_training(study, run).steps:7,} steps  {minutes:>12}")
    others = sum(not run.learned for run in runs(study))
    lines += ["", f"{len(trained)} trainings, {others} methods without training, {len(runs(study))} runs to score"]
    return "\n".join([*lines, *_totals(guesses, costs, cores)])


def _totals(guesses: Mapping[Run, float | None], costs: Costs, cores: int) -> list[str]:
    known = [seconds for seconds in guesses.values() if seconds is not None]
    unknown = [run.path for run, seconds in guesses.items() if seconds is None]
    words = "1 core" if cores == 1 else f"{cores} cores"
    if not known:
        lines = ["training: no minutes, as nobody has timed a step yet"] if unknown else []
    else:
        lines = [f"training from nothing: about {makespan(known, cores) / 60:.1f} minutes on {words}"]
    if known and unknown:
        lines.append(f"not in that, as nobody has timed them: {', '.join(unknown)}")
    rest = f"about {costs[REST] / 60:.1f} minutes" if REST in costs else "not measured"
    return [*lines, f"set-up, data, restoring and scoring come on top: {rest}"]


def _training(study: Study, run: Run) -> Training:
    return method_settings(study, run.task, run.method).training


def _measured(weights: str | Path, log: str | Path) -> tuple[tuple[str, ...], float]:
    """What a training was, and its seconds per step."""
    from sfigf.weights import read_facts

    facts = read_facts(weights)
    training = facts["training"]
    try:
        events = [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines()]
        end = events[-1]
        steps = sum(event["event"] == "train" for event in events)
        seconds, device = float(end["seconds"]), str(end["device"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{log}: not the log of a finished training ({error}); train again") from None
    if steps != training["steps"]:
        raise UserError(f"{log}: has {steps} steps, {weights} {training['steps']}; give the files in the same order")
    sizes = (str(training["batch_size"]), str(training["patch_px"]))
    where = (facts["task"], facts["label"], facts["variant"], *sizes, digest(facts["options"]), device)
    return where, seconds / steps


def _read_rows(path: str | Path) -> list[dict[str, str]]:
    if not Path(path).is_file():
        return []
    with Path(path).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        try:
            _key(row), _pixels(row), float(row["seconds_per_step"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: not a table of costs ({error}); remove it and run `make remember`") from None
    return rows


def _key(row: Mapping[str, str | None]) -> Key:
    return (row["task"] or "", row["method"] or "", row["variant"] or "", row.get("options") or "")


def _pixels(sizes: Mapping[str, Any]) -> int:
    return int(sizes["batch_size"]) * int(sizes["patch_px"]) ** 2
