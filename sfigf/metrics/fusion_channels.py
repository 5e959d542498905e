"""What the fusion measures written for one channel share: the channels, their stretch, gradients and local means."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from sfigf.interface import Array

Measure = Callable[[Array, Array, Array], float]

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def channel_mean(measure: Measure) -> Measure:
    """Let a measure of three (H, W) channels take (C, H, W) images: the mean over the channels.

    A source may have one channel where the fused image has more. A quotient 0/0 is NaN and makes the mean NaN.
    """

    @wraps(measure)
    def of_images(first: Array, second: Array, fused: Array) -> float:
        trio = np.broadcast_arrays(*(np.asarray(image, dtype=np.float64) for image in (first, second, fused)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.mean([measure(*channels) for channels in zip(*trio, strict=True)]))

    return of_images


def stretched(channel: Array) -> Array:
    """Stretch (H, W) to whole numbers 0..255, rounded half up; a constant channel becomes 0."""
    low, high = channel.min(), channel.max()
    return np.floor((channel - low) / ((high - low) or 1) * 255 + 0.5)


def sobel(channel: Array) -> tuple[Array, Array]:
    """Return the Sobel differences across and down of (H, W), zero outside the image."""
    from scipy.ndimage import correlate

    return correlate(channel, SOBEL, mode="constant"), correlate(channel, SOBEL.T, mode="constant")


def gaussian(radius: int, sigma: float) -> Array:
    """Return ``2 radius + 1`` samples of a Gaussian of ``sigma`` px that sum to 1."""
    weights = np.exp(-(np.arange(-radius, radius + 1.0) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def blurred(channel: Array, weights: Array) -> Array:
    """Weigh (H, W) with ``weights`` along rows and columns; same size, zero outside the image."""
    from scipy.ndimage import correlate1d

    return correlate1d(correlate1d(channel, weights, axis=0, mode="constant"), weights, axis=1, mode="constant")


def cycles(shape: tuple[int, ...]) -> Array:
    """Return how many cycles per picture each frequency of a Fourier transform of ``shape`` (H, W) stands for."""
    down, across = (np.fft.fftfreq(size, 1 / size) for size in shape)
    return np.hypot(down[:, None], across)
