"""One training loop for every learned method: seeded, resumable bit for bit on the CPU, nothing chosen in silence."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sfigf.augment import augment
from sfigf.averaging import Average
from sfigf.checkpoint import checkpoint_folder, clear_checkpoints, load_checkpoint, save_checkpoint
from sfigf.config import Training
from sfigf.encoding import REACH_PX, encode
from sfigf.files import write_text
from sfigf.inference import ask, autocast, choose_device, restore_sample
from sfigf.interface import Sample, UserError
from sfigf.losses import has_own_loss, loss_of, own_loss, roles_if_there, roles_of
from sfigf.patches import Batch, Patches
from sfigf.progress import Progress
from sfigf.registry import lookup
from sfigf.schedules import learning_rate
from sfigf.selection import Samples, quirk_notes, selected_on
from sfigf.stopping import Stop
from sfigf.weights import build_network, save_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

_LOG = logging.getLogger(__name__)
_OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": functools.partial(torch.optim.SGD, momentum=0.9),
}
_LOGGED_STEPS = 10_000
"""A longer training logs the mean loss of several steps in one line."""


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything that decides the result of one training.

    Attributes:
        facts: What the weight file will say of itself.
        training: The settings, every quirk written out.
        metric: Name of the metric that is watched, and selects.
        train: Samples in memory, or a file of them (``store.SampleFile``).
        validation: Samples that the metric is computed on, read one by one.
    """

    facts: dict[str, Any]
    training: Training
    metric: str
    train: Samples
    validation: Samples

    @property
    def seed(self) -> int:
        """The seed of initialisation, patches and dropout."""
        return int(self.facts["seed"])


class Trainer:
    """State of a training: network, optimiser, best weights, log.

    Args:
        job: What to train, on what.
        device: Where; float32 on the CPU, bfloat16 autocast on CUDA but for a network's own loss.

    Raises:
        UserError: ``loss: own`` for a network that has none, or samples that lack what the loss needs.
    """

    def __init__(self, job: Job, device: torch.device) -> None:
        torch.manual_seed(job.seed)
        self.job, self.device, self.step = job, device, 0
        self.network: nn.Module = build_network(job.facts).to(device)
        if job.training.loss == "own" and not has_own_loss(self.network):
            raise UserError(f"{describe(job.facts)}: this network has no loss of its own; set training.loss to another")
        self.optimizer = make_optimizer(self.network, job.training)
        self.patches = _patches(job, self.network)
        self.average = None if job.training.average is None else Average(self.network, job.training.average)
        self.metric = lookup("metric", job.metric)()
        self.best: dict[str, Any] = {"value": None, "step": 0, "state": None}
        self.log: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.log_every = math.ceil(job.training.steps / _LOGGED_STEPS)
        self.seconds = 0.0

    def run(
        self, folder: Path, until: int | None = None, save_every_seconds: float = 60.0, seconds: float | None = None
    ) -> None:
        """Train to the last step, or to ``until``, or for so many seconds, leaving checkpoints in ``folder``.

        A signal to end is heeded after the step in hand, and nothing is lost.
        """
        last = min(self.job.training.steps, until or self.job.training.steps)
        saved = started = time.monotonic()
        before = self.seconds
        steps = self.job.training.steps
        with Stop(seconds) as stop, Progress(self.job.facts, steps, self.step) as progress:
            while self.step < last and not stop.wanted():
                loss = self.advance()
                self.seconds = before + time.monotonic() - started
                progress.update(self.step, loss, self.best["value"])
                if self.step % self.job.training.validate_every_steps == 0 or self.step == steps:
                    self._validate()
                if time.monotonic() - saved > save_every_seconds:
                    save_checkpoint(folder, self.state())
                    saved = time.monotonic()
            save_checkpoint(folder, self.state())

    def advance(self) -> float:
        """Do one step and return its loss.

        Raises:
            UserError: If the loss is not finite; names step and batch.
        """
        settings = self.job.training
        batch = self.patches.batch(self.step)
        rate = learning_rate(self.step, settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            drawn = ", ".join(sorted(set(batch.names)))
            raise UserError(
                f"{describe(self.job.facts)}: loss is {value} at step {self.step + 1}, batch of {drawn}; "
                "lower training.learning_rate or raise warmup_steps"
            )
        loss.backward()
        if settings.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.network)
        self.step += 1
        self.losses.append(value)
        if self.step % self.log_every == 0 or self.step == settings.steps:
            mean = math.fsum(self.losses) / len(self.losses)
            self.log.append({"event": "train", "step": self.step, "loss": mean, "learning_rate": rate})
            self.losses = []
        return value

    def _loss(self, batch: Batch) -> Tensor:
        settings = self.job.training
        tensors = {role: torch.from_numpy(getattr(batch, role)).to(self.device) for role in self.patches.roles}
        if settings.loss == "own":  # its errors and windows are taken inside the network: all in float32
            return own_loss(self.network, tensors)
        with autocast(self.device, settings.precision):
            answer = ask(self.network, tensors["target"], tensors["guide"])
        return loss_of(answer, tensors, settings)

    def _validate(self) -> None:
        self.network.eval()
        encoding = self.job.training.encoding
        with contextlib.nullcontext() if self.average is None else self.average.shown(self.network):
            restored = ((restore_sample(self.network, s, self.device, encoding), s) for s in self.job.validation)
            value = float(np.mean([self.metric(*pair) for pair in restored]))
            self.log.append({"event": "validate", "step": self.step, "metric": self.job.metric, "value": value})
            if self.job.training.selection == "none" or self._is_better(value):
                state = {key: tensor.detach().cpu().clone() for key, tensor in self.network.state_dict().items()}
                self.best = {"value": value, "step": self.step, "state": state}

    def _is_better(self, value: float) -> bool:
        best = self.best["value"]
        return best is None or (value > best if self.metric.higher_is_better else value < best)

    def state(self) -> dict[str, Any]:
        """All that a later process needs to go on as if nothing had happened."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.facts(),
            "best": self.best,
            "log": self.log,
            "losses": self.losses,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.step, self.best, self.log = state["step"], state["best"], list(state["log"])
        self.losses = list(state["losses"])
        self.seconds = state["seconds"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.restore(state["average"])
        torch.set_rng_state(state["random"])


def train(
    job: Job,
    weights: str | Path,
    log: str | Path,
    checkpoints: str | Path,
    device: str = "auto",
    seconds: float | None = None,
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

    Returns:
        Whether the training is done.

    Raises:
        UserError: A non-finite loss (step and batch named), a second writer, or data that do not fit.
    """
    notes = quirk_notes(job.training)
    for note in notes:
        _LOG.warning("sfigf: %s: %s", describe(job.facts), note["text"])
    with checkpoint_folder(checkpoints) as folder:
        trainer = Trainer(job, choose_device(device))
        state = load_checkpoint(folder)
        if state is not None:
            trainer.restore(state)
        trainer.run(folder, seconds=seconds)
        if trainer.step < job.training.steps:
            return False
        trainer.network.load_state_dict(trainer.best["state"])
        selection = {"selected_step": trainer.best["step"], "validation": {job.metric: trainer.best["value"]}}
        selection["selected_on"] = selected_on(job.training)
        save_weights(weights, trainer.network, job.facts | selection)
        closing = {"event": "end", "seconds": round(trainer.seconds, 3), "device": str(trainer.device)}
        write_text(log, "".join(json.dumps(line) + "\n" for line in [*notes, *trainer.log, closing]))
    clear_checkpoints(folder)
    return True


def _patches(job: Job, network: nn.Module) -> Patches:
    settings, task = job.training, job.facts["task"]

    def prepare(sample: Sample, rng: np.random.Generator) -> Sample:
        if settings.augmentation == "strong":
            sample = augment(sample, task, rng)
        return encode(sample, settings.encoding)

    return Patches(
        job.train,
        task,
        settings.patch_px,
        settings.batch_size,
        job.seed,
        roles=roles_of(settings.loss),
        roles_if_there=roles_if_there(settings.loss, network),
        shuffle=not settings.released("shuffle"),
        prepare=prepare,
        reach=REACH_PX[settings.encoding],
    )


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Adam, AdamW, or SGD with momentum 0.9; weight decay leaves out vectors (biases, norms, scales)."""
    live = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in live if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in live if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return _OPTIMIZERS[settings.optimizer]([group for group in groups if group["params"]], lr=settings.learning_rate)


def describe(facts: dict[str, Any]) -> str:
    """``depth x8 sfigf/full seed 0``: how messages name a training."""
    return f"{facts['task']} {facts['condition']} {facts['label']}/{facts['variant']} seed {facts['seed']}"
