"""Fusion measures of edges and detail: Xydeas' Q_G, Wang's Q_M (Haar wavelets), Zheng's Q_SF (spatial frequency).

All take (C, H, W) arrays holding whole numbers 0..255, order ``(first, second, fused)``, and return the mean over the
channels, no unit. Gray is a call with one channel.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import channel_mean, sobel

_TINY = 1e-5


@channel_mean
def q_g(first: Array, second: Array, fused: Array) -> float:
    """Q_G, mean over the pixels of the share of the sources' edges kept there, 0..1, higher is better.

    Not Petrovic's ``q_abf``: the quotient is taken pixel by pixel, and the two sigmoids have other constants.

    Source: Xydeas & Petrovic, Proc. SPIE 4051, 2000; zhengliu6699/imageFusionMetrics@d6f7f1a metricXydeas.m, whose
    fused edges are raised from 0 to 1e-5 for the second source only.
    """
    strengths, angles = zip(*map(_edges, (first, second, fused)), strict=True)
    weights = [_never_zero(strength) for strength in strengths]
    kept = (
        weights[0] * _kept(strengths[0], strengths[2]) * _aligned(angles[0], angles[2]),
        weights[1] * _kept(strengths[1], weights[2]) * _aligned(angles[1], angles[2]),
    )
    return float(np.mean(sum(kept) / (weights[0] + weights[1])))


def _never_zero(values: Array) -> Array:
    return np.where(values == 0, _TINY, values)


def _edges(channel: Array) -> tuple[Array, Array]:
    """Return strength and angle (-pi/2, pi/2) of the gradient."""
    across, down = sobel(channel)
    return np.hypot(across, down), np.arctan(down / _never_zero(across))


def _kept(source: Array, fused: Array) -> Array:
    ratio = np.where(source > fused, fused / _never_zero(source), _never_zero(source) / _never_zero(fused))
    return 1 / (1 + np.exp(-10 * (ratio - 0.5)))


def _aligned(source: Array, fused: Array) -> Array:
    alignment = np.abs(np.abs(source - fused) - np.pi / 2) / (np.pi / 2)
    return 1 / (1 + np.exp(-20 * (alignment - 0.75)))


@channel_mean
def q_m(first: Array, second: Array, fused: Array) -> float:
    """Q_M, how near the fused Haar details come to the sources' strong ones, 0..3, higher is better.

    NaN where no source has any detail at one of the two scales.

    Source: Wang & Liu, ICSP 2008, pp. 965-968; imageFusionMetrics@d6f7f1a metricPWW.m (two levels, powers 2/3 and 1/3;
    an odd last row or column is left out).
    """
    kept = []
    for _ in range(2):
        (first, *detail_a), (second, *detail_b), (fused, *detail_f) = map(_haar, (first, second, fused))
        kept.append(_detail_kept((np.array(detail_a), np.array(detail_b)), np.array(detail_f)))
    return float(kept[0] ** (2 / 3) * kept[1] ** (1 / 3))


def _haar(channel: Array) -> tuple[Array, Array, Array, Array]:
    """Return one level of the orthonormal Haar transform: rest, horizontal, vertical and diagonal detail."""
    height, width = (size // 2 * 2 for size in channel.shape)
    top, bottom = channel[0:height:2, :width], channel[1:height:2, :width]
    low, high = top + bottom, bottom - top
    (rest, vertical), (horizontal, diagonal) = (
        ((rows[:, 0::2] + rows[:, 1::2]) / 2, (rows[:, 1::2] - rows[:, 0::2]) / 2) for rows in (low, high)
    )
    return rest, horizontal, vertical, diagonal


def _detail_kept(sources: tuple[Array, Array], fused: Array) -> float:
    energies = [(source**2).sum(axis=0) for source in sources]
    kept = [np.exp(-np.abs(source - fused)).sum(axis=0) for source in sources]
    total = sum(energy.sum() for energy in energies)
    return sum((k * energy).sum() for k, energy in zip(kept, energies, strict=True)) / total


@channel_mean
def q_sf(first: Array, second: Array, fused: Array) -> float:
    """Q_SF, relative error of the spatial frequency: 0 is ideal, below 0 detail is lost, above 0 it is exaggerated.

    The reference frequency takes at each pixel the larger difference of the two sources. NaN where both are constant.

    Source: Zheng et al., Information Fusion 8(2), 2007; imageFusionMetrics@d6f7f1a metricZheng.m (four directions,
    the diagonal ones weighted sqrt(1/2) inside the root).
    """
    ours = _frequency(fused)
    theirs = _frequency(first, second)
    return float((ours - theirs) / theirs)


def _frequency(*channels: Array) -> Array:
    largest = [np.max(np.abs(differences), axis=0) for differences in zip(*map(_differences, channels), strict=True)]
    energies = [(d**2).sum() for d in largest]
    return np.sqrt((energies[0] + energies[1] + np.sqrt(0.5) * (energies[2] + energies[3])) / channels[0].size)


def _differences(channel: Array) -> tuple[Array, Array, Array, Array]:
    """Return the differences along rows, columns and both diagonals."""
    falling, rising = channel[1:, 1:] - channel[:-1, :-1], channel[1:, :-1] - channel[:-1, 1:]
    return np.diff(channel, axis=1), np.diff(channel, axis=0), falling, rising
