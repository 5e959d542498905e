"""Visual information fidelity in the pixel domain, of a fused image against each of its sources."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, UserError

_NOISE = 2.0  # variance of the visual noise, in squared levels
_TINY = 1e-10
_SMALLEST_PX = 96


def visual_information_sum(first: Array, second: Array, fused: Array) -> float:
    """VIF: ``visual_information`` against the first source plus that against the second, about 0..2.

    Args:
        first: (C, H, W), 0..255.
        second: (C, H, W), 0..255.
        fused: (C, H, W), 0..255.

    Raises:
        UserError: If a side is below 96 px.

    Source: Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 vifp_mscale.m, called once for each source.
    """
    return visual_information(first, fused) + visual_information(second, fused)


def visual_information(reference: Array, image: Array) -> float:
    """VIFp, 1 where both are equal, above 1 where ``image`` has more contrast: four scales, mean over the channels.

    The reference code comes first: order matters. A reference flat everywhere holds no information: 1.

    Args:
        reference: (C, H, W), 0..255.
        image: (C, H, W), 0..255.

    Raises:
        UserError: If a side is below 96 px.

    Source: Sheikh & Bovik, IEEE TIP 15(2), 2006; the authors' pixel-domain code vifp_mscale.m.
    """
    reference, image = np.asarray(reference, dtype=np.float64), np.asarray(image, dtype=np.float64)
    height, width = reference.shape[1:]
    if min(height, width) < _SMALLEST_PX:
        raise UserError(f"image is {height}x{width} px, VIF needs {_SMALLEST_PX} px a side; use larger images")
    seen = told = np.zeros(len(reference))
    for scale in range(4):
        taps = _gaussian(2 ** (4 - scale) + 1)
        if scale:
            reference, image = (_valid(values, taps)[:, ::2, ::2] for values in (reference, image))
        told_here, seen_here = _information(reference, image, taps)
        told, seen = told + told_here, seen + seen_here
    return float(np.divide(told, seen, out=np.ones_like(seen), where=seen > 0).mean())


def _information(reference: Array, image: Array, taps: Array) -> tuple[Array, Array]:
    """Return what the image tells of the reference and what there was to tell, per channel."""
    mean_r, mean_i = _valid(reference, taps), _valid(image, taps)
    variance_r = np.maximum(_valid(reference**2, taps) - mean_r**2, 0)
    variance_i = np.maximum(_valid(image**2, taps) - mean_i**2, 0)
    covariance = _valid(reference * image, taps) - mean_r * mean_i
    gain = covariance / (variance_r + _TINY)
    rest = variance_i - gain * covariance
    flat_r, flat_i = variance_r < _TINY, variance_i < _TINY
    gain[flat_r | flat_i] = 0
    rest[flat_r] = variance_i[flat_r]
    rest[flat_i] = 0
    inverted = gain < 0
    rest[inverted] = variance_i[inverted]
    gain[inverted] = 0
    variance_r[flat_r] = 0
    told = np.log10(1 + gain**2 * variance_r / (np.maximum(rest, _TINY) + _NOISE))
    return told.sum(axis=(1, 2)), np.log10(1 + variance_r / _NOISE).sum(axis=(1, 2))


def _gaussian(size: int) -> Array:
    """Return ``size`` taps of a Gaussian of standard deviation size/5, with sum 1."""
    taps = np.exp(-0.5 * ((np.arange(size) - size // 2) / (size / 5)) ** 2)
    return taps / taps.sum()


def _valid(values: Array, taps: Array) -> Array:
    """Filter both axes; keep what needs no pixel outside."""
    from scipy.ndimage import correlate1d

    radius = len(taps) // 2
    inner = slice(radius, -radius)
    return correlate1d(correlate1d(values, taps, axis=1), taps, axis=2)[:, inner, inner]
