"""Classical pan-sharpening that adds or multiplies in what PAN has beyond its own low-pass: SFIM, MTF-GLP-FS and -HPM.

The functions take ``upsampled`` (C,H,W) and ``pan`` (1,H,W) on one scale and return (C,H,W) float64 on that scale.
Nothing is clipped. Any size, the last row and column repeated up to whole coarse pixels.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sfigf.degrade.mtf import filter_bands, gaussian_kernel
from sfigf.interface import Array, Sample
from sfigf.methods.classic.pan import PanMethod
from sfigf.methods.classic.pan_statistics import (
    centred,
    covariance,
    kernels_of,
    low_pass,
    matched,
    quotient,
    ratio_of,
)
from sfigf.registry import register

_TOOLBOX = "DLPan-Toolbox@a34f884"
_EPS = np.finfo(float).eps


def smoothing_filter_modulation(upsampled: Array, pan: Array, ratio: int) -> Array:
    """SFIM: multiply each band by PAN over its mean in a small window; PAN matched to the band first.

    The window is ``ratio`` px wide, one more where that is even, and wraps around the border. Values are expected to
    be about [0,1]: 1e-8 keeps the quotient finite.

    Source: Liu, Int. J. Remote Sensing 21(18), 2000; codegaj/py_pansharpening methods/SFIM.py without its clip.
    """
    from scipy.ndimage import uniform_filter

    bands = np.asarray(upsampled, dtype=np.float64)
    sharp = matched(np.asarray(pan, dtype=np.float64), bands)
    smooth = uniform_filter(sharp, ratio // 2 * 2 + 1, axes=(1, 2), mode="wrap")
    return bands * sharp / (smooth + 1e-8)


def laplacian_pyramid_regressed(upsampled: Array, pan: Array, kernels: Array, ratio: int) -> Array:
    """MTF-GLP-FS: add what PAN has beyond its low-pass by the sensor's MTF, the gain regressed at full scale.

    ``kernels`` (C,k,k) are the MTF of the bands.

    Source: Vivone, Restaino, Chanussot, IEEE TIP 27(7), 2018; DLPan-Toolbox@a34f884 GLP/MTF_GLP_FS.m.
    """
    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    low = low_pass(np.broadcast_to(sharp, bands.shape), kernels, ratio)
    around, spread = centred(sharp), centred(bands)
    gains = quotient(covariance(spread, around), covariance(centred(low), around))
    return bands + gains * (sharp - low)


def laplacian_pyramid_modulated(upsampled: Array, pan: Array, kernels: Array, ratio: int) -> Array:
    """MTF-GLP-HPM: multiply each band by PAN over its low-pass by the sensor's MTF; PAN matched to the band first.

    ``kernels`` (C,k,k) are the MTF of the bands.

    Source: Aiazzi et al., 2nd GRSS/ISPRS Workshop on Remote Sensing over Urban Areas, 2003; Vivone et al., IEEE GRSL
    11(5), 2014; DLPan-Toolbox@a34f884 GLP/MTF_GLP_HPM.m.
    """
    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    sharp = matched(sharp, bands, measured=filter_bands(sharp, gaussian_kernel(ratio)[None]))
    return bands * (sharp / (low_pass(sharp, kernels, ratio) + _EPS))


@register("method")
class Sfim(PanMethod, frozen=True):
    """Smoothing-filter-based intensity modulation; see ``smoothing_filter_modulation``."""

    name: ClassVar[str] = "sfim"
    source: ClassVar[str] = "Liu, Int. J. Remote Sensing 21(18), 2000"
    proof: ClassVar[str] = "py_pansharpening's SFIM without its clip, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample does not say how much finer PAN is.
        """
        return smoothing_filter_modulation(sample.target, sample.guide, ratio_of(sample)).astype(np.float32)


@register("method")
class MtfGlpFs(PanMethod, frozen=True):
    """Generalised Laplacian pyramid, full-scale regression; see ``laplacian_pyramid_regressed``."""

    name: ClassVar[str] = "mtf-glp-fs"
    source: ClassVar[str] = "Vivone, Restaino, Chanussot, IEEE TIP 27(7), 2018"
    proof: ClassVar[str] = f"{_TOOLBOX} MTF_GLP_FS.m run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample does not say how much finer PAN is.
        """
        kernels, ratio = kernels_of(sample), ratio_of(sample)
        return laplacian_pyramid_regressed(sample.target, sample.guide, kernels, ratio).astype(np.float32)


@register("method")
class MtfGlpHpm(PanMethod, frozen=True):
    """Generalised Laplacian pyramid, high-pass modulation; see ``laplacian_pyramid_modulated``."""

    name: ClassVar[str] = "mtf-glp-hpm"
    source: ClassVar[str] = "Vivone et al., IEEE GRSL 11(5), 2014"
    proof: ClassVar[str] = f"{_TOOLBOX} MTF_GLP_HPM.m run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample does not say how much finer PAN is.
        """
        kernels, ratio = kernels_of(sample), ratio_of(sample)
        return laplacian_pyramid_modulated(sample.target, sample.guide, kernels, ratio).astype(np.float32)
