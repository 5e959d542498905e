"""Classical pan-sharpening: EXP, and two that swap a component of the bands for PAN (Brovey, GSA).

The functions take ``upsampled`` (C,H,W), ``pan`` (1,H,W) and, for GSA, ``coarse`` (C,h,w), all on one scale, and return
(C,H,W) float64 on that scale. Nothing is clipped.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pydantic

from sfigf.degrade.exp import decimate
from sfigf.degrade.mtf import binomial_low_pass
from sfigf.interface import Array, Kind, Sample, UserError
from sfigf.methods.classic.pan_statistics import whole
from sfigf.registry import register


def brovey(upsampled: Array, pan: Array) -> Array:
    """Multiply each band by PAN over intensity, PAN matched to the intensity's mean and deviation first.

    The intensity is the mean of the bands. Values are expected to be about [0,1]: 1e-8 keeps the quotient finite.

    Source: Gillespie et al. 1987; codegaj/py_pansharpening methods/Brovey.py without its clip.
    """
    bands, sharp = np.asarray(upsampled, dtype=np.float64), np.asarray(pan, dtype=np.float64)
    intensity = bands.mean(axis=0)
    matched = (sharp[0] - sharp.mean()) * intensity.std() / sharp.std() + intensity.mean()
    return bands * matched / (intensity + 1e-8)


def gram_schmidt_adaptive(upsampled: Array, pan: Array, coarse: Array, ratio: int | None = None) -> Array:
    """GSA: replace the intensity that best explains PAN on the coarse grid, band by band with its own gain.

    ``ratio`` is how many times finer PAN is; None tells it by the sizes. Where a side is no whole multiple of it, the
    last row or column is repeated.

    Raises:
        UserError: If the coarse grid does not cover the PAN grid.

    Source: Aiazzi et al., IEEE TGRS 45(10), 2007; liangjiandeng/DLPan-Toolbox@a34f884 GS/GSA.m.
    """
    bands, low = np.asarray(upsampled, dtype=np.float64), np.asarray(coarse, dtype=np.float64)
    detail = np.asarray(pan[0], dtype=np.float64) - np.mean(pan, dtype=np.float64)
    ratio = ratio or max(1, bands.shape[1] // low.shape[1])
    if low.shape[1:] != tuple(-(-side // ratio) for side in bands.shape[1:]):
        sides = f"bands {bands.shape[1:]}, coarse grid {low.shape[1:]}"
        raise UserError(f"GSA: {sides} at a ratio of {ratio} do not cover the same ground; crop one of them")
    low_pan = decimate(binomial_low_pass(whole(detail, ratio), ratio), ratio)
    centred = _centred(low).reshape(len(low), -1)
    design = np.vstack([centred, np.ones(centred.shape[1])]).T
    shares = np.linalg.lstsq(design, low_pan.ravel(), rcond=None)[0][:-1]
    spread = _centred(bands)
    # The regression's constant drops out: the intensity is centred.
    intensity = np.tensordot(shares, spread, axes=1)
    gains = (spread * intensity).mean(axis=(1, 2)) / intensity.var()
    return bands + gains[:, None, None] * (detail - intensity)


def _centred(bands: Array) -> Array:
    return bands - bands.mean(axis=(1, 2), keepdims=True)


class PanMethod(pydantic.BaseModel, frozen=True, extra="forbid"):
    """What the classical pan-sharpening methods share."""

    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    kind: ClassVar[Kind] = "classical"


@register("method")
class Exp(PanMethod, frozen=True):
    """EXP: the bands as upsampled by the 23-tap filter, PAN unused; the floor of every pan table."""

    name: ClassVar[str] = "exp"
    source: ClassVar[str] = "Aiazzi et al., IEEE TGRS 40(10), 2002"
    proof: ClassVar[str] = "DLPan-Toolbox@a34f884 EXP run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``."""
        return np.array(sample.target, dtype=np.float32)


@register("method")
class Brovey(PanMethod, frozen=True):
    """Brovey transform; see ``brovey``."""

    name: ClassVar[str] = "brovey"
    source: ClassVar[str] = "Gillespie et al., Remote Sensing of Environment 22, 1987"
    proof: ClassVar[str] = "py_pansharpening's Brovey without its clip, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``."""
        return brovey(sample.target, sample.guide).astype(np.float32)


@register("method")
class Gsa(PanMethod, frozen=True):
    """Gram-Schmidt adaptive; see ``gram_schmidt_adaptive``."""

    name: ClassVar[str] = "gsa"
    source: ClassVar[str] = "Aiazzi et al., IEEE TGRS 45(10), 2007"
    proof: ClassVar[str] = "DLPan-Toolbox@a34f884 GSA.m run in Octave, 8 bands"

    def restore(self, sample: Sample) -> Array:
        """Return (C,H,W) float32 on the scale of ``sample.target``.

        Raises:
            UserError: If the sample has no coarse bands.
        """
        if sample.coarse is None:
            raise UserError(f"image '{sample.name}' has no coarse bands, GSA fits its weights there; degrade it again")
        ratio = sample.meta.get("factor")
        return gram_schmidt_adaptive(sample.target, sample.guide, sample.coarse, ratio).astype(np.float32)
