"""Learned depth baselines: DJF, FDKN, DKN, CU-Net. Published values as defaults; importing this imports no torch.

``published`` holds what paper or code state about training. Not stated anywhere: how often to validate; here a hundred
times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register

_TAPS = "where the nine taps lie without offsets; released weights: corners, or half-pixel as under torch of today"
_COMMON: Mapping[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "schedule": "step",
    "gradient_clip": None,
    "encoding": "none",
}
_KERNELS: Mapping[str, Any] = {
    **_COMMON,
    "loss": "l1",
    "decay": 0.2,
    "decay_every_steps": 10_000,
    "steps": 40_000,
    "batch_size": 1,
    "patch_px": 256,
    "validate_every_steps": 400,
}


class _Depth(Baseline, frozen=True):
    tasks: ClassVar[tuple[str, ...]] = ("depth",)

    def _need_depth(self, signature: Signature, guides: tuple[int, ...] = ()) -> None:
        single = signature.target == signature.output == signature.upscale == 1
        self._need(single, "a target and an output of one channel and one size", signature)
        self._need(not guides or signature.guide in guides, "a grey or an RGB guide", signature)


@register("method")
class DJFCard(_Depth, frozen=True):
    """Deep joint image filtering, without the residual of DJFR.

    Trained as in the port's harness: 200 epochs, a decay every 60. Not stated: how many images an epoch has. Chosen:
    the 1,000 of NYU that the authors trained on. The harness normalises the guide by ImageNet's statistics; the
    authors do not, nor does this network. They trained with the mean squared error on 33 px patches of depth decimated
    without a filter, at rates of 1e-4 and 1e-5 by layer.
    """

    name: ClassVar[str] = "djf"
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Li, Huang, Ahuja, Yang, ECCV 2016; size as ashawkey/jiif@acfa3f9"
    proof: ClassVar[str] = "output of the port with random weights, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        **_COMMON,
        "loss": "l1",
        "decay": 0.2,
        "decay_every_steps": 60_000,
        "steps": 200_000,
        "batch_size": 1,
        "patch_px": 256,
        "validate_every_steps": 2_000,
    }
    width: int = Field(96, ge=3, description="filters of the first layer of both input branches")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.djf import DJF

        self._need_depth(signature)
        return DJF(signature.guide, self.width)


@register("method")
class FDKNCard(_Depth, frozen=True):
    """Fast deformable kernel network: nine weighted taps a pixel, found at a quarter of the size.

    Not stated: how many patches the 20 epochs have, and their size. Chosen: 2,000 an epoch, 256 px.
    """

    name: ClassVar[str] = "fdkn"
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Kim, Ponce, Ham, IJCV 2021; cvlab-yonsei/dkn@46626aa, taps centred by us"
    proof: ClassVar[str] = "released weights FDKN_8x, both ways to place the taps, 1e-5"
    published: ClassVar[Mapping[str, Any]] = _KERNELS
    width: int = Field(32, ge=1, description="channels of the first two layers; later ones have 2 and 4 times as many")
    taps: Literal["centred", "corners", "half-pixel"] = Field("centred", description=_TAPS)
    residual: bool = Field(True, description="weights sum to 0 and the target is added; otherwise they sum to 1")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.fdkn import FDKN

        self._need_depth(signature, guides=(1, 3))
        return FDKN(self.width, self.taps, self.residual)


@register("method")
class DKNCard(_Depth, frozen=True):
    """Deformable kernel network: nine weighted taps a pixel, found from the 50x50 px round it.

    Not stated: how many patches the 20 epochs have, and their size. Chosen: 2,000 an epoch, 256 px.
    """

    name: ClassVar[str] = "dkn"
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Kim, Ponce, Ham, IJCV 2021; cvlab-yonsei/dkn@46626aa, taps centred and one pass by us"
    proof: ClassVar[str] = "output of the released class with random weights, 1e-5, in one pass and in sixteen"
    published: ClassVar[Mapping[str, Any]] = _KERNELS
    width: int = Field(32, ge=1, description="channels of the first two layers; later ones have 2 and 4 times as many")
    taps: Literal["centred", "corners", "half-pixel"] = Field("centred", description=_TAPS)
    residual: bool = Field(True, description="weights sum to 0 and the target is added; otherwise they sum to 1")
    passes: Literal["one", "sixteen"] = Field("one", description="sixteen: shift and stitch as published, slower")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.dkn import DKN

        self._need_depth(signature)
        return DKN(signature.guide, self.width, self.taps, self.residual, self.passes)


@register("method")
class CUNetCard(_Depth, frozen=True):
    """CU-Net for depth: sparse codes of the target, of the guide, and of what they have in common.

    Published loss: 1000 times the mean squared error, which to Adam is the same; a decay every 20 epochs, at most 1,000
    epochs. Not stated: how many patches an epoch has. Chosen: 10,000, which are 156 steps, and all 1,000 epochs.
    """

    name: ClassVar[str] = "cu-net"
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Deng, Dragotti, TPAMI 2021; cindydeng1991/TPAMI-CU-Net@ac43ffc"
    proof: ClassVar[str] = "released weights depth_ks9, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        **_COMMON,
        "loss": "mse",
        "decay": 0.9,
        "decay_every_steps": 3_120,
        "steps": 156_000,
        "batch_size": 64,
        "patch_px": 64,
        "validate_every_steps": 1_560,
    }
    width: int = Field(64, ge=1, description="channels of every code")
    rounds: int = Field(4, ge=0, description="how often a code is mended")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.cunet import CUNet

        self._need_depth(signature, guides=(1, 3))
        return CUNet(self.width, self.rounds)
