"""Multi-focus fusion by discrete wavelets: the stronger coefficient wins."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from sfigf.interface import Array, Kind, Sample
from sfigf.registry import register

# Analysis low-pass of the symlet with four vanishing moments: Daubechies, Ten Lectures on Wavelets, 1992, table 6.3.
_LOW = np.array(
    [
        -0.07576571478927333,
        -0.02963552764599851,
        0.49761866763201545,
        0.8037387518059161,
        0.29785779560527736,
        -0.09921954357684722,
        -0.012603967262037833,
        0.0322231006040427,
    ]
)
_HIGH = _LOW[::-1] * (-1.0) ** np.arange(1, 9)
_TAPS = len(_LOW)


def analyse(images: Array) -> tuple[Array, Array]:
    """Take one level of the transform along both last axes; edge pixels are mirrored, themselves included.

    Args:
        images: (...,H,W) float64.

    Returns:
        Low-pass (...,h,w) and details (3,...,h,w): high-pass along the last axis, the one before, both. h is (H+7)//2.
    """
    (low, columns), (rows, both) = (_split(half, -1) for half in _split(images, -2))
    return low, np.stack([columns, rows, both])


def synthesise(low: Array, details: Array, size: tuple[int, ...]) -> Array:
    """Undo ``analyse``: return the images (...,H,W) of that size."""
    columns, rows, both = details
    smooth, rough = _join(low, columns, size[-1], -1), _join(rows, both, size[-1], -1)
    return _join(smooth, rough, size[-2], -2)


def _split(values: Array, axis: int) -> tuple[Array, Array]:
    values = np.moveaxis(values, axis, -1)
    margin = [(0, 0)] * (values.ndim - 1) + [(_TAPS - 1, _TAPS - 1)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, margin, mode="symmetric"), _TAPS, axis=-1)
    low, high = (np.moveaxis(windows[..., 1::2, :] @ taps[::-1], -1, axis) for taps in (_LOW, _HIGH))
    return low, high


def _join(low: Array, high: Array, size: int, axis: int) -> Array:
    """Return the ``size`` samples that ``_split`` came from: the filters are orthonormal, so they serve both ways."""
    low, high = np.moveaxis(low, axis, -1), np.moveaxis(high, axis, -1)
    spread = np.zeros((*low.shape[:-1], 2 * low.shape[-1] + _TAPS - 2))
    for tap in range(_TAPS):
        place = slice(_TAPS - 1 - tap, _TAPS - 1 - tap + 2 * low.shape[-1], 2)
        spread[..., place] += _LOW[tap] * low + _HIGH[tap] * high
    return np.moveaxis(spread[..., _TAPS - 2 : _TAPS - 2 + size], -1, axis)


def stronger(detail_a: Array, detail_b: Array) -> Array:
    """Return, place by place, the coefficient of the larger magnitude; the first wins a tie."""
    return np.where(np.abs(detail_a) >= np.abs(detail_b), detail_a, detail_b)


@register("method")
class Dwt(BaseModel, frozen=True, extra="forbid"):
    """Of two wavelet transforms keep each place's stronger detail; average the coarsest low-pass.

    Each colour channel is fused by itself. Wavelet sym4, mirrored border.
    """

    name: ClassVar[str] = "dwt"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "classical"
    source: ClassVar[str] = "Li, Manjunath, Mitra, Graphical Models and Image Processing 57(3), 1995"
    proof: ClassVar[str] = "PyWavelets 1.9, sym4, symmetric: 1e-15; perfect reconstruction; a case by hand"
    levels: int = Field(4, ge=1, description="detail levels; fewer where the image is too small for them")

    def restore(self, sample: Sample) -> Array:
        """Return the fused image (3,H,W) in [0,1]."""
        low_a, low_b = (image.astype(np.float64) for image in (sample.target, sample.guide))
        details: list[tuple[Array, tuple[int, ...]]] = []
        while len(details) < self.levels and min(low_a.shape[1:]) >= _TAPS:
            size = low_a.shape[1:]
            (low_a, detail_a), (low_b, detail_b) = analyse(low_a), analyse(low_b)
            details.append((stronger(detail_a, detail_b), size))
        fused = (low_a + low_b) / 2
        for detail, size in reversed(details):
            fused = synthesise(fused, detail, size)
        return np.clip(fused, 0, 1).astype(np.float32)
