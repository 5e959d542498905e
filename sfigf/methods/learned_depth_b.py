"""Depth baselines that reason on a coarser grid: FDSR, DCTNet, PGSR, JIIF. Importing this imports no torch.

``published`` is how the released code trains. An epoch is counted as the 1000 training images of NYUv2, one patch each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register

_EPOCH_IMAGES = 1000


class _DepthBaseline(Baseline, frozen=True, extra="forbid"):
    """One-channel target and output, RGB guide, one size."""

    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "feature-level"
    proof: ClassVar[str]
    published: ClassVar[Mapping[str, Any]]

    def _network(self, signature: Signature) -> Any:
        fits = signature == Signature(1, 3, 1)
        self._need(fits, "a target and an output of one channel, an RGB guide and one size", signature)
        return self._depth_network()

    def _depth_network(self) -> Any:
        raise NotImplementedError


@register("method")
class FDSRCard(_DepthBaseline, frozen=True):
    """Fast depth super-resolution: octave convolutions of the guide, on a grid four times coarser.

    Not stated for the training: patch (256 px chosen) and patches an epoch (1000 chosen), when to validate (10,000).
    """

    name: ClassVar[str] = "fdsr"
    source: ClassVar[str] = "He et al., CVPR 2021; lingzhi96/RGB-D-D-Dataset@4397c18"
    proof: ClassVar[str] = "the authors' class with random weights, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "steps": 1000 * _EPOCH_IMAGES,
        "batch_size": 1,
        "patch_px": 256,
        "learning_rate": 5e-4,
        "schedule": "step",
        "decay": 0.5,
        "decay_every_steps": 80_000,
        "gradient_clip": None,
        "loss": "l1",
        "optimizer": "adam",
        "encoding": "none",
        "validate_every_steps": 10_000,
    }
    width: int = Field(32, ge=4, description="features of each input on the coarse grid")

    def _depth_network(self) -> Any:
        from sfigf.nets.baselines.fdsr import FDSR

        return FDSR(self.width)


@register("method")
class DCTNetCard(_DepthBaseline, frozen=True):
    """Coupled features and a regularised problem that the discrete cosine transform solves.

    Not stated for the training: when to validate (each epoch chosen). The floor of the rate, 1e-6, is never reached.
    """

    name: ClassVar[str] = "dctnet"
    source: ClassVar[str] = "Zhao et al., CVPR 2022; Zhaozixiang1228/GDSR-DCTNet@5243875"
    proof: ClassVar[str] = "released weights DCTNet_8X, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "steps": 200 * _EPOCH_IMAGES // 8,
        "batch_size": 8,
        "patch_px": 256,
        "learning_rate": 1e-3,
        "schedule": "step",
        "decay": 0.5,
        "decay_every_steps": 100 * _EPOCH_IMAGES // 8,
        "gradient_clip": 1.0,
        "loss": "mse",
        "optimizer": "adam",
        "encoding": "none",
        "validate_every_steps": _EPOCH_IMAGES // 8,
    }
    width: int = Field(64, ge=4, description="features of each branch")
    depth: int = Field(4, ge=0, description="coupled layers")

    def _depth_network(self) -> Any:
        from sfigf.nets.baselines.dctnet import DCTNet

        return DCTNet(self.width, self.depth)


@register("method")
class PGSRCard(_DepthBaseline, frozen=True):
    """Planes of the guide carry depth from reliable pixels to others.

    The milestones of the released training, 2000 and later, lie beyond its 500 epochs: the rate stays.
    """

    name: ClassVar[str] = "pgsr"
    source: ClassVar[str] = "Xu, Yao, Guan, Xiong, IEEE TCI 2024; XrKang/PGSR@237e976"
    proof: ClassVar[str] = "released weights PDSR_8x, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "steps": 500 * _EPOCH_IMAGES // 4,
        "batch_size": 4,
        "patch_px": 256,
        "learning_rate": 1e-4,
        "schedule": "step",
        "weight_decay": 1e-6,
        "gradient_clip": None,
        "loss": "own",
        "optimizer": "adam",
        "encoding": "none",
        "validate_every_steps": 20 * _EPOCH_IMAGES // 4,
    }
    width: int = Field(32, ge=4, description="features of each input on the coarse grid")
    factor: int = Field(8, ge=2, description="ratio of the grid of the target to the one it was upsampled from")

    def _depth_network(self) -> Any:
        from sfigf.nets.baselines.pgsr import PGSR

        return PGSR(self.width, self.factor)


@register("method")
class JIIFCard(_DepthBaseline, frozen=True):
    """An implicit function of four coarse neighbours gives the value at any place.

    Not stated for the training: when to validate (each epoch chosen).
    """

    name: ClassVar[str] = "jiif"
    source: ClassVar[str] = "Tang, Chen, Zeng, ACM Multimedia 2021; ashawkey/jiif@acfa3f9"
    proof: ClassVar[str] = "the authors' class at width 24 with random weights, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "steps": 200 * _EPOCH_IMAGES,
        "batch_size": 1,
        "patch_px": 256,
        "learning_rate": 1e-4,
        "schedule": "step",
        "decay": 0.2,
        "decay_every_steps": 60 * _EPOCH_IMAGES,
        "gradient_clip": None,
        "loss": "own",
        "optimizer": "adam",
        "encoding": "none",
        "validate_every_steps": _EPOCH_IMAGES,
    }
    width: int = Field(128, ge=1, description="features of each encoder")
    blocks: int = Field(16, ge=0, description="residual blocks of each encoder")
    layers: tuple[int, ...] = Field((1024, 512, 256, 128), description="hidden layers of the implicit function")
    factor: int = Field(8, ge=2, description="ratio of the grid of the target to the one it was upsampled from")
    queries: int = Field(30_720, ge=1, description="pixels that `loss: own` looks at in a step")

    def _depth_network(self) -> Any:
        from sfigf.nets.baselines.jiif import JIIF

        return JIIF(self.width, self.blocks, self.layers, self.factor, self.queries)
