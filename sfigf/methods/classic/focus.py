"""Classical methods for multi-focus fusion."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from sfigf.interface import Array, Kind, Sample
from sfigf.methods.classic.filters import guided_filter, luma
from sfigf.registry import register

_BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])


@register("method")
class GuidedFilterFusion(BaseModel, frozen=True, extra="forbid"):
    """Base and detail layers, each blended by saliency weights that a guided filter aligned with the edges."""

    name: ClassVar[str] = "guided-filter-fusion"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Li, Kang, Hu, IEEE TIP 2013 (GFF)"
    proof: ClassVar[str] = "a second implementation after the paper, 1e-6; not the authors' own code"
    mean_radius_px: int = Field(15, ge=1, description="window radius of the mean that makes the base layer")
    base_radius_px: int = Field(45, ge=1, description="guided-filter radius of the base weights")
    base_epsilon: float = Field(0.3, gt=0)
    detail_radius_px: int = Field(7, ge=1, description="guided-filter radius of the detail weights")
    detail_epsilon: float = Field(1e-6, gt=0)

    def restore(self, sample: Sample) -> Array:
        """Return the fused image (3,H,W) in [0,1]."""
        from scipy.ndimage import uniform_filter

        images = np.stack([sample.target, sample.guide]).astype(np.float64)
        greys = np.stack([luma(image) for image in images])
        base = uniform_filter(images, 2 * self.mean_radius_px + 1, axes=(-2, -1), mode="nearest")
        chosen = _most_salient(greys)
        base_weights = _weights(greys, chosen, self.base_radius_px, self.base_epsilon)
        detail_weights = _weights(greys, chosen, self.detail_radius_px, self.detail_epsilon)
        fused = (base_weights[:, None] * base + detail_weights[:, None] * (images - base)).sum(axis=0)
        return np.clip(fused, 0, 1).astype(np.float32)


def _most_salient(greys: Array) -> Array:
    """Return (2,H,W), 1 where that image's blurred |Laplacian| is the larger, else 0; the first wins a tie."""
    from scipy.ndimage import correlate, gaussian_filter

    edges = np.stack([np.abs(correlate(grey, _LAPLACIAN, mode="nearest")) for grey in greys])
    saliency = gaussian_filter(edges, sigma=5, radius=5, axes=(-2, -1), mode="nearest")
    first = (saliency[0] >= saliency[1]).astype(np.float64)
    return np.stack([first, 1 - first])


def _weights(greys: Array, chosen: Array, radius: int, epsilon: float) -> Array:
    """Return weights (2,H,W) that sum to 1 at each pixel."""
    weights = np.clip([guided_filter(*pair, radius, epsilon) for pair in zip(greys, chosen, strict=True)], 0, 1)
    total = weights.sum(axis=0)
    return np.divide(weights, total, out=np.full_like(weights, 0.5), where=total > 0)


@register("method")
class LaplacianPyramid(BaseModel, frozen=True, extra="forbid"):
    """Of two Laplacian pyramids keep, at each place and level, the stronger detail; average the coarsest level.

    Each colour channel is fused by itself. Strength is the largest magnitude in a 3x3 window; a choice that most of
    its 3x3 neighbours do not share is turned over.
    """

    name: ClassVar[str] = "laplacian-pyramid"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Burt, Adelson, IEEE Trans. Commun. 1983; Burt, Kolczynski, ICCV 1993 (selection)"
    proof: ClassVar[str] = "its properties: equal images stay, the sharp half of each is taken; no reference values"
    levels: int = Field(5, ge=1, description="detail levels; fewer where the image is too small for them")

    def restore(self, sample: Sample) -> Array:
        """Return the fused image (3,H,W) in [0,1]."""
        image_a, image_b = (image.astype(np.float64) for image in (sample.target, sample.guide))
        details: list[Array] = []
        while len(details) < self.levels and min(image_a.shape[1:]) >= 4:
            coarse_a, coarse_b = _reduce(image_a), _reduce(image_b)
            size = image_a.shape[1:]
            details.append(_stronger(image_a - _expand(coarse_a, size), image_b - _expand(coarse_b, size)))
            image_a, image_b = coarse_a, coarse_b
        fused = (image_a + image_b) / 2
        for detail in reversed(details):
            fused = detail + _expand(fused, detail.shape[1:])
        return np.clip(fused, 0, 1).astype(np.float32)


def _smooth(image: Array) -> Array:
    from scipy.ndimage import correlate1d

    for axis in (-2, -1):
        image = correlate1d(image, _BINOMIAL, axis, mode="mirror")
    return image


def _reduce(image: Array) -> Array:
    return _smooth(image)[:, ::2, ::2]


def _expand(coarse: Array, size: tuple[int, ...]) -> Array:
    fine = np.zeros((coarse.shape[0], *size))
    fine[:, ::2, ::2] = 4 * coarse
    return _smooth(fine)


def _stronger(detail_a: Array, detail_b: Array) -> Array:
    """Return, place by place, the detail (3,h,w) that is stronger around it."""
    from scipy.ndimage import maximum_filter, uniform_filter

    window = {"size": 3, "axes": (-2, -1), "mode": "nearest"}
    strength_a, strength_b = (maximum_filter(np.abs(detail), **window) for detail in (detail_a, detail_b))
    votes = uniform_filter((strength_a >= strength_b).astype(np.float64), **window)
    return np.where(votes > 0.5, detail_a, detail_b)
