"""Classical methods for guided depth super-resolution."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from sfigf.interface import Array, Kind, Sample
from sfigf.methods.classic.filters import guided_filter, luma
from sfigf.registry import register


@register("method")
class Bicubic(BaseModel, frozen=True, extra="forbid"):
    """The bicubic upsampling every method starts from, unchanged."""

    name: ClassVar[str] = "bicubic"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Pillow BICUBIC, the degradation's own upsampling"
    proof: ClassVar[str] = "Pillow's results, 1e-4 of a unit; 90 errors on Middlebury computed with Pillow"

    def restore(self, sample: Sample) -> Array:
        """Return the target (1,H,W)."""
        return np.array(sample.target, dtype=np.float32)


@register("method")
class GuidedFilter(BaseModel, frozen=True, extra="forbid"):
    """Guided filter of the upsampled depth, guided by the luma of the photo.

    The default options are the best of a grid (radius 2-16, epsilon 1e-5 - 1e-1) at x8 on ``aloe``, a training scene.
    """

    name: ClassVar[str] = "guided-filter"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "He, Sun, Tang, TPAMI 2013"
    proof: ClassVar[str] = (
        "its definition: windows pixel by pixel, linear functions of the guide recovered; no reference values"
    )
    radius_px: int = Field(2, ge=1, description="window radius")
    epsilon: float = Field(3e-4, gt=0, description="guide variance below which the filter smooths")

    def restore(self, sample: Sample) -> Array:
        """Return the filtered depth (1,H,W)."""
        filtered = guided_filter(luma(sample.guide), sample.target, self.radius_px, self.epsilon)
        return filtered.astype(np.float32)
