"""Linear agreement of a fused image with its sources: correlation, and the correlations of differences.

All take (C, H, W) arrays, order ``(first, second, fused)``; the unit does not matter, only differences do. Colour: the
measure per channel, then the mean; the field takes gray images.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array


def correlation(first: Array, second: Array, fused: Array) -> float:
    """CC: mean correlation coefficient of the fused image with either source, -1..1; a flat image correlates with 0.

    Source: Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 CC_evaluation.m.
    """
    return float(np.mean([_coefficients(source, fused) for source in (first, second)]))


def sum_of_correlations_of_differences(first: Array, second: Array, fused: Array) -> float:
    """SCD, -2..2: what the fused image has beyond one source must correlate with the other.

    Source: Aslantas & Bendes, AEU 69(12), 2015; Evaluation-for-Image-Fusion@0e87153 analysis_SCD.m.
    """
    first, second, fused = (np.asarray(image, dtype=np.float64) for image in (first, second, fused))
    return float(np.mean(_coefficients(fused - second, first) + _coefficients(fused - first, second)))


def _coefficients(x: Array, y: Array) -> Array:
    """Pearson's coefficient of every channel."""
    x, y = (np.asarray(image, dtype=np.float64) for image in (x, y))
    x, y = (image - image.mean(axis=(1, 2), keepdims=True) for image in (x, y))
    lengths = np.sqrt((x**2).sum(axis=(1, 2)) * (y**2).sum(axis=(1, 2)))
    return np.divide((x * y).sum(axis=(1, 2)), lengths, out=np.zeros_like(lengths), where=lengths > 0)
