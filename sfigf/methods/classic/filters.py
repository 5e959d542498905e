"""Box mean and guided filter, shared by the classical methods; plain numpy, float64 inside."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array

_LUMA_ITU601 = (0.299, 0.587, 0.114)


def luma(rgb: Array) -> Array:
    """Return the ITU-601 luma (H,W) of an image (3,H,W); an image (1,H,W) is its own luma."""
    if rgb.shape[0] == 1:
        return rgb[0].astype(np.float64)
    return np.tensordot(_LUMA_ITU601, rgb.astype(np.float64), axes=1)


def box_mean(image: Array, radius: int) -> Array:
    """Return the mean over (2*radius+1)^2 windows of the last two axes; at a border over the part inside the image."""
    for axis in (-2, -1):
        image = _mean_along(image, radius, axis)
    return image


def _mean_along(image: Array, radius: int, axis: int) -> Array:
    length = image.shape[axis]
    sums = np.cumsum(np.moveaxis(image, axis, -1), axis=-1, dtype=np.float64)
    sums = np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
    start = np.maximum(np.arange(length) - radius, 0)
    stop = np.minimum(np.arange(length) + radius + 1, length)
    means = (sums[..., stop] - sums[..., start]) / (stop - start)
    return np.moveaxis(means, -1, axis)


def guided_filter(guide: Array, target: Array, radius: int, epsilon: float) -> Array:
    """Return the target explained, window by window, as a linear function of a grey guide.

    Args:
        guide: (...,H,W) about [0,1].
        target: (...,H,W); leading axes broadcast against the guide's.
        radius: Window radius in px.
        epsilon: Added to the guide's variance: edges of less contrast than its square root are smoothed.

    Returns:
        (...,H,W) float64.

    Source: He, Sun, Tang, TPAMI 2013, equations 5, 6 and 8.
    """
    # Centring first: the variance is a difference of means of squares and would lose digits on a bright image.
    guide = guide.astype(np.float64) - guide.mean()
    slope, offset = guided_coefficients(guide, target.astype(np.float64), radius, epsilon)
    return slope * guide + offset


def guided_coefficients(guide: Array, target: Array, radius: int, epsilon: float) -> tuple[Array, Array]:
    """Return slope and offset (...,H,W) of the filter's linear function, averaged over the windows around each pixel.

    As ``guided_filter``; ``guide`` and ``target`` are float64, the guide about zero.
    """
    guide_mean, target_mean = box_mean(guide, radius), box_mean(target, radius)
    variance = np.maximum(box_mean(guide * guide, radius) - guide_mean**2, 0)
    covariance = box_mean(guide * target, radius) - guide_mean * target_mean
    slope = covariance / (variance + epsilon)
    offset = target_mean - slope * guide_mean
    return box_mean(slope, radius), box_mean(offset, radius)
