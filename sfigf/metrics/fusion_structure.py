"""Fusion measures built on structural similarity: Piella's Q_S and Q_W, Cvejic's Q_C, Yang's Q_Y.

All take (C, H, W) arrays holding whole numbers 0..255, both sides at least 11 (``UserError`` otherwise), order
``(first, second, fused)``, and return the mean over the channels, no unit, higher is better. Gray is a call with one
channel. Local statistics come from Gaussian windows that lie whole inside the image. The variance of a window that
holds one value is exactly 0 here, where code that subtracts squares leaves rounding noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sfigf.interface import Array, UserError
from sfigf.metrics.fusion_channels import blurred, channel_mean, gaussian

_SMALLEST = 11
_WANG = (5, (0.01 * 255) ** 2, (0.03 * 255) ** 2)
_YANG = (3, 2e-16, 2e-16)


@dataclass(frozen=True)
class _Windows:
    """A channel seen through sliding Gaussian windows (sigma 1.5 px) of ``radius``."""

    values: Array
    radius: int

    def average(self, values: Array) -> Array:
        inside = slice(self.radius, -self.radius)
        return blurred(values, gaussian(self.radius, 1.5))[inside, inside]

    @cached_property
    def mean(self) -> Array:
        return self.average(self.values)

    @cached_property
    def flat(self) -> Array:
        from scipy.ndimage import maximum_filter, minimum_filter

        inside = slice(self.radius, -self.radius)
        side = 2 * self.radius + 1
        return (maximum_filter(self.values, side) == minimum_filter(self.values, side))[inside, inside]

    def covariance(self, other: _Windows) -> Array:
        product = self.average(self.values * other.values) - self.mean * other.mean
        return np.where(self.flat | other.flat, 0, product)

    @cached_property
    def variance(self) -> Array:
        return self.covariance(self)


def _similarity(x: _Windows, y: _Windows, luminance: float, contrast: float) -> Array:
    means = x.mean, y.mean
    alike = (2 * means[0] * means[1] + luminance) * (2 * x.covariance(y) + contrast)
    return alike / ((means[0] ** 2 + means[1] ** 2 + luminance) * (x.variance + y.variance + contrast))


def _views(radius: int, *channels: Array) -> list[_Windows]:
    height, width = channels[0].shape
    if min(height, width) < _SMALLEST:
        raise UserError(f"image is {height}x{width} px, similarity needs {_SMALLEST} px a side; use larger images")
    return [_Windows(channel, radius) for channel in channels]


@channel_mean
def q_s(first: Array, second: Array, fused: Array) -> float:
    """Q_S, similarity to either source weighted by its local variance, mean over the windows, -1..1.

    Where both sources are flat they weigh the same.

    Source: Piella & Heijmans, ICIP 2003; zhengliu6699/imageFusionMetrics@d6f7f1a metricPeilla.m, sw = 1 (11x11 window).
    """
    return float(np.mean(_similarity_and_saliency(first, second, fused)[0]))


@channel_mean
def q_w(first: Array, second: Array, fused: Array) -> float:
    """Q_W, ``q_s`` with each window weighted by the larger variance of the two sources, -1..1.

    NaN where both sources are constant.

    Source: Piella & Heijmans, ICIP 2003; imageFusionMetrics@d6f7f1a metricPeilla.m, sw = 2.
    """
    similarity, saliency = _similarity_and_saliency(first, second, fused)
    return float((saliency * similarity).sum() / saliency.sum())


def _similarity_and_saliency(first: Array, second: Array, fused: Array) -> tuple[Array, Array]:
    radius, *constants = _WANG
    a, b, f = _views(radius, first, second, fused)
    variances = a.variance, b.variance
    total = variances[0] + variances[1]
    share = np.where(total == 0, 0.5, variances[0] / total)
    similarity = share * _similarity(a, f, *constants) + (1 - share) * _similarity(b, f, *constants)
    return similarity, np.maximum(*variances)


@channel_mean
def q_c(first: Array, second: Array, fused: Array) -> float:
    """Q_C, similarity to either source weighted by its covariance with the fused image, about 0..1.

    NaN as soon as one 7x7 window has no covariance with either source, as where the fused image is flat: the measure is
    0/0 there, and the reference gives NaN or a number that hangs on the order of its additions. Windows whose share is
    below 0 count 0, above 1 count 1.

    Source: Cvejic et al., Int. J. Information and Communication Engineering 2(3), 2006;
    imageFusionMetrics@d6f7f1a metricCvejic.m, sw = 2.
    """
    radius, *constants = _YANG
    a, b, f = _views(radius, first, second, fused)
    covariances = a.covariance(f), b.covariance(f)
    share = covariances[0] / (covariances[0] + covariances[1])
    similarity = share * _similarity(a, f, *constants) + (1 - share) * _similarity(b, f, *constants)
    return float(np.mean(np.where(share < 0, 0, np.where(share > 1, 1, similarity))))


@channel_mean
def q_y(first: Array, second: Array, fused: Array) -> float:
    """Q_Y, similarity to both sources where they agree, to the nearer one where they do not, about 0..1.

    NaN as soon as one 7x7 window is flat in both sources: the measure is 0/0 there, and the reference gives NaN or a
    number that hangs on the order of its additions.

    Source: Yang et al., Information Fusion 9(2), 2008; imageFusionMetrics@d6f7f1a metricYang.m.
    """
    radius, *constants = _YANG
    a, b, f = _views(radius, first, second, fused)
    share = a.variance / (a.variance + b.variance)
    similarities = _similarity(a, f, *constants), _similarity(b, f, *constants)
    both = share * similarities[0] + (1 - share) * similarities[1]
    either = np.where(np.isnan(share), np.nan, np.maximum(*similarities))
    return float(np.mean(np.where(_similarity(a, b, *constants) >= 0.75, both, either)))
