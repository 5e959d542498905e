"""SFIGF as a method of the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sfigf.interface import Kind, Signature
from sfigf.registry import register

_RELEASED: Mapping[str, Any] = {
    "optimizer": "adam",
    "schedule": "step",
    "gradient_clip": None,
    "precision": "float32",
    "encoding": "none",
}


@register("method")
class Sfigf(BaseModel):
    """Simultaneous feature and image guided fusion, one network for all four tasks.

    Raw uses the raw-red network, which takes the guide as P and the noisy raw as G, as the released code does (see
    ``sfigf.nets.sfigf.network``); a signature without a guide is raw-mono's, which takes the mosaic alone. The
    defaults are a small network for short trainings; width 32, levels 4 and residual False are the authors'.

    ``published`` is how the released code trains: depth 400 epochs of 1,000 images, pan 3,000 of 9,714 patches in
    batches of 10, focus 3,000 of 650 pairs in batches of 4 (a last, smaller batch counts), raw 10,001 of 181 places
    (raw-red; raw-mono differs in loss, rate, patch and batch: ``config/paper.yaml``). Pan and focus are validated every
    10 epochs, as depth is; the released code looks after each. Its mistakes are ``Training.quirks``.

    Attributes:
        width: Channels of the first level.
        levels: Levels of the pyramid for depth and raw; pan and focus always have one.
        self_heads: Heads of the self-attention, reduced to a divisor of the channels.
        cross_heads: Heads of the cross-attention, likewise.
        kernel: Side of the attention window in taps, odd.
        dilation: Distance of the taps in pixels.
        attention: ``cross`` as published; ``self`` or ``conv`` take its place in an ablation.
        residual: Add the target to the output (focus: the mean of both images; raw: the guide as grey).
        even_start: Begin with signals of even size, for short trainings; changes no forward pass.

    Source: arXiv 2312.08853; Xinyil256/SFIGF@3600cd0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str] = "sfigf"
    tasks: ClassVar[tuple[str, ...]] = ("depth", "pan", "focus", "raw")
    kind: ClassVar[Kind] = "both"
    source: ClassVar[str] = "arXiv 2312.08853, Xinyil256/SFIGF@3600cd0"
    proof: ClassVar[str] = (
        "released WorldView-3 weights (pan); the released classes at width 8 with random weights (all), 1e-5"
    )
    published_options: ClassVar[Mapping[str, Any]] = {"width": 32, "levels": 4}
    variants: ClassVar[tuple[str, ...]] = ("full", "image-only", "feature-only")
    published: ClassVar[Mapping[str, Any]] = {
        "depth": {
            **_RELEASED,
            "loss": "l1",
            "learning_rate": 3e-4,
            "decay": 0.2,
            "decay_every_steps": 60_000,
            "steps": 400_000,
            "batch_size": 1,
            "patch_px": 256,
            "validate_every_steps": 10_000,
        },
        "pan": {
            **_RELEASED,
            "loss": "mse-released",
            "learning_rate": 8e-4,
            "decay": 0.5,
            "decay_at_steps": [1700 * 972, 1900 * 972, 2400 * 972],
            "steps": 3000 * 972,
            "batch_size": 10,
            "patch_px": 64,
            "validate_every_steps": 10 * 972,
        },
        "focus": {
            **_RELEASED,
            "loss": "focus-unsupervised",
            "learning_rate": 8e-4,
            "decay": 0.5,
            "decay_at_steps": [1700 * 163, 1900 * 163, 2400 * 163],
            "steps": 3000 * 163,
            "batch_size": 4,
            "patch_px": 128,
            "validate_every_steps": 10 * 163,
        },
        "raw": {
            **_RELEASED,
            "loss": "l1",
            "learning_rate": 1e-4,
            "decay": 0.5,
            "decay_every_steps": 4000 * 181,
            "steps": 10_001 * 181,
            "batch_size": 1,
            "patch_px": 1024,
            "validate_every_steps": 100 * 181,
            "selection": "none",
        },
    }

    width: int = Field(8, ge=1, le=4096)
    levels: int = Field(3, ge=1, le=8)
    self_heads: int = Field(4, ge=1, le=4096)
    cross_heads: int = Field(8, ge=1, le=4096)
    kernel: int = Field(7, ge=1, le=63)
    dilation: int = Field(3, ge=1, le=256)
    attention: Literal["cross", "self", "conv"] = "cross"
    residual: bool = False
    even_start: bool = False

    def build(self, signature: Signature, variant: str) -> Any:
        """Return the network for a signature; ``variant`` is ``full``, ``image-only`` or ``feature-only``."""
        from sfigf.nets.sfigf import build_sfigf

        network = network_of(signature)
        changes = {**self.model_dump(), "branches": variant}
        if network in {"pan", "focus"}:
            changes["levels"] = 1
        return build_sfigf(network, bands=signature.target, **changes)


def network_of(signature: Signature) -> Literal["depth", "pan", "focus", "raw-red", "raw-mono"]:
    """Tell it by the channels: raw-mono has no guide, raw-red doubles the grid, depth has one band, focus two alike."""
    if signature.guide == 0:
        return "raw-mono"
    if signature.upscale == 2:
        return "raw-red"
    if signature.target == 1:
        return "depth"
    return "focus" if signature.guide == signature.target else "pan"
