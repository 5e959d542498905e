"""SFIGF as a method of the study."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sfigf.interface import Kind, Signature
from sfigf.registry import register


@register("method")
class Sfigf(BaseModel):
    """Simultaneous feature and image guided fusion, one network for all four tasks.

    Raw uses the raw-red network, which takes the guide as P and the noisy raw as G, as the released code does (see
    ``sfigf.nets.sfigf.network``); a signature without a guide is raw-mono's, which takes the mosaic alone. The
    defaults are a small network for short trainings; width 32, levels 4 and residual False are the authors'.

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
    variants: ClassVar[tuple[str, ...]] = ("full", "image-only", "feature-only")

    width: int = 8
    levels: int = 3
    self_heads: int = 4
    cross_heads: int = 8
    kernel: int = 7
    dilation: int = 3
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
