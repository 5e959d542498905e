"""One of the processes that train together: takes one step of several trainings and keeps the gradients."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import torch

from sfigf.parallel import World, together
from sfigf.trainer import Job, Trainer
from sfigf.training_settings import Training
from tests.conftest import make_sample

CASES = {
    "mse": {"loss": "mse"},
    "l1 of a batch that cannot be halved": {"loss": "l1", "batch_size": 5},
    "as released, averaged, clipped": {"loss": "mse-released", "average": 0.9, "gradient_clip": 0.01},
    "encoded and augmented": {"encoding": "detail", "augmentation": "strong"},
    "its own": {"method": "jiif", "loss": "own"},
}
"""Settings by name; ``method`` is the network's."""


def job_of(name: str) -> Job:
    """A training on depth maps of which some have few valid pixels, so that shares of a batch weigh differently."""
    changes = dict(CASES[name])
    method = str(changes.pop("method", "sfigf"))
    options = {"method": method} | ({"width": 4, "levels": 2, "residual": True} if method == "sfigf" else {})
    settings = {"steps": 4, "batch_size": 4, "patch_px": 16, "learning_rate": 0.01, "validate_every_steps": 2}
    facts = {
        "task": "depth", "condition": "x4", "label": method, "method": method, "variant": "full", "seed": 3,
        "options": options, "signature": {"target": 1, "guide": 3, "output": 1},
    }  # fmt: skip
    rng = np.random.default_rng(0)
    samples = []
    for index, share in enumerate((0.05, 0.3, 0.9, 1.0)):
        sample = make_sample("depth", f"t{index}", seed=index)
        samples.append(dataclasses.replace(sample, valid=rng.random(sample.truth.shape) < share))
    return Job(facts, Training(**(settings | changes)), "rmse", samples, samples[:3])


def step(name: str, world: World | None = None) -> dict[str, torch.Tensor]:
    """Gradients and loss of one step, and the value of a validation after it."""
    trainer = Trainer(job_of(name), torch.device("cpu"), world)
    loss = trainer.advance()
    gradients = {key: p.grad.clone() for key, p in trainer.network.named_parameters() if p.grad is not None}
    trainer._validate()
    return gradients | {"loss": torch.tensor(loss), "validated": torch.tensor(trainer.best["value"])}


if __name__ == "__main__":
    with together(int(sys.argv[2])) as everyone:
        found = {name: step(name, everyone) for name in CASES}
        if everyone.is_first:
            torch.save(found, sys.argv[1])
