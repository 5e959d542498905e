"""NAFNet and the MCR net for raw. Published values as defaults; importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register

Counts = tuple[Annotated[int, Field(ge=0)], ...]


class _Raw(Baseline, frozen=True):
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "feature-level"


@register("method")
class NAFNetCard(_Raw, frozen=True):
    """NAFNet from the packed mosaic (and the packed guide) to sRGB.

    This form for raw is ours: first layer from the packed planes, last one to the phases of each colour, no residual.
    The recipe is that of the authors for photographs, their loss (PSNR) the network's own. Not stated: betas of AdamW
    other than ours (theirs 0.9, 0.9), steps, batch and patch (those of the study); local statistics at test time (TLC)
    are left out.
    """

    name: ClassVar[str] = "nafnet"
    source: ClassVar[str] = "Chen, Chu, Zhang, Sun, ECCV 2022; megvii-research/NAFNet@2b4af71; raw form: ours"
    proof: ClassVar[str] = "output of the authors' class with random weights, four channels in and out, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {
        "optimizer": "adamw",
        "schedule": "cosine",
        "decay_at_steps": [],
        "decay_every_steps": None,
        "learning_rate": 1e-3,
        "final_learning_rate": 1e-7,
        "loss": "own",
        "encoding": "none",
    }
    width: int = Field(32, ge=1, description="channels of the finest level")
    encoder: Counts = Field((1, 1, 1, 4), min_length=1, description="blocks of each level but the coarsest")
    middle: int = Field(1, ge=0, description="blocks of the coarsest level")
    decoder: Counts = Field((1, 1, 1, 1), min_length=1, description="blocks of each level on the way up")
    use_guide: bool = Field(True, description="concatenate the packed guide")

    @model_validator(mode="after")
    def _as_many_up_as_down(self) -> Self:
        if len(self.encoder) != len(self.decoder):
            raise ValueError(f"encoder has {len(self.encoder)} levels, decoder {len(self.decoder)}; give as many")
        return self

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.nafnet import RawNAFNet

        return RawNAFNet(signature, self.width, self.encoder, self.middle, self.decoder, self.use_guide)


@register("method")
class MCRNetCard(_Raw, frozen=True):
    """Two stages from the mosaic alone: an estimate of what a monochrome sensor saw, then colour from both.

    Where the study gives a guide, it is left unread. Its own loss is L1 of both stages; without a truth for the first
    (simulated captures have none) only the second is held against one, and the first learns through it. Published with
    flips at even offsets, which break the Bayer phase; the study's augmentation keeps it.
    """

    name: ClassVar[str] = "mcr-net"
    source: ClassVar[str] = "Dong et al., CVPR 2022; TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark@7c42c33"
    proof: ClassVar[str] = (
        "output of the authors' class with random weights, second stage at an eighth of its width, 1e-5"
    )
    published: ClassVar[Mapping[str, Any]] = {
        "optimizer": "adam",
        "weight_decay": 0.0,
        "schedule": "step",
        "warmup_steps": 0,
        "final_learning_rate": 0.0,
        "gradient_clip": None,
        "encoding": "none",
        "loss": "own",
        "learning_rate": 1e-4,
        "steps": 500_000,
        "batch_size": 24,
        "patch_px": 512,
    }
    mono_width: int = Field(8, ge=1, description="channels of the finest of five levels, first stage")
    width: int = Field(32, ge=1, description="channels of the finest of five levels, second stage")
    reduction: int = Field(16, ge=1, description="how many times fewer channels the attention squeezes to")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.dble import MCRNet

        packed = signature.target == 4 and signature.output == 3 and signature.upscale == 2
        self._need(packed, "a packed mosaic of four channels and a colour output twice its size", signature)
        return MCRNet(self.mono_width, self.width, self.reduction)
