"""Classical methods for low-light raw: the camera's own pipeline, with and without guided denoising before it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from sfigf.degrade.camera import develop
from sfigf.interface import Array, Kind, Sample
from sfigf.methods.classic.filters import guided_filter
from sfigf.registry import register


@register("method")
class AmplifyDemosaic(BaseModel, frozen=True, extra="forbid"):
    """Develop the amplified mosaic as the camera would: demosaic, colour matrix, tone; no noise reduction."""

    name: ClassVar[str] = "amplify-demosaic"
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "demosaicking: Malvar, He, Cutler, ICASSP 2004"
    proof: ClassVar[str] = (
        "its properties: flat colours and grey ramps exact, a clean photo comes back; no reference values"
    )

    def restore(self, sample: Sample) -> Array:
        """Return sRGB (3,2h,2w) of a packed target (4,h,w)."""
        return develop(sample.target, sample.meta)


@register("method")
class RawGuidedFilter(BaseModel, frozen=True, extra="forbid"):
    """Guided filter of each packed colour plane by the guide plane of the same phase, then the camera's pipeline.

    The default options are the best of a grid (radius 2-16, epsilon 1e-4 - 3e-2) by mean PSNR on the validation part of
    ``photos``, 320x400 px from the middle of each, three noise draws; they are the best under both guides.
    """

    name: ClassVar[str] = "raw-guided-filter"
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "He, Sun, Tang, TPAMI 2013; demosaicking: Malvar, He, Cutler, ICASSP 2004"
    proof: ClassVar[str] = "its properties: grey stays grey, the noise falls; no reference values"
    radius_px: int = Field(4, ge=1, description="window radius on the packed grid (twice that in the photo)")
    epsilon: float = Field(1e-3, gt=0, description="guide variance below which the filter smooths")

    def restore(self, sample: Sample) -> Array:
        """Return sRGB (3,2h,2w) of a packed target (4,h,w) and a packed guide (4,h,w)."""
        return develop(guided_filter(sample.guide, sample.target, self.radius_px, self.epsilon), sample.meta)
