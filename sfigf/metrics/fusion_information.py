"""How much of the sources' gray-level statistics a fused image tells: cross entropy and mutual information in bits.

Both take (C, H, W) arrays of whole numbers 0..255, order ``(first, second, fused)``; a source may have one channel
where the fused image has three. Colour: the measure per channel, then the mean. Neither stretches the images, unlike
``fusion.mutual_information``.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import channel_mean


@channel_mean
def cross_entropy(first: Array, second: Array, fused: Array) -> float:
    """CE: mean over the sources of the Kullback-Leibler divergence of source from fused, in bits; lower is better.

    Gray levels that either image lacks are left out, so the value is no true divergence and can fall below 0.

    Source: Bulanon et al., Biosystems Engineering 103(1), 2009; xingchenzhang/VIFB@22b2ea9 metricsCross_entropy.m.
    """
    return (_divergence(first, fused) + _divergence(second, fused)) / 2


def _divergence(source: Array, fused: Array) -> float:
    p, q = (np.bincount(image.astype(np.int64).ravel(), minlength=256) / image.size for image in (source, fused))
    both = (p > 0) & (q > 0)
    return float((p[both] * np.log2(p[both] / q[both])).sum())


@channel_mean
def mutual_information_bits(first: Array, second: Array, fused: Array) -> float:
    """MI: sum of the mutual information of the fused image with either source, in bits, 0..16.

    The reference merges levels 254 and 255 in the joint histogram alone (adding 1 saturates its bytes); so do we.

    Source: Qu et al., Electronics Letters 38(7), 2002; Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153
    MI_evaluation.m.
    """
    return _information(first, fused) + _information(second, fused)


def _information(source: Array, fused: Array) -> float:
    joint = np.minimum(source, 254) * 256 + np.minimum(fused, 254)
    return _bits(source) + _bits(fused) - _bits(joint)


def _bits(levels: Array) -> float:
    counts = np.bincount(levels.astype(np.int64).ravel())
    shares = counts[counts > 0] / levels.size
    return float(-(shares * np.log2(shares)).sum())
