"""A tiny network and the training of it, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from sfigf.config import Training
from sfigf.interface import Signature
from sfigf.registry import register
from sfigf.train import train
from sfigf.trainer import Job
from tests.conftest import make_sample


class Net(nn.Module):
    def __init__(self, signature: Signature, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(signature.target + signature.guide, signature.output, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.scale = scale

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        return self.conv(self.drop(torch.cat([target, guide], 1))) * self.scale


@register("method")
class TinyConv(BaseModel, frozen=True, extra="forbid"):
    """One convolution with dropout, for tests."""

    name: ClassVar[str] = "test-tiny"
    tasks: ClassVar[tuple[str, ...]] = ("depth", "focus", "pan")
    kind: ClassVar[str] = "feature-level"
    source: ClassVar[str] = "tests"
    variants: ClassVar[tuple[str, ...]] = ("full",)
    scale: float = 1.0

    def build(self, signature: Signature, variant: str) -> nn.Module:
        return Net(signature, self.scale)


def job(steps: int = 12, scale: float = 1.0, **changes: Any) -> Job:
    settings = {"steps": steps, "batch_size": 2, "patch_px": 16, "learning_rate": 0.01, "validate_every_steps": 4}
    facts: dict[str, Any] = {
        "task": "depth", "condition": "x4", "label": "test-tiny", "method": "test-tiny", "variant": "full", "seed": 3,
        "options": {"method": "test-tiny", "scale": scale}, "signature": {"target": 1, "guide": 3, "output": 1},
    }  # fmt: skip
    training = Training(**(settings | changes))
    facts["training"] = training.model_dump()
    samples = [make_sample("depth", f"t{i}", seed=i) for i in range(3)]
    return Job(facts, training, "rmse", samples, [make_sample("depth")])


def run(folder: Path, a_job: Job, name: str) -> Path:
    train(a_job, folder / f"{name}.safetensors", folder / f"{name}.jsonl", folder / f"{name}-checkpoints", "cpu")
    return folder / f"{name}.safetensors"
