"""What a study will take: its trainings, and minutes from measured seconds per step. Loads no torch."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sfigf.config import Study
from sfigf.plan import Run, method_settings, runs

Costs = dict[tuple[str, str, str], float]


def read_costs(path: str | Path) -> Costs:
    """Read measured seconds per training step, scaled to one patch pixel: (task, method, variant) -> seconds."""
    if not Path(path).is_file():
        return {}
    with Path(path).open(newline="") as stream:
        return {
            (row["task"], row["method"], row["variant"]): float(row["seconds_per_step"])
            / (int(row["batch_size"]) * int(row["patch_px"]) ** 2)
            for row in csv.DictReader(stream)
        }


def estimate_seconds(run: Run, study: Study, costs: Costs) -> float | None:
    """Seconds one training will take on one core of the measured machine; None where nothing was measured."""
    training = method_settings(study, run.task, run.method).training
    cost = costs.get((run.task, run.method, run.variant))
    if cost is None:
        return None
    return cost * training.batch_size * training.patch_px**2 * training.steps


def makespan(seconds: Iterable[float], cores: int) -> float:
    """Seconds until the last job ends when the longest start first on ``cores`` cores."""
    busy = [0.0] * cores
    for job in sorted(seconds, reverse=True):
        heapq.heapreplace(busy, busy[0] + job)
    return max(busy)


def describe_plan(study: Study, costs: Costs, cores: int) -> str:
    """The plan as text: one line per training, then what the whole study comes to."""
    trained = [run for run in runs(study) if run.learned and study.weights == "trained"]
    guesses = {run: estimate_seconds(run, study, costs) for run in trained}
    lines = [f"study '{study.study}': {study.title}", ""]
    for run in trained:
        steps = method_settings(study, run.task, run.method).training.steps
        lines.append(f"  train {run.path:45} {steps:7,} steps  {_minutes(guesses[run])}")
    known = [seconds for seconds in guesses.values() if seconds is not None]
    unknown = len(guesses) - len(known)
    others = sum(not run.learned for run in runs(study))
    lines += ["", f"{len(trained)} trainings, {others} methods without training, {len(runs(study))} runs to score"]
    lines.append(f"training: about {makespan(known, cores) / 60:.1f} minutes on {cores} cores")
    if unknown:
        lines.append(f"not in that: {unknown} trainings nobody has timed yet")
    return "\n".join(lines)


def _minutes(seconds: float | None) -> str:
    return "  not measured" if seconds is None else f"{seconds / 60:6.1f} min"


def cost_row(facts: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The row of the cost table that one finished training gives."""
    training = facts["training"]
    return {
        "task": facts["task"],
        "method": facts["label"],
        "variant": facts["variant"],
        "batch_size": training["batch_size"],
        "patch_px": training["patch_px"],
        "seconds_per_step": f"{seconds / training['steps']:.4g}",
    }
