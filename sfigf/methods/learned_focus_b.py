"""SESF-Fuse, GACN and U2Fusion for focus. Published values as defaults; importing this imports no torch.

``published`` holds what paper or code state about training; steps and patch that they do not state are the study's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register

_STEPS: Mapping[str, Any] = {
    "optimizer": "adam",
    "weight_decay": 0.0,
    "schedule": "step",
    "warmup_steps": 0,
    "final_learning_rate": 0.0,
    "gradient_clip": None,
    "encoding": "none",
    "learning_rate": 1e-4,
}


class _Pair(Baseline, frozen=True):
    tasks: ClassVar[tuple[str, ...]] = ("focus",)

    def _need_pair(self, signature: Signature) -> None:
        colour = signature.target == signature.guide == signature.output == 3 and signature.upscale == 1
        self._need(colour, "two colour images and a colour output of one size", signature)


@register("method")
class SESFFuseCard(_Pair, frozen=True):
    """A hard choice between two images, place by place, by the spatial frequency of an auto-encoder's features.

    Trained as an auto-encoder on sharp grey photographs (its own loss); the choice passes no gradient, so no other loss
    can train it. Not stated: the number of photographs of COCO (chosen: 82,783, thus 1,725 steps an epoch).
    """

    name: ClassVar[str] = "sesf-fuse"
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Ma et al., Neural Computing & Applications 2021; Keep-Passion/SESF-Fuse@23e60b8"
    proof: ClassVar[str] = "released weights: reconstruction 1e-5, decision equal, fused image equal but for rounding"
    needs_own_loss: ClassVar[bool] = True
    published: ClassVar[Mapping[str, Any]] = {
        **_STEPS,
        "loss": "own",
        "decay": 0.8,
        "decay_every_steps": 3_450,
        "steps": 51_750,
        "batch_size": 48,
        "patch_px": 256,
    }
    width: int = Field(16, ge=1, description="channels of each block of the encoder")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.sesf import SESFFuse

        self._need_pair(signature)
        return SESFFuse(self.width)


@register("method")
class GACNCard(_Pair, frozen=True):
    """A soft but steep vote between two images, made by a network and guided-filtered along its boundary.

    Its own loss holds the vote against the true decision map, and the fused image against the edges of both. The
    authors blur photographs of COCO by object masks, rotate by 30 degrees, erase, shift and add noise; here the pairs
    and the augmentation are the study's. Not stated: the number of photographs (chosen: 82,783, thus 5,174 steps an
    epoch).
    """

    name: ClassVar[str] = "gacn"
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Ma et al., Neurocomputing 2022; Keep-Passion/GACN@4994c88"
    proof: ClassVar[str] = "released weights: shares and fused image 1e-5, mask 1e-4 before filtering (slope 1000)"
    published: ClassVar[Mapping[str, Any]] = {
        **_STEPS,
        "loss": "own",
        "decay": 0.8,
        "decay_every_steps": 10_348,
        "steps": 258_700,
        "batch_size": 16,
        "patch_px": 156,
    }
    width: int = Field(16, ge=1, description="channels of each block of the encoder")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.gacn import GACN

        self._need_pair(signature)
        return GACN(self.width)


@register("method")
class U2FusionCard(_Pair, frozen=True):
    """A dense network on both lumas; the chromas are mixed by a fixed rule.

    Its own loss weighs both images by features of a VGG-16 whose weights we do not ship: it is trained with the truth
    and the loss of the study instead. The authors' optimiser is RMSProp (chosen: Adam); paper: tasks one after the
    other under elastic weight consolidation, code: switched off. Not stated: the steps of an epoch.
    """

    name: ClassVar[str] = "u2fusion"
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Xu et al., TPAMI 44(1), 2022; hanna-xu/U2Fusion@0a58821; chroma as DeepFuse, ICCV 2017"
    proof: ClassVar[str] = "released checkpoint run in TensorFlow, luma, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {**_STEPS, "batch_size": 18, "patch_px": 64}
    width: int = Field(44, ge=1, description="channels of each layer of the encoder")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.u2fusion import U2Fusion

        self._need_pair(signature)
        return U2Fusion(self.width)
