"""Reduced-resolution pan-sharpening metrics: a restored image against the bands that were degraded.

All take digital numbers, (C, H, W), the truth first: for ERGAS the order matters.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, UserError

_SOBEL = np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


def cut(truth: Array, restored: Array) -> tuple[Array, Array]:
    """Drop 20 px at the top and left and 21 px at the bottom and right of both (C, H, W) images.

    Raises:
        UserError: If less than 11 px would be left.

    Source: liangjiandeng/DLPan-Toolbox@a34f884 indexes_evaluation.m, dim_cut = 21: ``21:end-21``.
    """
    height, width = truth.shape[-2:]
    if min(height, width) < 52:
        raise UserError(f"image is {height}x{width} px, the pan metrics cut 41 px; use images of at least 52 px a side")
    return truth[..., 20:-21, 20:-21], restored[..., 20:-21, 20:-21]


def spectral_angle(truth: Array, restored: Array) -> float:
    """SAM: mean angle in degrees between the spectra of a pixel; pixels with an empty spectrum are left out.

    Source: Yuhas et al. 1992; DLPan-Toolbox@a34f884 Quality_Indices/SAM.m.
    """
    truth, restored = np.asarray(truth, dtype=np.float64), np.asarray(restored, dtype=np.float64)
    lengths = np.sqrt((truth**2).sum(axis=0) * (restored**2).sum(axis=0))
    counted = lengths > 0
    cosines = (truth * restored).sum(axis=0)[counted] / lengths[counted]
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1)).mean())) if counted.any() else 0.0


def ergas(truth: Array, restored: Array, ratio: int = 4) -> float:
    """Relative dimensionless global error, 0 at best: ``100/ratio * sqrt(mean_b(MSE_b / mean_b(truth)^2))``.

    Source: Wald 2000; DLPan-Toolbox@a34f884 Quality_Indices/ERGAS.m.
    """
    truth, restored = np.asarray(truth, dtype=np.float64), np.asarray(restored, dtype=np.float64)
    errors = ((truth - restored) ** 2).mean(axis=(1, 2))
    return float(100 / ratio * np.sqrt(np.mean(errors / truth.mean(axis=(1, 2)) ** 2)))


def quality_index(truth: Array, restored: Array, window_px: int = 32) -> float:
    """Q: universal image quality index in sliding uniform windows (stride 1, inside), mean of maps, then of bands.

    Source: Wang & Bovik, IEEE SPL 9(3), 2002; DLPan-Toolbox@a34f884 Quality_Indices/Q.m, img_qi.m.
    """
    truth, restored = np.asarray(truth, dtype=np.float64), np.asarray(restored, dtype=np.float64)
    pixels = window_px**2
    sum_t, sum_r = _window_sums(truth, window_px), _window_sums(restored, window_px)
    squares = sum_t**2 + sum_r**2
    spread = pixels * _window_sums(truth**2 + restored**2, window_px) - squares
    covariance = pixels * _window_sums(truth * restored, window_px) - sum_t * sum_r
    return float(_quality(covariance, sum_t * sum_r, spread, squares).mean())


def _quality(covariance: Array, product: Array, spread: Array, squares: Array) -> Array:
    """Wang-Bovik index; a flat pair is judged by its means alone, an empty pair is equal."""
    bias = np.divide(2 * product, squares, out=np.ones_like(squares), where=squares != 0)
    return bias * np.divide(2 * covariance, spread, out=np.ones_like(spread), where=spread != 0)


def _window_sums(values: Array, window: int) -> Array:
    for axis in (-2, -1):
        kept = values.shape[axis] - window + 1
        # Summed tap by tap: running sums would leave rounding where a window is flat.
        total = np.zeros_like(np.take(values, range(kept), axis))
        for start in range(window):
            total += np.take(values, range(start, start + kept), axis)
        values = total
    return values


def spatial_correlation(truth: Array, restored: Array) -> float:
    """SCC: cosine (not centred) between the Sobel magnitudes of all bands together, 1 at best.

    One pixel is dropped all round first; the gradients see zeros outside.

    Source: Zhou et al. 1998; DLPan-Toolbox@a34f884 Quality_Indices/SCC.m.
    """
    edges_t, edges_r = _edges(truth), _edges(restored)
    return float((edges_t * edges_r).sum() / np.sqrt((edges_t**2).sum() * (edges_r**2).sum()))


def _edges(image: Array) -> Array:
    from scipy.ndimage import correlate

    inner = np.asarray(image, dtype=np.float64)[:, 1:-1, 1:-1]
    return np.hypot(*(correlate(inner, kernel[None], mode="constant") for kernel in (_SOBEL, _SOBEL.T)))
