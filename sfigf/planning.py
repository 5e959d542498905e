"""What a study will take: its trainings, and their time from measured seconds per step. Loads no torch."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sfigf.config import Study, kept, load_settings, merged, read_strict_yaml
from sfigf.costs import Costs
from sfigf.interface import UserError
from sfigf.plan import Run, digest, method_settings, runs

_DAY = 86400.0
_NO_GPU = "GPU-hours: not measured; run `sfigf time-steps --device cuda` on your GPU and give its file with --costs"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Seconds of one training, and the device whose steps were timed."""

    seconds: float
    device: str


def read_settings(paths: Iterable[str | Path]) -> dict[str, Any]:
    """Merge settings files, later ones changing earlier ones, as Snakemake's ``--configfile`` does."""
    settings: dict[str, Any] = {}
    for path in paths:
        settings = merged(settings, _mapping(path))
    return kept(settings)


def _mapping(path: str | Path) -> Mapping[str, Any]:
    content = read_strict_yaml(path)
    if content is not None and not isinstance(content, Mapping):
        raise UserError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content or {}


def read_study(paths: Sequence[str | Path]) -> Study:
    """Read and check merged settings files."""
    return load_settings(read_settings(paths), str(paths[-1]))


def estimate(run: Run, study: Study, costs: Costs, *, gpu: bool = False) -> Estimate | None:
    """Time one training will take, on one core of the measured machine or on its GPU; None where nothing was measured.

    Another patch or batch size costs in proportion to its pixels.
    """
    settings = method_settings(study, run.task, run.method, run.condition)
    training = settings.training
    names = dict.fromkeys((run.method, settings.method.name))  # a line may call its method otherwise
    keys = [(run.task, name, run.variant, digest(settings.options)) for name in names]
    cost = next(filter(None, (costs.of(key, training, gpu=gpu) for key in keys)), None)
    if cost is None:
        return None
    pixels = training.batch_size * training.patch_px**2
    return Estimate(cost.seconds_per_step * pixels / cost.pixels * training.steps, cost.device)


def makespan(seconds: Iterable[float], cores: int) -> float:
    """Seconds until the last job ends when the longest start first on ``cores`` cores."""
    busy = [0.0] * cores
    for job in sorted(seconds, reverse=True):
        heapq.heapreplace(busy, busy[0] + job)
    return max(busy)


def describe_plan(study: Study, costs: Costs, cores: int) -> str:
    """The plan as text: one line per training, then what the whole study comes to from nothing."""
    trained = [run for run in runs(study) if run.learned and study.weights == "trained"]
    on_cpu = {run: estimate(run, study, costs) for run in trained}
    on_gpu = {run: estimate(run, study, costs, gpu=True) for run in trained}
    lines = [f"study '{study.study}': {study.title}", ""]
    for run in trained:
        steps = method_settings(study, run.task, run.method, run.condition).training.steps
        times = [_time(on_cpu[run], "")] + ([_time(on_gpu[run], " GPU")] if any(on_gpu.values()) else [])
        lines.append(f"  train {run.path:45} {steps:9,} steps  {'  '.join(times)}")
    others = sum(not run.learned for run in runs(study))
    lines += ["", f"{len(trained)} trainings, {others} methods without training, {len(runs(study))} runs to score"]
    lines += _on_cpu(on_cpu, cores) + _on_gpu(on_gpu, on_cpu)
    measured = costs.rest is not None and costs.rest_of == study.study
    rest = f"about {(costs.rest or 0) / 60:.1f} minutes" if measured else "not measured"
    return "\n".join([*lines, f"set-up, data, restoring and scoring come on top: {rest}"])


def _time(found: Estimate | None, unit: str) -> str:
    if found is None:
        return f"{'not measured':>12}"
    minutes = found.seconds / 60
    return f"{f'{minutes:.1f} min{unit}' if minutes < 600 else f'{minutes / 60:,.0f} h{unit}':>12}"


def _on_cpu(guesses: dict[Run, Estimate | None], cores: int) -> list[str]:
    known = [found for found in guesses.values() if found]
    if not known:
        return ["training: no minutes, as nobody has timed a step yet"] if guesses else []
    words = "1 core" if cores == 1 else f"{cores} cores"
    whole, wall = sum(found.seconds for found in known), makespan([found.seconds for found in known], cores)
    if whole < _DAY:
        return [f"training from nothing: about {wall / 60:.1f} minutes on {words}", *_left_out(guesses)]
    spent = f"{whole / 3600:,.0f} CPU-hours of one core, {wall / _DAY:,.0f} days on {words}"
    return [f"training from nothing: about {spent}; steps timed on {_devices(known)}", *_left_out(guesses)]


def _on_gpu(guesses: dict[Run, Estimate | None], on_cpu: dict[Run, Estimate | None]) -> list[str]:
    known = [found for found in guesses.values() if found]
    if known:
        whole = sum(found.seconds for found in known)
        return [f"on a GPU: about {whole / 3600:,.1f} GPU-hours; steps timed on {_devices(known)}", *_left_out(guesses)]
    long = sum(found.seconds for found in on_cpu.values() if found) >= _DAY
    return [_NO_GPU] if long else []


def _left_out(guesses: dict[Run, Estimate | None]) -> list[str]:
    unknown = [run.path for run, found in guesses.items() if found is None]
    return [f"not in that, as nobody has timed them: {', '.join(unknown)}"] if unknown else []


def _devices(known: Sequence[Estimate]) -> str:
    return " and ".join(sorted({found.device or "an unnamed device" for found in known}))
