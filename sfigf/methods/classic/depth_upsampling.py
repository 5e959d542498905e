"""Classical guided depth super-resolution from the coarse grid: joint bilateral upsampling, fast guided filter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from sfigf.interface import Array, Kind, Sample, UserError
from sfigf.methods.classic.filters import guided_coefficients, luma
from sfigf.registry import register


def joint_bilateral_upsampled(coarse: Array, guide: Array, radius: int, spread: float, contrast: float) -> Array:
    """Average the coarse pixels around each fine one, by how near they are and how like its colour theirs is.

    Args:
        coarse: (h,w), any unit; both grids cover the same ground, edge to edge.
        guide: (C,H,W) about [0,1]; a coarse pixel's colour is read at its centre, linearly between pixels.
        radius: Of the window, in coarse pixels; what lies outside the image does not count.
        spread: Standard deviation of the spatial Gaussian, in coarse pixels.
        contrast: Standard deviation of the Gaussian of colour difference (Euclidean over the channels).

    Returns:
        (H,W) float64, between the extremes of the coarse pixels.

    Source: Kopf, Cohen, Lischinski, Uyttendaele, ACM TOG 26(3), 2007.
    """
    coarse, guide = coarse.astype(np.float64), guide.astype(np.float64)
    height, width = coarse.shape
    colours = _at(_at(guide, _centres(height, guide.shape[1]), -2), _centres(width, guide.shape[2]), -1)
    rows, columns = _centres(guide.shape[1], height), _centres(guide.shape[2], width)
    reach = np.arange(-radius, radius + 1)
    across = _nearest(columns, width)[:, None] + reach
    outside = (across < 0) | (across >= width)
    beside = np.where(outside, np.inf, (across - columns[:, None]) ** 2)
    across = np.clip(across, 0, width - 1)
    fine = np.empty(guide.shape[1:])
    for y, (row, middle) in enumerate(zip(rows, _nearest(rows, height), strict=True)):
        down = middle + reach
        down = down[(down >= 0) & (down < height)]
        distance = (down - row)[:, None, None] ** 2 + beside
        difference = ((colours[:, down][:, :, across] - guide[:, y, None, :, None]) ** 2).sum(axis=0)
        exponent = -distance / (2 * spread**2) - difference / (2 * contrast**2)
        # Relative to the best: with no colour alike, all weights would vanish.
        weights = np.exp(exponent - exponent.max(axis=(0, 2), keepdims=True))
        fine[y] = (weights * coarse[down][:, across]).sum(axis=(0, 2)) / weights.sum(axis=(0, 2))
    return fine


def fast_guided_filter(guide: Array, target: Array, radius: int, epsilon: float, subsampling: int) -> Array:
    """Guided filter whose linear functions are fitted on every n-th pixel and interpolated linearly between.

    Args:
        guide: (H,W) about [0,1].
        target: (...,H,W).
        radius: Window radius in px; divided by ``subsampling`` and rounded, at least 1.
        epsilon: Added to the guide's variance, as in ``guided_filter``.
        subsampling: n; 1 is the guided filter itself, bit by bit.

    Returns:
        (...,H,W) float64.

    Source: He, Sun, "Fast Guided Filter", arXiv 1505.00996, 2015. Each n-th pixel is the one at n//2 of its block, and
    the interpolation knows where it lies.
    """
    guide = guide.astype(np.float64) - guide.mean()
    first = [min(subsampling // 2, side - 1) for side in guide.shape]
    few = np.s_[..., first[0] :: subsampling, first[1] :: subsampling]
    near = max(1, round(radius / subsampling))
    coefficients = np.stack(guided_coefficients(guide[few], target[few].astype(np.float64), near, epsilon))
    for axis in (-2, -1):
        where = (np.arange(guide.shape[axis]) - first[axis]) / subsampling
        coefficients = _at(coefficients, where, axis)
    slope, offset = coefficients
    return slope * guide + offset


def _centres(count: int, other: int) -> Array:
    """Where the centres of ``count`` pixels lie on the grid of ``other`` pixels over the same length."""
    return (np.arange(count) + 0.5) * other / count - 0.5


def _nearest(positions: Array, count: int) -> Array:
    return np.clip(np.rint(positions).astype(int), 0, count - 1)


def _at(values: Array, positions: Array, axis: int) -> Array:
    """Interpolate linearly at positions along an axis, constant beyond the ends."""
    last = values.shape[axis] - 1
    positions = np.clip(positions, 0, last)
    lower = positions.astype(int)
    shape = (-1, *[1] * (-1 - axis))
    share = (positions - lower).reshape(shape)
    upper = np.minimum(lower + 1, last)
    return values.take(lower, axis) * (1 - share) + values.take(upper, axis) * share


@register("method")
class JointBilateral(BaseModel, frozen=True, extra="forbid"):
    """Joint bilateral upsampling of the coarse depth, guided by the photo; see ``joint_bilateral_upsampled``.

    The default options are the best of a grid (radius 1-3, spread 0.3-1.5, contrast 0.03-0.4) at x8 on ``aloe``, a
    training scene. A sample without its coarse map has it brought back from the target, bicubically.
    """

    name: ClassVar[str] = "joint-bilateral"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Kopf, Cohen, Lischinski, Uyttendaele, ACM TOG 26(3), 2007"
    proof: ClassVar[str] = "the definition written out pixel by pixel; no reference values"
    radius: int = Field(2, ge=1, description="window radius in coarse pixels")
    spread: float = Field(0.4, gt=0, description="deviation of the spatial Gaussian, in coarse pixels")
    contrast: float = Field(0.15, gt=0, description="deviation of the Gaussian of colour difference")

    def restore(self, sample: Sample) -> Array:
        """Return the upsampled depth (1,H,W).

        Raises:
            UserError: If the sample has neither a coarse map nor a factor.
        """
        coarse = _coarse(sample)
        fine = [joint_bilateral_upsampled(c, sample.guide, self.radius, self.spread, self.contrast) for c in coarse]
        return np.stack(fine).astype(np.float32)


def _coarse(sample: Sample) -> Array:
    from sfigf.degrade.resample import resize_bicubic

    if sample.coarse is not None:
        return sample.coarse
    if "factor" not in sample.meta:
        raise UserError(f"image '{sample.name}' has neither a coarse map nor a factor; degrade it again")
    height, width = (-(-side // int(sample.meta["factor"])) for side in sample.target.shape[1:])
    return resize_bicubic(sample.target, height, width)


@register("method")
class FastGuidedFilter(BaseModel, frozen=True, extra="forbid"):
    """Fast guided filter of the upsampled depth, guided by the luma of the photo; see ``fast_guided_filter``.

    The default radius and epsilon are the best of a grid (radius 2-16, epsilon 1e-4 - 1e-2) at x8 on ``aloe``, a
    training scene. There every fourth pixel, as in the paper, is too few: RMSE 4.61 px, every second 4.20, all 4.18.
    """

    name: ClassVar[str] = "fast-guided-filter"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "He, Sun, arXiv 1505.00996, 2015"
    proof: ClassVar[str] = "the guided filter, equal bit by bit at subsampling 1"
    radius_px: int = Field(2, ge=1, description="window radius")
    epsilon: float = Field(3e-4, gt=0, description="guide variance below which the filter smooths")
    subsampling: int = Field(2, ge=1, description="each how many-th pixel the filter is fitted on")

    def restore(self, sample: Sample) -> Array:
        """Return the filtered depth (1,H,W)."""
        guide = luma(sample.guide)
        filtered = fast_guided_filter(guide, sample.target, self.radius_px, self.epsilon, self.subsampling)
        return filtered.astype(np.float32)
