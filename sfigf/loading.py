"""Batches on their way from a file to the device, cut by this process or by others beside it.

The batch of a step depends on the step alone, so the number of workers changes when a batch is there, never what is in
it. Workers pay where a device would wait for patches; on a CPU they would take the cores that train.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sfigf.augment import augment
from sfigf.encoding import REACH_PX, Encoding, encode
from sfigf.interface import Sample, UserError
from sfigf.losses import roles_if_there, roles_of
from sfigf.patches import Patches
from sfigf.training_settings import Training

if TYPE_CHECKING:
    from torch import Tensor, nn

_AHEAD = 4
"""Batches that a worker has ready."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """A batch as tensors (b,C,h,w) float32 by role, and the names of the scenes in it."""

    tensors: dict[str, Tensor]
    names: tuple[str, ...]

    def pin_memory(self) -> Shown:
        """The same where a GPU fetches it from."""
        return Shown({role: tensor.pin_memory() for role, tensor in self.tensors.items()}, self.names)

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """The tensors on a device."""
        return {role: tensor.to(device, non_blocking=True) for role, tensor in self.tensors.items()}


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What is done to a cut before it is a patch."""

    task: str
    augmentation: str
    encoding: Encoding

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if self.augmentation == "strong":
            sample = augment(sample, self.task, rng)
        return encode(sample, self.encoding)


def patches_of(samples: Any, task: str, settings: Training, seed: int, network: nn.Module) -> Patches:
    """The patches that a training of these settings is shown."""
    return Patches(
        samples,
        task,
        settings.patch_px,
        settings.batch_size,
        seed,
        roles=roles_of(settings.loss),
        roles_if_there=roles_if_there(settings.loss, network),
        shuffle=not settings.released("shuffle"),
        prepare=Preparation(task, settings.augmentation, settings.encoding),
        reach=REACH_PX[settings.encoding],
    )


class Batches(torch.utils.data.Dataset[Shown]):
    """The batches of a training, by step.

    Args:
        patches: What they are cut from.
        places: The patches of a batch that this process takes.
    """

    def __init__(self, patches: Patches, places: range) -> None:
        self.patches, self.places = patches, places

    def __getitem__(self, step: int) -> Shown:
        batch = self.patches.batch(step, self.places)
        tensors = {role: torch.from_numpy(getattr(batch, role)) for role in self.patches.roles}
        return Shown(tensors, batch.names)

    @contextlib.contextmanager
    def ahead(self, steps: range, workers: int, device: torch.device) -> Iterator[Iterator[Shown]]:
        """Yield an iterator over the batches of some steps, in order, cut by so many processes; 0 for this one."""
        if not workers:
            yield (self[step] for step in steps)
            return
        loader = torch.utils.data.DataLoader(
            self,
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            prefetch_factor=_AHEAD,
            pin_memory=device.type == "cuda",
            worker_init_fn=_leave_signals_to_the_trainer,
            multiprocessing_context="forkserver",  # a process with many threads must not fork
        )
        batches = iter(loader)
        try:
            yield _said_plainly(batches)
        finally:
            del batches  # ends the workers


def _said_plainly(batches: Iterator[Shown]) -> Iterator[Shown]:
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(f"a process that loads data has ended ({str(error).splitlines()[0]})") from error


def _leave_signals_to_the_trainer(worker: int) -> None:
    """What ends a training from the keyboard reaches all its processes; this one ends when the trainer does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def workers_for(device: torch.device, processes: int, cores: int) -> int:
    """How many workers where nobody said: none beside a CPU that trains, a few beside a GPU."""
    return 0 if device.type == "cpu" else max(1, min(8, cores // processes - 1))
