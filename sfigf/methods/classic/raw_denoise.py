"""Classical low-light raw with noise reduction: non-local means of the amplified mosaic, the camera's pipeline."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from sfigf.degrade.camera import develop
from sfigf.interface import Array, Kind, Sample
from sfigf.registry import register

# The median magnitude of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6744897501960817


def noise_deviation(plane: Array) -> float:
    """Estimate the standard deviation of white noise in a plane (H,W) from its diagonal Haar coefficients.

    Their median magnitude over 0.6745; 0 for a plane of less than 2x2.

    Source: Donoho, Johnstone, Biometrika 81(3), 1994.
    """
    height, width = (side // 2 * 2 for side in plane.shape)
    if min(height, width) == 0:
        return 0.0
    quads = plane[:height, :width].astype(np.float64).reshape(height // 2, 2, width // 2, 2)
    diagonal = (quads[:, 0, :, 0] - quads[:, 0, :, 1] - quads[:, 1, :, 0] + quads[:, 1, :, 1]) / 2
    return float(np.median(np.abs(diagonal))) / _MEDIAN_OF_NORMAL


def non_local_means(planes: Array, patch_px: int, reach_px: int, strength: float) -> Array:
    """Average each quad of (C,H,W) with those around it whose patches look alike in all planes together.

    Each plane is first divided by its own noise, so that a difference counts the same in all of them. A plane in which
    no noise is found has no say and is returned as it is.

    Args:
        planes: (C,H,W), any unit.
        patch_px: Side of a patch.
        reach_px: How far a patch is looked for, each way.
        strength: Decay of the weight with the difference of patches, in standard deviations of the noise.

    Source: Buades, Coll, Morel, CVPR 2005, in scikit-image's form: the difference that noise alone explains is free.
    """
    from skimage.restoration import denoise_nl_means

    clean = planes.astype(np.float64)
    deviations = np.array([noise_deviation(plane) for plane in planes])
    noisy = deviations > 0
    if noisy.any():
        unit = deviations[noisy, None, None]
        size = {"patch_size": patch_px, "patch_distance": reach_px}
        clean[noisy] = unit * denoise_nl_means(clean[noisy] / unit, **size, h=strength, sigma=1.0, channel_axis=0)
    return clean


@register("method")
class RawNonLocalMeans(BaseModel, frozen=True, extra="forbid"):
    """Non-local means of the amplified mosaic, quad by quad, then the camera's own pipeline; the guide is unused.

    All four planes are compared together: on the validation part of ``photos`` (320x400 px from the middle of each,
    two noise draws) that gives 25.8 dB, each plane by itself 24.4 dB.
    """

    name: ClassVar[str] = "raw-nlm"
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Buades, Coll, Morel, CVPR 2005; demosaicking: Malvar, He, Cutler, ICASSP 2004"
    proof: ClassVar[str] = "noise estimate within 2 % on white noise; no reference values"
    patch_px: int = Field(3, ge=1, description="side of a patch on the packed grid")
    reach_px: int = Field(5, ge=1, description="how far alike patches are looked for, each way")
    strength: float = Field(0.8, gt=0, description="decay of the weights, in standard deviations of the noise")

    def restore(self, sample: Sample) -> Array:
        """Return sRGB (3,2h,2w) of a packed target (4,h,w)."""
        planes = non_local_means(sample.target, self.patch_px, self.reach_px, self.strength)
        return develop(planes, sample.meta)
