"""CU-Net for the fusion of two images. Published values as defaults; importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register


@register("method")
class CUNetFusionCard(Baseline, frozen=True):
    """CU-Net for focus: sparse codes of image A, of image B, and of what they have in common.

    Published loss: 1000 times the mean squared error, which to Adam is the same; a decay every 30 epochs. The batch is
    that of the authors' script for multi-exposure pairs. Not stated: patch, epochs, patches in an epoch, how often to
    validate. Chosen as for depth: 64 px, 1,000 epochs of 10,000 patches, which are 104 steps, a hundred times in all.
    """

    name: ClassVar[str] = "cu-net-fusion"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Deng, Dragotti, TPAMI 2021; cindydeng1991/TPAMI-CU-Net@ac43ffc"
    proof: ClassVar[str] = "released weights multi_focus rounded to 16 bit, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "optimizer": "adam",
        "schedule": "step",
        "gradient_clip": None,
        "encoding": "none",
        "loss": "mse",
        "learning_rate": 5e-5,
        "decay": 0.9,
        "decay_every_steps": 3_120,
        "steps": 104_000,
        "batch_size": 96,
        "patch_px": 64,
        "validate_every_steps": 1_040,
    }
    width: int = Field(64, ge=1, description="channels of every code")
    rounds: int = Field(4, ge=0, description="how often a code is mended")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.cunet import CUNetFusion

        colour = signature.target == signature.guide == signature.output == 3 and signature.upscale == 1
        self._need(colour, "two colour images and a colour output of one size", signature)
        return CUNetFusion(self.width, self.rounds)
