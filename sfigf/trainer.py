"""The state of a training and its steps: seeded, resumable bit for bit on the CPU, by one process or by many."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sfigf.averaging import Average
from sfigf.checkpoint import save_checkpoint
from sfigf.determinism import named
from sfigf.inference import ask, autocast, restore_sample
from sfigf.interface import UserError
from sfigf.loading import Batches, Shown, patches_of, workers_for
from sfigf.losses import has_own_loss, loss_of, own_loss, weight_of
from sfigf.optimizers import make_optimizer
from sfigf.parallel import World
from sfigf.progress import Progress
from sfigf.registry import lookup
from sfigf.schedules import learning_rate
from sfigf.selection import Samples
from sfigf.stopping import Stop
from sfigf.training_settings import Training
from sfigf.weights import build_network

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

    def __str__(self) -> str:
        """``depth x8 sfigf/full seed 0``: how messages name a training."""
        return "{task} {condition} {label}/{variant} seed {seed}".format(**self.facts)


class Objective(nn.Module):
    """From a batch to its loss in one call, which is what ``DistributedDataParallel`` wraps."""

    def __init__(self, network: nn.Module, settings: Training, device: torch.device) -> None:
        super().__init__()
        self.network, self.settings, self.device = network, settings, device

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch: tensors (b,C,h,w) by role."""
        if self.settings.loss == "own":  # its errors and windows are taken inside the network: all in float32
            return own_loss(self.network, batch)
        with autocast(self.device, self.settings.precision):
            answer = ask(self.network, batch["target"], batch["guide"])
        return loss_of(answer, batch, self.settings)


class Trainer:
    """State of a training: network, optimiser, best weights, log.

    Args:
        job: What to train, on what.
        device: Where; float32 on the CPU, bfloat16 autocast on CUDA but for a network's own loss.
        world: The processes that train it; a batch is the same however many share it.
        workers: Processes that load data for this one; None for what suits the device.

    Raises:
        UserError: ``loss: own`` for a network that has none, samples that lack what the loss needs, or fewer patches a
            batch than processes.
    """

    def __init__(self, job: Job, device: torch.device, world: World | None = None, workers: int | None = None) -> None:
        torch.manual_seed(job.seed)
        self.job, self.device, self.step, self.world = job, device, 0, world or World()
        self.network: nn.Module = self.world.one_for_all(build_network(job.facts).to(device), device)
        if job.training.loss == "own" and not has_own_loss(self.network):
            raise UserError(f"{job}: this network has no loss of its own; set training.loss to another")
        if job.training.batch_size < self.world.size:
            raise UserError(f"{job}: {self.world.size} processes share a batch of {job.training.batch_size}; use fewer")
        self.optimizer = make_optimizer(self.network, job.training)
        self.objective = self.world.wrapped(Objective(self.network, job.training, device), device)
        patches = patches_of(job.train, job.facts["task"], job.training, job.seed, self.network)
        self.batches = Batches(patches, self.world.share(job.training.batch_size))
        cores = os.cpu_count() or 1
        self.workers = workers_for(device, self.world.size, cores) if workers is None else workers
        self.average = None if job.training.average is None else Average(self.network, job.training.average)
        self.metric = lookup("metric", job.metric)()
        self.best: dict[str, Any] = {"value": None, "step": 0, "state": None}
        self.log: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.log_every = math.ceil(job.training.steps / _LOGGED_STEPS)
        self.seconds = self.waited = 0.0
        self.settled = True  # not while a step changes the weights, nor before its validation

    def run(
        self, folder: Path, until: int | None = None, save_every_seconds: float = 60.0, seconds: float | None = None
    ) -> None:
        """Train to the last step, or to ``until``, or for so many seconds, leaving checkpoints in ``folder``.

        A signal to end is heeded after the step in hand. Whatever ends a training, the steps that were done are kept.
        """
        steps = self.job.training.steps
        last = min(steps, until or steps)
        saved = time.monotonic()
        with contextlib.ExitStack() as stack:
            stop = stack.enter_context(Stop(seconds))
            stack.callback(self._save, folder)
            progress = stack.enter_context(Progress(self.job.facts, steps, self.step, shown=self.world.is_first))
            batches = stack.enter_context(self.batches.ahead(range(self.step, last), self.workers, self.device))
            while self.step < last and not self.world.any(stop.wanted()):
                began = time.monotonic()
                batch = next(batches)
                self.waited += time.monotonic() - began
                loss = self.advance(batch)
                if self.step % self.job.training.validate_every_steps == 0 or self.step == steps:
                    self._validate()
                self.settled = True
                self.seconds += time.monotonic() - began
                progress.update(self.step, loss, self.best["value"])
                if time.monotonic() - saved > save_every_seconds:
                    self._save(folder)
                    saved = time.monotonic()

    def _save(self, folder: Path) -> None:
        if self.world.is_first and self.settled:
            save_checkpoint(folder, self.state())

    def advance(self, batch: Shown | None = None) -> float:
        """Do one step and return its loss.

        Args:
            batch: The batch of this step, where it is there already.

        Raises:
            UserError: If the loss is not finite; names step and batch.
        """
        settings = self.job.training
        batch = self.batches[self.step] if batch is None else batch
        # What a network draws (dropout, JIIF's pixels) depends on the step, as its batch does.
        torch.manual_seed(int(np.random.default_rng([self.job.seed, self.step]).integers(2**63)))
        rate = learning_rate(self.step, settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        with named(str(self.job)):
            loss, value = self._loss(batch)
            loss.backward()
        self.settled = False
        if settings.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.network)
        self.step += 1
        self._note(value, rate)
        return value

    def _loss(self, batch: Shown) -> tuple[Tensor, float]:
        """The loss that this process takes back, and the loss of the whole batch."""
        tensors = batch.on(self.device)
        loss = self.objective(tensors)
        value, share = float(loss.detach()), 1.0
        if self.world.size > 1:
            weight = weight_of(tensors, self.job.training)
            weighted, total = self.world.total(value * weight, weight)
            value, share = weighted / (total or 1), weight * self.world.size / (total or 1)
        if not math.isfinite(value):
            drawn = ", ".join(sorted(set(batch.names)))
            raise UserError(
                f"{self.job}: loss is {value} at step {self.step + 1}, batch of {drawn}; "
                "lower training.learning_rate or raise warmup_steps"
            )
        return loss if share == 1 else share * loss, value

    def _note(self, loss: float, rate: float) -> None:
        self.losses.append(loss)
        if self.step % self.log_every == 0 or self.step == self.job.training.steps:
            mean = math.fsum(self.losses) / len(self.losses)
            self.log.append({"event": "train", "step": self.step, "loss": mean, "learning_rate": rate})
            self.losses = []

    def _validate(self) -> None:
        self.network.eval()
        with contextlib.nullcontext() if self.average is None else self.average.shown(self.network):
            value = float(np.mean(self.world.all_of(self._values())))
            self.log.append({"event": "validate", "step": self.step, "metric": self.job.metric, "value": value})
            if self.job.training.selection == "none" or self._is_better(value):
                state = {key: tensor.detach().cpu().clone() for key, tensor in self.network.state_dict().items()}
                self.best = {"value": value, "step": self.step, "state": state}

    def _values(self) -> list[float]:
        """The metric of every validation sample in this process's share."""
        samples, encoding = self.job.validation, self.job.training.encoding
        shared = (samples[index] for index in self.world.share(len(samples)))
        return [float(self.metric(restore_sample(self.network, s, self.device, encoding), s)) for s in shared]

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
            "waited": self.waited,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.step, self.best, self.log = state["step"], state["best"], list(state["log"])
        self.losses = list(state["losses"])
        self.seconds, self.waited = state["seconds"], state["waited"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.restore(state["average"])
