"""Visual information fidelity among the wavelets of a steerable pyramid: the slower and original form of VIF."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sfigf.interface import Array, UserError

_BLOCK = 3
_NOISE = 0.4  # variance of the visual noise
_TINY = 1e-15
_SMALLEST_PX = 72

# Steerable pyramid filters of order 5 (matlabPyrTools sp5Filters), a quarter of each; the others follow by symmetry.
_FIRST_LOW = np.array(
    [[0.00341614, -0.01551246, -0.03848215], [-0.01551246, 0.05586982, 0.1592557], [-0.03848215, 0.1592557, 0.40304148]]
)
_LOW = 2 * np.array(
    [
        [0.00085404, -0.00244917, -0.00387812, -0.00944432, -0.00962054],
        [-0.00244917, -0.00523281, -0.00661117, 0.004106, 0.01002988],
        [-0.00387812, -0.00661117, 0.01396746, 0.03277038, 0.03981393],
        [-0.00944432, 0.004106, 0.03277038, 0.06426333, 0.08169618],
        [-0.00962054, 0.01002988, 0.03981393, 0.08169618, 0.1009654],
    ]
)
_BAND = np.array(
    [
        [0.00277643, 0.00496194, 0.01026699, 0.01455399],
        [-0.00986904, -0.00893064, 0.01189859, 0.02755155],
        [-0.01021852, -0.03075356, -0.08226445, -0.11732297],
        [0, 0, 0, 0],
    ]
)


def wavelet_information_sum(first: Array, second: Array, fused: Array) -> float:
    """Sum of ``wavelet_information`` of the fused image against the first source and against the second, about 0..2."""
    return wavelet_information(first, fused) + wavelet_information(second, fused)


def wavelet_information(reference: Array, image: Array) -> float:
    """VIF, 1 where both are equal: four levels, two of the six orientations, vectors of 3x3 wavelets, mean of channels.

    A reference flat everywhere holds no information: 1. The order matters.

    Args:
        reference: (C, H, W), 0..255.
        image: (C, H, W), 0..255.

    Raises:
        UserError: If a side is below 72 px.

    Source: Sheikh & Bovik, IEEE TIP 15(2), 2006; the authors' vifvec.m, as in
    thfylsty/Objective-evaluation-for-image-fusion@6f55732, with Simoncelli's pyramid (reflect1).
    """
    height, width = np.asarray(reference).shape[1:]
    if min(height, width) < _SMALLEST_PX:
        raise UserError(f"image is {height}x{width} px, this VIF needs {_SMALLEST_PX} px a side; use larger images")
    return float(np.mean([_of_channel(r, i) for r, i in zip(reference, image, strict=True)]))


def _of_channel(reference: Array, image: Array) -> float:
    told = seen = 0.0
    for (level, band), (_, other) in zip(_bands(reference), _bands(image), strict=True):
        told_here, seen_here = _information(band, other, window=2 ** (4 - level) + 1)
        told, seen = told + told_here, seen + seen_here
    return told / seen if seen else 1.0


def _bands(channel: Array) -> Iterator[tuple[int, Array]]:
    """Yield level and wavelets, whole blocks only; the sign of a band is of no account."""
    low = _filtered(np.asarray(channel, dtype=np.float64), _whole(_FIRST_LOW, 1))
    for level in range(4):
        for kernel in (_whole(_BAND, -1), _whole(_BAND, -1).T):
            band = _filtered(low, kernel)
            yield level, band[: band.shape[0] // _BLOCK * _BLOCK, : band.shape[1] // _BLOCK * _BLOCK]
        low = _filtered(low, _whole(_LOW, 1))[::2, ::2]


def _whole(quarter: Array, sign: int) -> Array:
    half = np.concatenate([quarter, quarter[:, -2::-1]], axis=1)
    return np.concatenate([half, sign * half[-2::-1]])


def _filtered(image: Array, kernel: Array) -> Array:
    from scipy.ndimage import correlate

    return correlate(image, kernel, mode="mirror")


def _information(reference: Array, image: Array, window: int) -> tuple[float, float]:
    """Return what a band of the image tells of the reference's and what there was to tell, borders left out."""
    powers, eigenvalues = _field(reference)
    gain, noise = _channel(reference, image, window)
    border = -(-(window // 2) // _BLOCK)
    inner = (slice(border, -border),) * 2
    signal = powers[inner][..., None] * eigenvalues
    told = np.log2(1 + (gain[inner] ** 2 / (noise[inner] + _NOISE))[..., None] * signal)
    return float(told.sum()), float(np.log2(1 + signal / _NOISE).sum())


def _field(band: Array) -> tuple[Array, Array]:
    """Return the local power of every block and the eigenvalues of the covariance of all 3x3 neighbourhoods."""
    vectors = np.lib.stride_tricks.sliding_window_view(band, (_BLOCK, _BLOCK)).reshape(-1, _BLOCK**2)
    covariance = np.cov(vectors, rowvar=False, bias=True)
    rows, columns = band.shape[0] // _BLOCK, band.shape[1] // _BLOCK
    blocks = band.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows, columns, _BLOCK**2)
    powers = ((blocks @ np.linalg.pinv(covariance, hermitian=True)) * blocks).sum(axis=-1) / _BLOCK**2
    return powers, np.linalg.eigvalsh(covariance)


def _channel(reference: Array, image: Array, window: int) -> tuple[Array, Array]:
    """Return gain and noise of the channel from reference to image, around the middle of every block."""
    pixels = window**2
    mean_r, mean_i = _sums(reference, window) / pixels, _sums(image, window) / pixels
    scatter_r = np.maximum(_sums(reference**2, window) - pixels * mean_r**2, 0)
    scatter_i = np.maximum(_sums(image**2, window) - pixels * mean_i**2, 0)
    shared = _sums(reference * image, window) - pixels * mean_r * mean_i
    gain = shared / (scatter_r + _TINY)
    noise = (scatter_i - gain * shared) / pixels
    flat_r, flat_i = scatter_r < _TINY, scatter_i < _TINY
    noise[flat_r] = scatter_i[flat_r]
    gain[flat_r | flat_i] = 0
    noise[flat_i] = 0
    noise[gain < 0] = scatter_i[gain < 0]
    return np.maximum(gain, 0), np.maximum(noise, _TINY)


def _sums(band: Array, window: int) -> Array:
    from scipy.ndimage import correlate1d

    ones = np.ones(window)
    middle = slice(_BLOCK // 2, None, _BLOCK)
    return correlate1d(correlate1d(band, ones, axis=0, mode="mirror"), ones, axis=1, mode="mirror")[middle, middle]
