"""One training loop for every learned method: seeded, validation-selected, resumable bit for bit on the CPU."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sfigf.checkpoint import checkpoint_folder, clear_checkpoints, load_checkpoint, save_checkpoint
from sfigf.config import Training
from sfigf.encoding import encode
from sfigf.files import write_text
from sfigf.inference import autocast, choose_device, restore_sample
from sfigf.interface import Sample, UserError
from sfigf.patches import Batch, Patches
from sfigf.progress import Progress
from sfigf.registry import lookup
from sfigf.weights import build_network, save_weights

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything that decides the result of one training."""

    facts: dict[str, Any]
    training: Training
    metric: str
    train: list[Sample]
    validation: list[Sample]

    @property
    def seed(self) -> int:
        """The seed of initialisation, patches and dropout."""
        return int(self.facts["seed"])


class Trainer:
    """State of a training: network, optimiser, best weights, log.

    Args:
        job: What to train, on what.
        device: Where; float32 on the CPU, bfloat16 autocast on CUDA.
    """

    def __init__(self, job: Job, device: torch.device) -> None:
        torch.manual_seed(job.seed)
        self.job, self.device, self.step = job, device, 0
        self.network: nn.Module = build_network(job.facts).to(device)
        self.optimizer = make_optimizer(self.network, job.training)
        settings = job.training
        shown = [encode(sample, settings.encoding) for sample in job.train]
        self.patches = Patches(shown, job.facts["task"], settings.patch_px, settings.batch_size, job.seed)
        self.metric = lookup("metric", job.metric)()
        self.best: dict[str, Any] = {"value": None, "step": 0, "state": None}
        self.log: list[dict[str, Any]] = []
        self.seconds = 0.0

    def run(self, folder: Path, until: int | None = None, save_every_seconds: float = 60.0) -> None:
        """Train to the last step (or to ``until``), leaving checkpoints in ``folder``."""
        last = min(self.job.training.steps, until or self.job.training.steps)
        saved = started = time.monotonic()
        before = self.seconds
        with Progress(self.job.facts, self.job.training.steps, self.step) as progress:
            while self.step < last:
                loss = self._advance()
                self.seconds = before + time.monotonic() - started
                progress.update(self.step, loss, self.best["value"])
                if self.step % self.job.training.validate_every_steps == 0 or self.step == self.job.training.steps:
                    self._validate()
                if time.monotonic() - saved > save_every_seconds:
                    save_checkpoint(folder, self.state())
                    saved = time.monotonic()
        save_checkpoint(folder, self.state())

    def _advance(self) -> float:
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
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.optimizer.step()
        self.step += 1
        self.log.append({"event": "train", "step": self.step, "loss": value, "learning_rate": rate})
        return value

    def _loss(self, batch: Batch) -> Tensor:
        target, guide, truth, valid = (
            torch.from_numpy(array).to(self.device) for array in (batch.target, batch.guide, batch.truth, batch.valid)
        )
        with autocast(self.device, self.job.training.precision):
            restored = self.network(target, guide)
        return masked_loss(restored.float(), truth, valid, self.job.training.loss)

    def _validate(self) -> None:
        self.network.eval()
        encoding = self.job.training.encoding
        values = [self.metric(restore_sample(self.network, s, self.device, encoding), s) for s in self.job.validation]
        value = float(np.mean(values))
        self.log.append({"event": "validate", "step": self.step, "metric": self.job.metric, "value": value})
        best = self.best["value"]
        if best is None or (value > best if self.metric.higher_is_better else value < best):
            state = {key: tensor.detach().cpu().clone() for key, tensor in self.network.state_dict().items()}
            self.best = {"value": value, "step": self.step, "state": state}

    def state(self) -> dict[str, Any]:
        """All that a later process needs to go on as if nothing had happened."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "log": self.log,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.step, self.best, self.log = state["step"], state["best"], list(state["log"])
        self.seconds = state["seconds"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])


def train(job: Job, weights: str | Path, log: str | Path, checkpoints: str | Path, device: str = "auto") -> None:
    """Train, or go on training, until the step budget is spent; then write weights and log, each atomically.

    Raises:
        UserError: A non-finite loss (step and batch named), a second writer, or data that do not fit.
    """
    with checkpoint_folder(checkpoints) as folder:
        trainer = Trainer(job, choose_device(device))
        state = load_checkpoint(folder)
        if state is not None:
            trainer.restore(state)
        trainer.run(folder)
        trainer.network.load_state_dict(trainer.best["state"])
        selection = {"selected_step": trainer.best["step"], "validation": {job.metric: trainer.best["value"]}}
        save_weights(weights, trainer.network, job.facts | selection)
        closing = {"event": "end", "seconds": round(trainer.seconds, 3), "device": str(trainer.device)}
        write_text(log, "".join(json.dumps(line) + "\n" for line in [*trainer.log, closing]))
    clear_checkpoints(folder)


def masked_loss(restored: Tensor, truth: Tensor, valid: Tensor, kind: str) -> Tensor:
    """Mean loss over valid pixels; restored, truth (b,C,H,W), valid (b,1,H,W) in {0,1}."""
    error = restored - truth
    per_pixel = {"l1": error.abs, "mse": error.square, "charbonnier": lambda: (error.square() + 1e-6).sqrt()}[kind]()
    return (per_pixel * valid).sum() / (valid.sum() * truth.shape[1]).clamp_min(1)


def learning_rate(step: int, settings: Training) -> float:
    """Linear warm-up, then a half cosine down to the final rate; ``step`` counts from 0."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    fall = 0.5 * (1 + math.cos(math.pi * done))
    return settings.final_learning_rate + (settings.learning_rate - settings.final_learning_rate) * fall


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Adam or AdamW; weight decay leaves out vectors (biases, norms, scales)."""
    live = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in live if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in live if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return kind([group for group in groups if group["params"]], lr=settings.learning_rate)


def describe(facts: dict[str, Any]) -> str:
    """``depth x8 sfigf/full seed 0``: how messages name a training."""
    return f"{facts['task']} {facts['condition']} {facts['label']}/{facts['variant']} seed {facts['seed']}"
