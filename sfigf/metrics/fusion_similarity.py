"""Structural similarity of a fused image to its sources: summed over them, or to the strongest of them."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, UserError
from sfigf.metrics.display import ssim

_WINDOW_PX = 11
_PIXELS = _WINDOW_PX**2
_CONSTANT = (0.03 * 255) ** 2
_WEIGHTS = np.array([0.0448, 0.2856, 0.3001])
_EPS = np.finfo(float).eps


def structural_similarity_sum(first: Array, second: Array, fused: Array) -> float:
    """SSIM of the fused image with the first source plus that with the second, -2..2; colour: mean over the channels.

    Args:
        first: (C, H, W) or (1, H, W), 0..255; both sides at least 11.
        second: (C, H, W) or (1, H, W), 0..255.
        fused: (C, H, W), 0..255.

    Source: xingchenzhang/VIFB@22b2ea9 metrics/metricsSsim.m (Wang et al. 2004, as ``ssim``; a sum, not a mean).
    """
    shape = np.asarray(fused).shape
    return sum(ssim(np.broadcast_to(source, shape), fused, 255) for source in (first, second))


def multi_scale_structure(first: Array, second: Array, fused: Array) -> float:
    """MS-SSIM of multi-exposure fusion (MEF), about 0..1, 1 at best, mean over the channels.

    In every 11x11 window the patches that the sources would ideally give are mixed by their contrast; the fused
    patch is compared with that mixture in structure and contrast, not in brightness. A negative mean of a scale
    counts as 0 (the reference gives a complex number there).

    Args:
        first: (C, H, W), 0..255.
        second: (C, H, W), 0..255.
        fused: (C, H, W), 0..255.

    Raises:
        UserError: If a side is below 44 px.

    Source: Ma, Zeng & Wang, IEEE TIP 24(11), 2015; the authors' code as in
    Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 analysis_ms_ssim.m, mef_ssim.m.
    """
    images = [np.asarray(image, dtype=np.float64) for image in (first, second, fused)]
    height, width = images[2].shape[1:]
    if min(height, width) < 4 * _WINDOW_PX:
        raise UserError(f"image is {height}x{width} px, MS-SSIM needs {4 * _WINDOW_PX} px a side; use larger images")
    product = np.ones(len(images[2]))
    for weight in _WEIGHTS / _WEIGHTS.sum():
        product *= np.maximum(_structure(*images), 0) ** weight
        images = [_halved(image) for image in images]
    return float(product.mean())


def _halved(image: Array) -> Array:
    """Mean of 2x2 pixels, borders mirrored, every other pixel kept."""
    padded = np.pad(image, ((0, 0), (0, 1), (0, 1)), mode="symmetric")
    means = padded[:, :-1, :-1] + padded[:, 1:, :-1] + padded[:, :-1, 1:] + padded[:, 1:, 1:]
    return means[:, ::2, ::2] / 4


def _structure(first: Array, second: Array, fused: Array) -> Array:
    """Mean over all windows, per channel.

    The wanted patch is ``scale * (a x + b y)`` up to a constant, with one a, b, scale a window: so its moments are
    quadratic forms of the moments of x and y, and no patch is ever built.
    """
    a, b, scale = _mixture(first, second)
    first_first, first_second, second_second = (
        _covariance(*pair) for pair in ((first, first), (first, second), (second, second))
    )
    wanted = scale**2 * (a**2 * first_first + 2 * a * b * first_second + b**2 * second_second)
    shared = scale * (a * _covariance(first, fused) + b * _covariance(second, fused))
    quality = (2 * shared + _CONSTANT) / (wanted + _covariance(fused, fused) + _CONSTANT)
    return quality.mean(axis=(1, 2))


def _mixture(first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Return the shares of either source and the scale that gives their mixture the stronger contrast of the two."""
    powers = _scatter(first, first), _scatter(second, second)
    cross = _scatter(first, second)
    norms = [np.sqrt(np.maximum(power, 0)) for power in powers]
    total = np.sqrt(np.maximum(powers[0] + powers[1] + 2 * cross, 0))
    consistency = np.clip((total + _EPS) / (norms[0] + norms[1] + _EPS), _EPS, 1 - _EPS)
    exponent = np.minimum(np.tan(np.pi / 2 * consistency), 10)
    contrasts = [norm + 0.001 for norm in norms]
    weights = [(contrast / _WINDOW_PX) ** exponent + _EPS for contrast in contrasts]
    a, b = (weight / (weights[0] + weights[1]) / c for weight, c in zip(weights, contrasts, strict=True))
    length = np.sqrt(np.maximum(a**2 * powers[0] + 2 * a * b * cross + b**2 * powers[1], 0))
    scale = np.divide(np.maximum(*contrasts), length, out=np.ones_like(length), where=length > 0)
    return a, b, scale


def _scatter(x: Array, y: Array) -> Array:
    """Sum of (x - mean x)(y - mean y) in every window; exact, for the images hold multiples of 1/16."""
    return _sums(x * y) - _sums(x) * _sums(y) / _PIXELS


def _sums(image: Array) -> Array:
    return _filtered(image, np.ones(_WINDOW_PX))


def _covariance(x: Array, y: Array) -> Array:
    """Gaussian-weighted covariance in every window."""
    taps = np.exp(-0.5 * ((np.arange(_WINDOW_PX) - _WINDOW_PX // 2) / 1.5) ** 2)
    taps /= taps.sum()
    return _filtered(x * y, taps) - _filtered(x, taps) * _filtered(y, taps)


def _filtered(image: Array, taps: Array) -> Array:
    from scipy.ndimage import correlate1d

    inner = slice(_WINDOW_PX // 2, -(_WINDOW_PX // 2))
    return correlate1d(correlate1d(image, taps, axis=1), taps, axis=2)[:, inner, inner]
