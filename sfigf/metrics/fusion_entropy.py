"""Fusion measures built on Tsallis entropy: Nava's Q_TE and Cvejic's unnormalised one.

Both take (C, H, W) arrays holding whole numbers 0..255, order ``(first, second, fused)``, stretch each channel to the
full range (a constant one counts as black) and return the mean over the channels, no unit, higher is better. Gray is a
call with one channel. Both multiply the two marginal histograms in swapped order, as the reference does by mistake:
without the mistake Q_TE would differ by up to 0.13.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import channel_mean, stretched

_NAVA = 0.43137
_CVEJIC = 1.85


@channel_mean
def q_te(first: Array, second: Array, fused: Array) -> float:
    """Q_TE, Tsallis information (q = 0.43137) of the fused image with either source over the entropies, about 0..1.

    NaN where both sources are constant.

    Source: Nava et al., SPIE Newsroom, 2007; zhengliu6699/imageFusionMetrics@d6f7f1a metricMI.m, sw = 3.
    """
    first, second, fused = map(stretched, (first, second, fused))
    told = _information(first, fused, _NAVA) + _information(second, fused, _NAVA)
    sources = sum(_bits(marginal) ** _NAVA for marginal in _shares(first, second)[1:])
    return float(np.divide(told, sources + _information(first, second, _NAVA)))


@channel_mean
def q_te_cvejic(first: Array, second: Array, fused: Array) -> float:
    """Sum of the Tsallis information (q = 1.85) of the fused image with either source, without an upper bound.

    Source: Cvejic et al., Electronics Letters 42(11), 2006; imageFusionMetrics@d6f7f1a metricMI.m, sw = 2.
    """
    first, second, fused = map(stretched, (first, second, fused))
    return float(_information(first, fused, _CVEJIC) + _information(second, fused, _CVEJIC))


def _shares(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return the joint histogram (256 of x, 256 of y) and both marginals, each of sum 1."""
    pairs = (x * 256 + y).astype(np.int64).ravel()
    joint = np.bincount(pairs, minlength=65536).reshape(256, 256) / pairs.size
    return joint, joint.sum(axis=1), joint.sum(axis=0)


def _information(x: Array, y: Array, order: float) -> float:
    joint, of_x, of_y = _shares(x, y)
    swapped = np.outer(of_y, of_x)
    there = (joint > 0) & (swapped > 0)
    return float((1 - (joint[there] ** order * swapped[there] ** (1 - order)).sum()) / (1 - order))


def _bits(shares: Array) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
