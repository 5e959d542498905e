"""Low-pass filters of pan-sharpening: sensor MTF kernels, the plain Gaussian and the binomial wavelet filter.

A multispectral sensor passes a fraction ``gain`` of the contrast at the Nyquist frequency of its own grid. A Gaussian
with that gain stands for its modulation transfer function.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sfigf.interface import Array, UserError

# Gains at Nyquist. Source: liangjiandeng/DLPan-Toolbox@a34f884 Tools/genMTF.m; PAN: genMTF_PAN.m.
NYQUIST_GAINS: dict[str, tuple[float, ...]] = {
    "quickbird": (0.34, 0.32, 0.30, 0.22),
    "ikonos": (0.26, 0.28, 0.29, 0.28),
    "geoeye1": (0.23, 0.23, 0.23, 0.23),
    "worldview4": (0.23, 0.23, 0.23, 0.23),
    "worldview2": (0.35, 0.35, 0.35, 0.35, 0.35, 0.35, 0.35, 0.27),
    "worldview3": (0.325, 0.355, 0.360, 0.350, 0.365, 0.360, 0.335, 0.315),
}
# The value for a sensor without a published gain; the toolbox falls back on 0.30 instead.
OTHER_GAIN = 0.29
_SIZE = 41
_BINOMIAL = np.array([1.0, 4, 6, 4, 1]) / 16


def gains_of(sensor: str, bands: int) -> tuple[float, ...]:
    """Return the Nyquist gain of each band; ``OTHER_GAIN`` for a sensor without published ones.

    Raises:
        UserError: If the sensor is known but has another number of bands.
    """
    gains = NYQUIST_GAINS.get(sensor, (OTHER_GAIN,) * bands)
    if len(gains) != bands:
        raise UserError(f"sensor '{sensor}' has {len(gains)} bands, the image has {bands}; correct the sensor's name")
    return gains


def mtf_kernels(gains: Sequence[float], ratio: int) -> Array:
    """Return the (C, 41, 41) MTF-matched kernels of a sensor.

    Args:
        gains: Contrast each band keeps at the Nyquist frequency of the coarse grid, in (0, 1).
        ratio: Fine pixels per coarse pixel.

    Returns:
        float64 kernels. They are not normalised: each sums to 0.998 to 0.999, as in the reference.

    Raises:
        UserError: If a gain is outside (0, 1).

    Source: Aiazzi et al., PE&RS 72(5), 2006; DLPan-Toolbox@a34f884 Tools/genMTF.m (window method after Huang).
    """
    return np.stack([_windowed_gaussian(gain, cutoff=(_SIZE - 1) / ratio / 2) for gain in gains])


def gaussian_kernel(ratio: int, gain: float = 0.3) -> Array:
    """Return the (41, 41) kernel of LPfilterGauss: as ``mtf_kernels``, but with 41 frequency samples, not 40.

    Source: DLPan-Toolbox@a34f884 Tools/LPfilterGauss.m.
    """
    return _windowed_gaussian(gain, cutoff=_SIZE / ratio / 2)


def _windowed_gaussian(gain: float, cutoff: float) -> Array:
    if not 0 < gain < 1:
        raise UserError(f"a Nyquist gain lies between 0 and 1, not at {gain}; correct the gains")
    frequency = np.arange(_SIZE) - _SIZE // 2
    squared = frequency[:, None] ** 2 + frequency[None, :] ** 2
    response = np.exp(squared * np.log(gain) / cutoff**2)
    response[response < np.finfo(float).eps * response.max()] = 0
    impulse = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(response))).real
    return impulse * _round_window()


def _round_window() -> Array:
    """Kaiser window (beta 0.5) turned about its centre, zero outside radius 1."""
    axis = np.linspace(-1, 1, _SIZE)
    radius = np.hypot(axis[:, None], axis[None, :])
    return np.interp(radius, axis, np.kaiser(_SIZE, 0.5), right=0.0)


def filter_bands(image: Array, kernels: Array) -> Array:
    """Correlate each band of (C, H, W) with its own (C, k, k) kernel; the border pixels are repeated outwards.

    Returns:
        (C, H, W) float64, in the image's unit.
    """
    from scipy.signal import oaconvolve

    margin = kernels.shape[-1] // 2
    widened = np.pad(np.asarray(image, dtype=np.float64), ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    pairs = zip(widened, kernels[:, ::-1, ::-1], strict=True)
    return np.stack([oaconvolve(band, kernel, mode="valid") for band, kernel in pairs])


def binomial_low_pass(image: Array, ratio: int) -> Array:
    """Low-pass (..., H, W) with the undecimated wavelet of the kernel [1 4 6 4 1]/16, ``ceil(log2 ratio)`` levels.

    Inside the image two levels are a 17-tap binomial per axis. At the border each analysis level mirrors the signal
    anew about its already widened edge, which plain mirrored filtering would not do.

    Returns:
        (..., H, W) float64, in the image's unit.

    Source: DLPan-Toolbox@a34f884 Tools/LPfilter.m (Aiazzi et al. 2002; the low-pass of GSA and AWLP).
    """
    values = np.asarray(image, dtype=np.float64)
    levels = int(np.ceil(np.log2(ratio)))
    margins = [(0, 0)] * (values.ndim - 2) + [(4, 4), (4, 4)]
    for _ in range(levels):
        values = _smooth(np.pad(values, margins, mode="symmetric"))
    for _ in range(levels):
        values = _smooth(values)
    return values


def _smooth(values: Array) -> Array:
    """One pass of [1 4 6 4 1]/16 along both axes, two pixels lost on each side."""
    for axis in (-2, -1):
        size = values.shape[axis] - 4
        shifted = np.stack([np.take(values, range(start, start + size), axis) for start in range(5)])
        values = np.tensordot(_BINOMIAL, shifted, axes=1)
    return values
