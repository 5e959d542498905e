"""Classical pan-sharpening that weighs the bands against PAN as it is: GS, BT-H and BDSD-PC.

The functions take ``upsampled`` (C,H,W) and ``pan`` (1,H,W) on one scale and return (C,H,W) float64 on that scale.
Nothing is clipped. Formulas as in liangjiandeng/DLPan-Toolbox@a34f884; any size, the last row and column repeated up
to whole coarse pixels.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sfigf.degrade.exp import decimate, reduce_bicubic
from sfigf.degrade.mtf import filter_bands, gaussian_kernel
from sfigf.interface import Array, Sample
from sfigf.methods.classic.pan import PanMethod
from sfigf.methods.classic.pan_statistics import (
    centred,
    covariance,
    gain,
    kernels_of,
    matched,
    pan_kernel_of,
    quotient,
    ratio_of,
    whole,
)
from sfigf.registry import register

_TOOLBOX = "DLPan-Toolbox@a34f884"
_EPS = np.finfo(float).eps
# Haze over blue, green, red and near infrared: shares of each band's first percentile.
_HAZE_SHARES = np.array([0.95, 0.45, 0.40, 0.05])


def gram_schmidt(upsampled: Array, pan: Array) -> Array:
    """GS: replace the mean of the bands by PAN of the same mean and deviation, each band with its own gain.

    Source: US patent 6011875 (Eastman Kodak), 2000; GS/GS.m.
    """
    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    spread = centred(bands)
    intensity = spread.mean(axis=0, keepdims=True)
    gains = quotient(covariance(spread, intensity), covariance(intensity, intensity))
    return bands + gains * (matched(sharp, intensity) - intensity)


def brovey_without_haze(upsampled: Array, pan: Array, ratio: int) -> Array:
    """BT-H: take the haze off the bands, multiply them by PAN over the intensity that explains it, put the haze back.

    Four bands are taken to be blue, green, red and near infrared; of another number each band's haze is its minimum.

    Source: Lolli, Alparone, Garzelli, Vivone, IEEE GRSL 14(12), 2017; BT-H/BroveyRegHazeMin.m.
    """
    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    blurred = filter_bands(sharp, gaussian_kernel(ratio)[None])
    shares = np.linalg.lstsq(bands.reshape(len(bands), -1).T, blurred.ravel(), rcond=None)[0]
    haze = _haze(bands)
    intensity = np.tensordot(shares, bands - haze, axes=1)[None]
    matching = (sharp - blurred.mean()) * gain(intensity, blurred) + intensity.mean()
    return np.maximum(bands - haze, 0) * (matching / (intensity + _EPS)) + haze


def _haze(bands: Array) -> Array:
    if len(bands) != len(_HAZE_SHARES):
        return bands.min(axis=(1, 2), keepdims=True)
    # The percentile as MATLAB's prctile interpolates it.
    return _HAZE_SHARES[:, None, None] * np.percentile(bands, 1, axis=(1, 2), keepdims=True, method="hazen")


def band_dependent_detail(upsampled: Array, pan: Array, kernels: Array, pan_kernel: Array, ratio: int) -> Array:
    """BDSD-PC: to each band add the mix of PAN and bands that, one scale coarser, best explains its lost detail.

    PAN's share is not negative, those of the bands not positive.

    Args:
        upsampled: (C,H,W).
        pan: (1,H,W).
        kernels: (C,k,k), the MTF of the bands.
        pan_kernel: (1,k,k), that of PAN.
        ratio: Fine pixels per coarse pixel.

    Source: Vivone, IEEE TGRS 57(9), 2019; BDSD/BDSD_PC.m.
    """
    from scipy.optimize import nnls

    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    coarse = reduce_bicubic(whole(bands, ratio), ratio)
    blurred = filter_bands(coarse, kernels)
    low_pan = decimate(filter_bands(whole(sharp, ratio), pan_kernel), ratio)
    design = np.concatenate([low_pan, -blurred]).reshape(len(bands) + 1, -1).T
    shares = np.stack([nnls(design, lost.ravel())[0] for lost in coarse - blurred])
    return bands + np.tensordot(shares, np.concatenate([sharp, -bands]), axes=1)


@register("method")
class GramSchmidt(PanMethod, frozen=True):
    """Gram-Schmidt, the mean of the bands as the intensity; see ``gram_schmidt``."""

    name: ClassVar[str] = "gs"
    source: ClassVar[str] = "US patent 6011875 (Eastman Kodak), 2000"
    proof: ClassVar[str] = f"{_TOOLBOX} GS.m run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``."""
        return gram_schmidt(sample.target, sample.guide).astype(np.float32)


@register("method")
class BroveyHaze(PanMethod, frozen=True):
    """Brovey transform with haze correction; see ``brovey_without_haze``."""

    name: ClassVar[str] = "bt-h"
    source: ClassVar[str] = "Lolli, Alparone, Garzelli, Vivone, IEEE GRSL 14(12), 2017"
    proof: ClassVar[str] = f"{_TOOLBOX} BroveyRegHazeMin.m run in Octave, 8 bands; four bands by hand"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample does not say how much finer PAN is.
        """
        return brovey_without_haze(sample.target, sample.guide, ratio_of(sample)).astype(np.float32)


@register("method")
class BdsdPc(PanMethod, frozen=True):
    """Band-dependent spatial detail with physical constraints; see ``band_dependent_detail``."""

    name: ClassVar[str] = "bdsd-pc"
    source: ClassVar[str] = "Vivone, IEEE TGRS 57(9), 2019"
    proof: ClassVar[str] = f"{_TOOLBOX} BDSD_PC.m run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample does not say how much finer PAN is.
        """
        kernels, pan_kernel = kernels_of(sample), pan_kernel_of(sample)
        fused = band_dependent_detail(sample.target, sample.guide, kernels, pan_kernel, ratio_of(sample))
        return fused.astype(np.float32)
