"""No-reference measures of fused images: what of two sources went into one.

All take (C, H, W) arrays holding whole numbers 0..255, order ``(first, second, fused)``. A source may have one channel
where the fused image has three. Colour: the measure per channel, then the mean, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import SOBEL, stretched

# MATLAB rgb2gray: first row of the inverse of the rounded NTSC matrix, at full precision.
_LUMA = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])


def to_bytes(image: Array) -> Array:
    """Turn [0,1] values into whole numbers 0..255 (float64): clipped, rounded half up."""
    return np.floor(np.clip(np.asarray(image, dtype=np.float64), 0, 1) * 255 + 0.5)


def to_gray(image: Array) -> Array:
    """Turn (3, H, W) whole numbers into (1, H, W) whole numbers as MATLAB ``rgb2gray`` does on bytes."""
    if len(image) == 1:
        return image
    return np.floor(np.tensordot(_LUMA, np.asarray(image, dtype=np.float64), axes=1)[None] + 0.5)


def q_abf(first: Array, second: Array, fused: Array) -> float:
    """Petrovic's Q_AB/F, the share of the sources' edges kept, 0..1 (Sobel, zero border; L = 1).

    Source: Xydeas & Petrovic, Electronics Letters 36(4), 2000; constants and the treatment of equal gradients as in
    xingchenzhang/VIFB@22b2ea9 metrics/metricsQabf.m.
    """
    edges = [_edges(_spread(image, fused)) for image in (first, second, fused)]
    kept = sum((_edge_preservation(edge, edges[2]) * edge[0]).sum(axis=(1, 2)) for edge in edges[:2])
    present = sum(edge[0].sum(axis=(1, 2)) for edge in edges[:2])
    return float(np.mean(np.divide(kept, present, out=np.zeros_like(kept), where=present > 0)))


def _spread(source: Array, fused: Array) -> Array:
    return np.broadcast_to(np.asarray(source, dtype=np.float64), np.asarray(fused).shape)


def _edges(image: Array) -> tuple[Array, Array]:
    """Return strength and angle (-pi/2, pi/2] of the gradient."""
    from scipy.ndimage import correlate

    across, up = (correlate(image, kernel[None], mode="constant") for kernel in (SOBEL, -SOBEL.T))
    slope = np.divide(up, across, out=np.full_like(up, np.inf), where=across != 0)
    return np.sqrt(across**2 + up**2), np.arctan(slope)


def _edge_preservation(source: tuple[Array, Array], fused: tuple[Array, Array]) -> Array:
    weaker, stronger = np.minimum(source[0], fused[0]), np.maximum(source[0], fused[0])
    ratio = np.divide(weaker, stronger, out=fused[0].copy(), where=weaker != stronger)
    alignment = 1 - np.abs(source[1] - fused[1]) / (np.pi / 2)
    return _sigmoid(ratio, 0.9994, -15, 0.5) * _sigmoid(alignment, 0.9879, -22, 0.8)


def _sigmoid(values: Array, top: float, slope: float, centre: float) -> Array:
    from scipy.special import expit

    return top * expit(-slope * (values - centre))


def q_mi(first: Array, second: Array, fused: Array) -> float:
    """Normalised mutual information, 0..2: ``2 [I(A,F)/(H_A+H_F) + I(B,F)/(H_B+H_F)]`` of the stretched images.

    A constant image shares nothing: its term is 0.

    Source: Hossny et al., Electronics Letters 44(18), 2008; zhengliu6699/imageFusionMetrics@d6f7f1a metricMI.m, sw = 1.
    """
    return float(np.mean([sum(2 * _shared(s, f) for s in (a, b)) for a, b, f in _channels(first, second, fused)]))


def _shared(source: Array, fused: Array) -> float:
    entropies = _entropies(source, fused)
    whole = entropies[0] + entropies[1]
    return (whole - entropies[2]) / whole if whole else 0.0


def mutual_information(first: Array, second: Array, fused: Array) -> float:
    """Sum of the mutual information of the fused image with either source, in nats, of the stretched images.

    Source: Qu et al., Electronics Letters 38(7), 2002; VIFB@22b2ea9 metrics/metricsMutinf.m.
    """
    sums = [sum(_information(s, f) for s in (a, b)) for a, b, f in _channels(first, second, fused)]
    return float(np.mean(sums) * np.log(2))


def _information(x: Array, y: Array) -> float:
    entropies = _entropies(x, y)
    return entropies[0] + entropies[1] - entropies[2]


def q_ncie(first: Array, second: Array, fused: Array) -> float:
    """Nonlinear correlation information entropy of the three images, base 256, of the stretched images.

    Source: Wang et al., Physica A 380, 2007; imageFusionMetrics@d6f7f1a metricWang.m.
    """
    return float(np.mean([_correlation_entropy(trio) for trio in _channels(first, second, fused)]))


def _correlation_entropy(trio: tuple[Array, Array, Array]) -> float:
    matrix = np.eye(3)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        matrix[i, j] = matrix[j, i] = _information(trio[i], trio[j]) / 8
    shares = np.linalg.eigvalsh(matrix) / 3
    shares = shares[shares > 0]
    return 1 + float((shares * np.log2(shares)).sum()) / 8


def _channels(first: Array, second: Array, fused: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Yield the three stretched images channel by channel."""
    for a, b, f in zip(_spread(first, fused), _spread(second, fused), fused, strict=True):
        one, two, three = (stretched(channel).astype(np.int64) for channel in (a, b, f))
        yield one, two, three


def _entropies(x: Array, y: Array) -> tuple[float, float, float]:
    """Return H(x), H(y) and H(x,y) in bits."""
    joint = np.bincount((x * 256 + y).ravel(), minlength=65536).reshape(256, 256)
    return _bits(joint.sum(axis=1)), _bits(joint.sum(axis=0)), _bits(joint)


def _bits(counts: Array) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def entropy(fused: Array) -> float:
    """EN: entropy of the 256-bin histogram in bits. Source: VIFB@22b2ea9 metrics/metricsEntropy.m."""
    return float(np.mean([_bits(np.bincount(np.asarray(c, dtype=np.int64).ravel(), minlength=256)) for c in fused]))


def standard_deviation(fused: Array) -> float:
    """SD: population standard deviation. Source: VIFB@22b2ea9 metrics/metricsVariance.m."""
    return float(np.mean(np.asarray(fused, dtype=np.float64).std(axis=(1, 2))))


def average_gradient(fused: Array) -> float:
    """AG: mean root of half the squared central differences. Source: VIFB@22b2ea9 metrics/metricsAvg_gradient.m."""
    down, across = (np.gradient(np.asarray(fused, dtype=np.float64), axis=axis) for axis in (1, 2))
    height, width = np.asarray(fused).shape[1:]
    return float(np.sqrt((across**2 + down**2) / 2).sum(axis=(1, 2)).mean() / ((height - 1) * (width - 1)))


def spatial_frequency(fused: Array) -> float:
    """SF: root of the mean squared differences along rows and columns.

    Colour: the reference sets the channels side by side, so the two seams count as edges; so do we.

    Source: VIFB@22b2ea9 metrics/metricsSpatial_frequency.m.
    """
    flat = np.concatenate(list(np.asarray(fused, dtype=np.float64)), axis=1)
    return float(np.sqrt(((np.diff(flat, axis=0) ** 2).sum() + (np.diff(flat, axis=1) ** 2).sum()) / flat.size))
