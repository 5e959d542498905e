"""How crisp a fused image is, whatever its sources were. (C, H, W) arrays of whole numbers 0..255; values in levels."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array

_SOBEL = np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


def edge_intensity(fused: Array) -> float:
    """EI: mean Sobel magnitude over pixels and channels, borders replicated, 0 at least.

    Source: Rajalingam & Priya 2018; xingchenzhang/VIFB@22b2ea9 metrics/metricsEdge_intensity.m.
    """
    from scipy.ndimage import correlate

    image = np.asarray(fused, dtype=np.float64)
    return float(np.hypot(*(correlate(image, k[None], mode="nearest") for k in (_SOBEL, _SOBEL.T))).mean())


def spatial_frequency_of_differences(fused: Array) -> float:
    """SF as Tang's code has it: the squared differences are averaged over their own number, per channel; 0 at least.

    ``fusion.spatial_frequency`` (VIFB) divides by the number of pixels and is a little smaller.

    Source: Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 SF_evaluation.m.
    """
    image = np.asarray(fused, dtype=np.float64)
    squares = [(np.diff(image, axis=axis) ** 2).mean(axis=(1, 2)) for axis in (1, 2)]
    return float(np.sqrt(sum(squares)).mean())
