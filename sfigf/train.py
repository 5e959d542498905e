"""One training loop for every learned method: from samples to a weight file and a log, nothing chosen in silence."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import torch

from sfigf.checkpoint import checkpoint_folder, clear_checkpoints, load_checkpoint
from sfigf.files import write_text
from sfigf.inference import choose_device
from sfigf.parallel import World
from sfigf.selection import quirk_notes, selected_on
from sfigf.trainer import Job, Trainer
from sfigf.weights import save_weights

_LOG = logging.getLogger(__name__)


def train(
    job: Job,
    weights: str | Path,
    log: str | Path,
    checkpoints: str | Path,
    device: str = "auto",
    seconds: float | None = None,
    world: World | None = None,
    workers: int | None = None,
) -> bool:
    """Train, or go on training, until the step budget is spent; then write weights and log, each atomically.

    Log and weights name every quirk of the released code that was on, and what the weights were selected on.

    Args:
        job: What to train.
        weights: File to write at the end.
        log: File to write at the end.
        checkpoints: Folder that a later call goes on from, on this machine or another.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        seconds: Stop after this time, with a checkpoint; None for no limit.
        world: The processes that train it together (``parallel.together``); the first alone reads and writes files.
        workers: Processes that load data, for each of those; None for what suits the device.

    Returns:
        Whether the training is done.

    Raises:
        UserError: A non-finite loss (step and batch named), a second writer, a lost process, or data that do not fit.
    """
    world = world or World()
    if world.is_first:
        for note in quirk_notes(job.training):
            _LOG.warning("sfigf: %s: %s", job, note["text"])
    with _folder(checkpoints, world) as folder:
        trainer = Trainer(job, _used(device), world, workers)
        state = world.of_first(load_checkpoint(folder) if world.is_first else None)
        if state is not None:
            trainer.restore(state)
        trainer.run(folder, seconds=seconds)
        if trainer.step < job.training.steps:
            return False
        if world.is_first:
            _write(trainer, Path(weights), Path(log))
            clear_checkpoints(folder)  # while it is ours: a second writer may be waiting to begin there
    return True


@contextlib.contextmanager
def _folder(checkpoints: str | Path, world: World) -> Iterator[Path]:
    """The folder of checkpoints, held by the first process for all."""
    with checkpoint_folder(checkpoints) if world.is_first else contextlib.nullcontext(Path(checkpoints)) as folder:
        yield folder


def _used(name: str) -> torch.device:
    """The device asked for, made the one that libraries use where they are told of none."""
    device = choose_device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _write(trainer: Trainer, weights: Path, log: Path) -> None:
    job = trainer.job
    trainer.network.load_state_dict(trainer.best["state"])
    selection = {"selected_step": trainer.best["step"], "validation": {job.metric: trainer.best["value"]}}
    selection["selected_on"] = selected_on(job.training)
    save_weights(weights, trainer.network, job.facts | selection)
    closing = {
        "event": "end",
        "seconds": round(trainer.seconds, 3),
        "waited_for_data_seconds": round(trainer.waited, 3),
        "device": str(trainer.device),
        "processes": trainer.world.size,
    }
    lines = [*quirk_notes(job.training), *trainer.log, closing]
    write_text(log, "".join(json.dumps(line) + "\n" for line in lines))
