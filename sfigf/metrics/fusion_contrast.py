"""Fusion measures built on what the eye sees (contrast sensitivity): Chen & Blum's Q_CB, Chen & Varshney's Q_CV.

Both take (C, H, W) arrays holding whole numbers 0..255, order ``(first, second, fused)``, stretch each channel to the
full range and return the mean over the channels, as VIFB does. Gray is a call with one channel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import blurred, channel_mean, cycles, sobel, stretched

_BLOCK_PX = 16


@channel_mean
def q_cb(first: Array, second: Array, fused: Array) -> float:
    """Q_CB, how well the local contrast of the stronger source is kept, 0..1, no unit, higher is better.

    NaN where one of the three images is constant.

    Source: Chen & Blum, Image and Vision Computing 27(10), 2009; zhengliu6699/imageFusionMetrics@d6f7f1a
    metricChenBlum.m, the same as xingchenzhang/VIFB@22b2ea9 metrics/metricsQcb.m.
    """
    contrasts = [_masked_contrast(channel) for channel in (first, second, fused)]
    weights = [contrast**2 for contrast in contrasts[:2]]
    kept = [np.minimum(c, contrasts[2]) / np.maximum(c, contrasts[2]) for c in contrasts[:2]]
    return float(np.mean((weights[0] * kept[0] + weights[1] * kept[1]) / (weights[0] + weights[1])))


def _masked_contrast(channel: Array) -> Array:
    """Return the contrast of a 2 px blur to its 4 px surround, as strongly as it is seen."""
    seen = _filtered(stretched(channel), _difference_of_gaussians)
    contrast = np.abs(_surround(seen, 2) / _surround(seen, 4) - 1)
    return contrast**3 / (contrast**2 + 1e-4)


def _surround(channel: Array, sigma: float) -> Array:
    """Weigh with a 31x31 Gaussian that is cut off, not normalised to 1."""
    offsets = np.arange(-15.0, 16)
    return blurred(channel, np.exp(-(offsets**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma))


def _difference_of_gaussians(frequency: Array) -> Array:
    scaled = frequency / 15
    return np.exp(-((scaled / 15.3870) ** 2)) - 0.7622 * np.exp(-((scaled / 1.3456) ** 2))


def _filtered(channel: Array, sensitivity: Callable[[Array], Array]) -> Array:
    """Filter (H, W) by a function of the frequency in cycles per picture; the picture repeats at its borders."""
    return np.fft.ifft2(np.fft.fft2(channel) * sensitivity(cycles(channel.shape))).real


@channel_mean
def q_cv(first: Array, second: Array, fused: Array) -> float:
    """Q_CV, visible squared difference to either source where that one has edges, from 0, gray levels squared.

    LOWER is better. A constant image counts as black; NaN where neither source has an edge.

    Source: Chen & Varshney, Information Fusion 8(2), 2007; imageFusionMetrics@d6f7f1a metricChen.m, the same as
    VIFB@22b2ea9 metrics/metricsQcv.m (Mannos-Sakrison sensitivity, 16x16 blocks, saliency exponent 5).
    """
    first, second, fused = map(stretched, (first, second, fused))
    saliencies = [_block_sums(np.hypot(*sobel(source)) ** 5) for source in (first, second)]
    errors = [_block_sums(_filtered(source - fused, _mannos_sakrison) ** 2) for source in (first, second)]
    seen = sum((s * e).sum() for s, e in zip(saliencies, errors, strict=True)) / _BLOCK_PX**2
    return float(seen / sum(s.sum() for s in saliencies))


def _mannos_sakrison(frequency: Array) -> Array:
    scaled = 0.144 * frequency / 4
    return 2.6 * (0.0192 + scaled) * np.exp(-(scaled**1.1))


def _block_sums(channel: Array) -> Array:
    """Sum (H, W) over 16x16 blocks; those at the right and the bottom are filled up with zeros."""
    rows, columns = (-(-size // _BLOCK_PX) for size in channel.shape)
    missing = [(0, -size % _BLOCK_PX) for size in channel.shape]
    return np.pad(channel, missing).reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).sum(axis=(1, 3))
