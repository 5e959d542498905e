"""Seconds per training step of every learned method of a study, on random patches of its size: no data needed."""

from __future__ import annotations

import dataclasses
import logging
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfigf.config import MethodSettings, Study, TaskStudy
from sfigf.costs import Cost, read_costs, write_table
from sfigf.interface import Sample, UserError
from sfigf.plan import Run, digest, method_settings, runs
from sfigf.tasks import signature

if TYPE_CHECKING:
    import torch

_LOG = logging.getLogger(__name__)
_BANDS = {"wv3": 8, "worldview2": 8, "qb": 4, "gf2": 4, "geoeye1": 4, "sentinel2": 4, "landsat8": 4}


def time_steps(
    study: Study,
    output: str | Path,
    device: str = "auto",
    steps: int = 3,
    only: str = "",
    batch_size: int | None = None,
    threads: int = 1,
) -> None:
    """Time every learned training of a study and add it to a table of costs, a row at a time.

    One step goes before those that are timed. What the table has of this device is not timed again.

    Args:
        study: The settings.
        output: Table of costs (CSV) to add to.
        device: Device name.
        steps: Steps to time.
        only: Time only runs whose path begins so, say ``raw/mono-estimated``.
        batch_size: Take so many patches a step; the plan reckons in patch pixels.
        threads: CPU threads, said in the table.

    Raises:
        UserError: If no training's path begins with ``only``, or a data set's bands are not known.
    """
    from sfigf.inference import choose_device

    place = choose_device(device)
    name = device_name(place, threads)
    chosen = [run for run in runs(study) if run.learned and run.path.startswith(only)]
    if not chosen:
        raise UserError(f"--only '{only}': no training of study '{study.study}' begins so; `sfigf plan` lists them")
    for run in chosen:
        line = method_settings(study, run.task, run.method, run.condition)
        part = study.part(run.task, run.condition)
        if batch_size is not None:
            line = line.model_copy(update={"training": line.training.model_copy(update={"batch_size": batch_size})})
        row = _row_of(run, line, name)
        known = read_costs(output)
        if any(dataclasses.replace(there, seconds_per_step=0.0) == row for there in known.rows):
            _LOG.warning("sfigf: %s: timed already", run.path)
            continue
        seconds = _seconds_per_step(run, line, part, place, steps, threads)
        _LOG.warning("sfigf: %s: %.3g s a step on %s", run.path, seconds, name)
        timed = dataclasses.replace(row, seconds_per_step=seconds)
        write_table(output, dataclasses.replace(known, rows=(*known.rows, timed)))


def _row_of(run: Run, line: MethodSettings, device: str) -> Cost:
    sizes = line.training.batch_size, line.training.patch_px
    return Cost(run.task, run.method, run.variant, *sizes, 0.0, digest(line.options), device)


def _seconds_per_step(
    run: Run, line: MethodSettings, part: TaskStudy, device: torch.device, steps: int, threads: int
) -> float:
    from sfigf.trainer import Job, Trainer

    training = line.training
    sample = stand_in(run.task, run.condition, training.patch_px, bands_of(part) if run.task == "pan" else 1)
    facts: dict[str, Any] = {
        "task": run.task,
        "condition": run.condition,
        "label": run.method,
        "variant": run.variant,
        "seed": 0,
        "options": line.options,
        "signature": dataclasses.asdict(signature(run.task, sample)),
    }
    trainer = Trainer(
        Job(facts, training.model_copy(update={"encoding": "none"}), part.metrics[0], [sample], []), device
    )
    trainer.advance()
    _wait(device)
    # On one core what the process was given counts: other programs may want the core too.
    clock = time.process_time if device.type == "cpu" and threads == 1 else time.perf_counter
    began = clock()
    for _ in range(steps):
        trainer.advance()
    _wait(device)
    return (clock() - began) / steps


def stand_in(task: str, condition: str, patch_px: int, bands: int) -> Sample:
    """A random sample of the channels of a task and the size of a patch."""
    rng = np.random.default_rng(0)
    side = patch_px // 2 if task == "raw" else patch_px
    target, guide = {"depth": (1, 3), "pan": (bands, 1), "focus": (3, 3), "raw": (4, 4)}[task]
    if condition == "mono-estimated":
        guide = 0
    channels, fine = (3, 2 * side) if task == "raw" else (target, side)

    def noise(channels: int, side: int) -> np.ndarray:
        return rng.random((channels, side, side), dtype=np.float32)

    mono = noise(1, fine) if task == "raw" else None
    return Sample("noise", noise(target, side), noise(guide, side), truth=noise(channels, fine), mono=mono)


def bands_of(part: TaskStudy) -> int:
    """Bands of the sensor that a pan study is trained on.

    Raises:
        UserError: If the data set is none of ours.
    """
    dataset = part.train[0].partition(":")[0]
    if dataset not in _BANDS:
        raise UserError(f"the bands of data set '{dataset}' are not known here; there are {', '.join(_BANDS)}")
    return _BANDS[dataset]


def device_name(device: torch.device, threads: int) -> str:
    """``cuda NVIDIA A100``, ``cpu Intel Xeon, 1 thread``: kind first, then what the machine says of itself."""
    import torch

    if device.type == "cuda":
        return f"cuda {torch.cuda.get_device_name(device)}"
    if device.type != "cpu":
        return f"{device.type} {platform.processor() or platform.machine()}"
    return f"cpu {_processor()}, {threads} thread{'s' if threads > 1 else ''}"


def _processor() -> str:
    """Model of the processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines() if listing.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
