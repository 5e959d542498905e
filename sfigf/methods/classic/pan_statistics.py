"""What classical pan-sharpening asks of images: deviations, gains, matching, and the low-pass a sensor applies.

Arrays are (..., H, W) float64. A flat image has no deviation at all: what would be 0/0 is 0.
"""

from __future__ import annotations

import numpy as np

from sfigf.degrade.exp import decimate, interp23tap
from sfigf.degrade.mtf import filter_bands, gains_of, mtf_kernels
from sfigf.interface import Array, Sample, UserError

# Contrast that the panchromatic band keeps at the Nyquist frequency of the bands' grid. Source:
# liangjiandeng/DLPan-Toolbox@a34f884 Tools/genMTF_PAN.m; the last is its value for a sensor "none".
PAN_GAINS: dict[str, float] = {
    "quickbird": 0.15,
    "ikonos": 0.17,
    "geoeye1": 0.16,
    "worldview4": 0.16,
    "worldview2": 0.11,
    "worldview3": 0.14,
}
_OTHER_PAN_GAIN = 0.15
_FLAT = 1e-12


def centred(images: Array) -> Array:
    """Take the mean off each image; exactly 0 where an image is flat, to the noise of a Fourier transform."""
    flat = np.ptp(images, axis=(-2, -1), keepdims=True) <= _FLAT * np.abs(images).max(axis=(-2, -1), keepdims=True)
    return np.where(flat, 0.0, images - images.mean(axis=(-2, -1), keepdims=True))


def covariance(first: Array, second: Array) -> Array:
    """Return the covariance of centred images, (..., 1, 1)."""
    return (first * second).mean(axis=(-2, -1), keepdims=True)


def quotient(top: Array, bottom: Array) -> Array:
    """Return ``top / bottom``, 0 where the bottom is 0."""
    top, bottom = np.broadcast_arrays(top, bottom)
    return np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)


def gain(wanted: Array, image: Array) -> Array:
    """Return the deviation of ``wanted`` over that of ``image``, (..., 1, 1)."""
    spread, own = centred(wanted), centred(image)
    return np.sqrt(quotient(covariance(spread, spread), covariance(own, own)))


def matched(image: Array, wanted: Array, measured: Array | None = None) -> Array:
    """Give an image the mean and deviation of ``wanted``; its own deviation is that of ``measured`` where given."""
    stretch = gain(wanted, image if measured is None else measured)
    return centred(image) * stretch + wanted.mean(axis=(-2, -1), keepdims=True)


def whole(images: Array, ratio: int) -> Array:
    """Repeat the last row and column until both sides are whole multiples of ``ratio``."""
    margins = [(0, 0)] * (images.ndim - 2) + [(0, -side % ratio) for side in images.shape[-2:]]
    return np.pad(images, margins, mode="edge")


def low_pass(bands: Array, kernels: Array, ratio: int) -> Array:
    """Return what is left of (C,H,W) on the coarse grid: filtered with (C,k,k), decimated, 23-tap upsampled again.

    Raises:
        UserError: If the ratio is not 1, 2 or 4.
    """
    height, width = bands.shape[1:]
    return interp23tap(decimate(filter_bands(whole(bands, ratio), kernels), ratio), ratio)[:, :height, :width]


def ratio_of(sample: Sample) -> int:
    """Return how many times finer PAN is than the bands.

    Raises:
        UserError: If the sample does not say.
    """
    if "factor" not in sample.meta:
        raise UserError(f"image '{sample.name}' does not say how much finer PAN is; add 'factor' to its facts")
    return int(sample.meta["factor"])


def kernels_of(sample: Sample) -> Array:
    """Return the (C,41,41) MTF kernels of a sample's bands; of the usual gain where it names none."""
    gains = sample.meta.get("gains") or gains_of(str(sample.meta.get("sensor", "")), len(sample.target))
    return mtf_kernels(gains, ratio_of(sample))


def pan_kernel_of(sample: Sample) -> Array:
    """Return the (1,41,41) MTF kernel of a sample's panchromatic band; 0.15 for a sensor without a published gain."""
    return mtf_kernels([PAN_GAINS.get(str(sample.meta.get("sensor", "")), _OTHER_PAN_GAIN)], ratio_of(sample))
