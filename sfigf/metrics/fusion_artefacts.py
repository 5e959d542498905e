"""Edges that a fused image has and neither source had."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array

_ACROSS = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
_SEEN_LEVELS = 2.0


def fusion_artefacts(first: Array, second: Array, fused: Array) -> float:
    """N_AB/F modified by Kumar, 0..1, 0 at best: share of edges stronger in the fused image than in either source.

    Edges by Sobel / 8, mirrored borders; a source's edge weighs its strength to the power 1.5, and 0.001 below two
    levels. Colour: per channel, then the mean. Two traps: callers that give [0,1] weigh every pixel the same, and the
    reference's own caller passes the sources first, so that the second source is taken for the fused image.

    Args:
        first: (C, H, W), 0..255.
        second: (C, H, W), 0..255.
        fused: (C, H, W), 0..255.

    Source: Petrovic & Xydeas 2005; Kumar, SIViP 7(6), 2013; Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153
    analysis_nabf.m.
    """
    edges = [_edges(np.asarray(image, dtype=np.float64)) for image in (first, second, fused)]
    strength = edges[2][0]
    added = (strength > edges[0][0]) & (strength > edges[1][0])
    weights = [np.where(edge[0] >= _SEEN_LEVELS, edge[0] ** 1.5, 0.001) for edge in edges[:2]]
    lost = [(1 - _kept(edge, edges[2])) * weight for edge, weight in zip(edges[:2], weights, strict=True)]
    return float(((added * (lost[0] + lost[1])).sum(axis=(1, 2)) / (weights[0] + weights[1]).sum(axis=(1, 2))).mean())


def _edges(image: Array) -> tuple[Array, Array]:
    """Return strength and angle (-pi/2..pi/2; 0 where there is no edge) of the gradient."""
    from scipy.ndimage import correlate

    across, down = (correlate(image, kernel[None], mode="mirror") for kernel in (_ACROSS, _ACROSS.T))
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arctan(across / down)
    return np.sqrt(down**2 + across**2), np.where((across == 0) & (down == 0), 0, angle)


def _kept(source: tuple[Array, Array], fused: tuple[Array, Array]) -> Array:
    """Share of a source's edge kept in strength and in direction, 0..1."""
    weaker, stronger = np.minimum(source[0], fused[0]), np.maximum(source[0], fused[0])
    ratio = np.divide(weaker, stronger, out=np.zeros_like(weaker), where=weaker > 0)
    alignment = np.abs(np.abs(source[1] - fused[1]) - np.pi / 2) * 2 / np.pi
    in_strength = 0.9999 / (1 + np.exp(-19 * (ratio - 0.5)))
    return np.sqrt(in_strength * 0.9995 / (1 + np.exp(-22 * (alignment - 0.5))))
