"""What a network is given of people's own images, for any region of the grid it works on.

A region's values are those that the whole image has there, to float precision: whatever an upsampling reaches for
beyond the region is read along with it.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np

from sfigf.images import to_unit
from sfigf.interface import Array, Sample, UserError
from sfigf.own.options import Options, factor_of
from sfigf.own.source import KnownImage, Source, held
from sfigf.regions import Region

# Coarse pixels that an upsampled one looks at on either side: 2 of the bicubic kernel, and 6 + 3 of the 23 taps at
# two scales; one more each, as a region need not begin where a coarse pixel does.
_BICUBIC_REACH, _TAPS_REACH = 3, 10


class Inputs(abc.ABC):
    """Target and guide on the grid of the network.

    Attributes:
        size: Height and width of that grid.
        upscale: How many times finer the output is.
        scale: With ``offset``, brings a restored value back to the units of the target.
        factor: How many times finer the guide is than the target was.
        meta: Facts that an encoding asks for.
        nodata: What marks an unknown pixel of the output; None if all are known.
        quad: Side of the smallest block of pixels that shows every colour.
    """

    size: tuple[int, int]
    upscale = factor = quad = 1
    scale, offset = 1.0, 0.0
    nodata: float | None = None
    meta: Mapping[str, Any] = {}

    @abc.abstractmethod
    def target(self, region: Region) -> Array:
        """Return (C,h,w) float32 about [0,1]."""

    @abc.abstractmethod
    def guide(self, region: Region) -> Array:
        """Return (Cg,h,w) float32 about [0,1]; no channel where there is no guide."""

    def unknown(self, region: Region) -> Array | None:
        """Return (C,h,w) bool of the output, true where it is nodata; None if all are known."""
        return None

    def sample(self, region: Region) -> Sample:
        """Return both as a sample."""
        return Sample("your image", self.target(region), self.guide(region), meta=self.meta)

    def seen(self, region: Region) -> list[Array]:
        """Return what people are shown of target and guide, (C,h,w) each, NaN where unknown."""
        target, unknown = self.target(region), self.unknown(region)
        return [target if unknown is None else np.where(unknown, np.nan, target), self.guide(region)]


class Depth(Inputs):
    """A coarse map, bicubic as in training and scaled by its own extremes, beside a photograph."""

    def __init__(self, target: Source, guide: Source, options: Options) -> None:
        if target.shape[0] != 1:
            raise UserError(f"a depth target has one band, this has {target.shape[0]}")
        self.factor = factor_of("depth", target.shape, guide.shape, options.scale)
        self.size = guide.shape[1:]
        self._coarse, self._photo = KnownImage(target, "target", options.nodata), KnownImage(guide, "guide")
        self.nodata = self._coarse.nodata
        low, high = (float(np.float32(end)) for end in (self._coarse.survey.low, self._coarse.survey.high))
        self.offset, self.scale = low, high - low or 1.0

    def target(self, region: Region) -> Array:
        """Return (1,h,w)."""
        from sfigf.degrade.resample import resize_bicubic

        coarse = region.over(self.factor).grown(_BICUBIC_REACH, *self._coarse.shape[1:])
        values = (self._coarse.read(coarse).astype(np.float32) - np.float32(self.offset)) / np.float32(self.scale)
        fine = resize_bicubic(values, coarse.height * self.factor, coarse.width * self.factor)
        return region.inside(coarse.times(self.factor)).of(fine)

    def guide(self, region: Region) -> Array:
        """Return (3,h,w); a grey photograph three times."""
        photo = to_unit(self._photo.read(region))
        return np.repeat(photo, 3, axis=0) if photo.shape[0] == 1 else photo

    def unknown(self, region: Region) -> Array | None:
        """Return (1,h,w) bool: what a coarse pixel does not know, none of its fine ones does."""
        return None if self.nodata is None else _spread(self._coarse, region, self.factor)


class Pan(Inputs):
    """Coarse bands, 23-tap upsampled as in training, beside the panchromatic band."""

    def __init__(self, target: Source, guide: Source, options: Options) -> None:
        self.factor = factor_of("pan", target.shape, guide.shape, options.scale)
        self.size = guide.shape[1:]
        self._bands, self._band = KnownImage(target, "target", options.nodata), KnownImage(guide, "guide")
        self.nodata = _nodata(self._bands, self._band)
        self.scale = options.peak or float(max(self._bands.survey.high, self._band.survey.high)) or 1.0

    def target(self, region: Region) -> Array:
        """Return (C,h,w)."""
        from sfigf.degrade.exp import interp23tap

        near = region.over(self.factor)
        coarse = Region(
            near.top - _TAPS_REACH, near.left - _TAPS_REACH, near.bottom + _TAPS_REACH, near.right + _TAPS_REACH
        )
        fine = interp23tap(_read_wrapped(self._bands, coarse).astype(np.float64), self.factor)
        return region.inside(coarse.times(self.factor)).of(fine).astype(np.float32) / np.float32(self.scale)

    def guide(self, region: Region) -> Array:
        """Return (1,h,w)."""
        return self._band.read(region).astype(np.float32) / np.float32(self.scale)

    def unknown(self, region: Region) -> Array | None:
        """Return (C,h,w) bool: where the coarse pixel of that band is unknown, or the panchromatic one."""
        if self.nodata is None:
            return None
        return _spread(self._bands, region, self.factor) | self._band.unknown(region)


class Focus(Inputs):
    """Two photographs of one size."""

    def __init__(self, target: Source, guide: Source, options: Options) -> None:
        factor_of("focus", target.shape, guide.shape, options.scale)
        self.size = guide.shape[1:]
        self._near, self._far = KnownImage(target, "target"), KnownImage(guide, "guide")

    def target(self, region: Region) -> Array:
        """Return (3,h,w)."""
        return to_unit(self._near.read(region))

    def guide(self, region: Region) -> Array:
        """Return (3,h,w)."""
        return to_unit(self._far.read(region))


def _spread(image: KnownImage, region: Region, factor: int) -> Array:
    """Return the unknown pixels of a coarse image on a grid ``factor`` times finer."""
    coarse = region.over(factor)
    fine = image.unknown(coarse).repeat(factor, axis=1).repeat(factor, axis=2)
    return region.inside(coarse.times(factor)).of(fine)


def _nodata(bands: KnownImage, band: KnownImage) -> float | None:
    """The value of the bands, else the panchromatic band's where their type holds it, else 0."""
    if bands.nodata is not None or band.nodata is None:
        return bands.nodata
    told = held(band.nodata, bands.dtype)
    return 0.0 if told is None else told


def _read_wrapped(image: KnownImage, region: Region) -> Array:
    """Read a region that may reach over the border, where the other side goes on: so do the 23 taps."""
    _, height, width = image.shape
    rows, columns = _runs(region.top, region.bottom, height), _runs(region.left, region.right, width)
    return np.block([[image.read(Region(top, left, bottom, right)) for left, right in columns] for top, bottom in rows])


def _runs(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """Cut start..stop-1, taken modulo ``size``, into stretches that do not wrap."""
    runs = []
    while start < stop:
        first = start % size
        length = min(size - first, stop - start)
        runs.append((first, first + length))
        start += length
    return runs
