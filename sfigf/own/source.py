"""Images read region by region, whether they lie in a file or in memory; unknown pixels are filled."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from sfigf.interface import Array, UserError
from sfigf.regions import Region, regions

FILL_REACH_PX = 64
_SURVEY_SIDE = 2048


class Source(Protocol):
    """What is asked of an image; every reader of ``sfigf.images`` is one."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, rows, columns."""
        ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def nodata(self) -> float | None:
        """Value that means unknown."""
        ...

    @property
    def georeference(self) -> Any:
        """Where it lies on the ground, or None."""
        ...

    @property
    def meta(self) -> Mapping[str, Any]:
        """Facts of a camera file."""
        ...

    def read(self, region: Region) -> Array:
        """Return (C,h,w) as stored."""
        ...


@dataclasses.dataclass(frozen=True)
class ArraySource:
    """An array (C,H,W) as a source."""

    array: Array
    nodata: float | None = None
    georeference: Any = None
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, rows, columns."""
        bands, height, width = self.array.shape
        return bands, height, width

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.array.dtype

    def read(self, region: Region) -> Array:
        """Return a view (C,h,w)."""
        return region.of(self.array)


@dataclasses.dataclass(frozen=True)
class Survey:
    """What one walk over an image tells: extremes of the known values, and each band's mean."""

    low: float
    high: float
    means: Array


class KnownImage:
    """An image whose unknown pixels are filled from the nearest known one of their band, up to 64 px away.

    Farther ones take the band's mean. So what a window shows depends on nothing but its own pixels and 64 around it.

    Args:
        source: The image.
        role: Its name in messages.
        nodata: Value that means unknown; the source's own when None. With one, NaN and infinity are unknown as well.

    Raises:
        UserError: If a value is NaN or infinite and there is no nodata value, or if no value at all is known.
    """

    def __init__(self, source: Source, role: str, nodata: float | None = None) -> None:
        self.source, self.role = source, role
        self.shape, self.dtype = source.shape, source.dtype
        self.nodata = held(source.nodata if nodata is None else nodata, self.dtype)
        if self.dtype.kind == "f" or self.nodata is not None:
            _ = self.survey

    def unknown(self, region: Region) -> Array:
        """Return (C,h,w) bool, true where nothing is known."""
        return self._unknown(self.source.read(region))

    def read(self, region: Region) -> Array:
        """Return (C,h,w) of the stored type, filled."""
        values = self.source.read(region)
        if self.nodata is None or not self._unknown(values).any():
            return values
        wide = region.grown(FILL_REACH_PX, *self.shape[1:])
        values = self.source.read(wide)
        filled = [_filled(*band) for band in zip(values, self._unknown(values), self.survey.means, strict=True)]
        return region.inside(wide).of(np.stack(filled))

    @functools.cached_property
    def survey(self) -> Survey:
        """Walk over the image once, window by window."""
        bands, height, width = self.shape
        bad, low, high = 0, np.inf, -np.inf
        sums, counts = np.zeros(bands), np.zeros(bands)
        for region in regions(height, width, _SURVEY_SIDE):
            values = self.source.read(region)
            bad += int(np.count_nonzero(~np.isfinite(values))) if self.nodata is None else 0
            known = ~self._unknown(values)
            if known.any():
                low, high = min(low, float(values[known].min())), max(high, float(values[known].max()))
            sums += values.sum(axis=(1, 2), dtype=np.float64, where=known)
            counts += np.count_nonzero(known, axis=(1, 2))
        self._check(bad, counts)
        return Survey(low, high, sums / np.maximum(counts, 1))

    def _check(self, bad: int, counts: Array) -> None:
        if bad:
            raise UserError(f"{bad} values of the {self.role} are NaN or infinite; fill or mask them first")
        if not counts.any():
            raise UserError(f"no value of the {self.role} is known: all are {self.nodata}, its nodata value, or NaN")

    def _unknown(self, values: Array) -> Array:
        unknown = ~np.isfinite(values)
        if self.nodata is None:
            return unknown
        with np.errstate(over="ignore"):  # a value beyond float32 is infinite there, in the image too
            marked = np.float64(self.nodata).astype(values.dtype if values.dtype.kind == "f" else np.float64)
        return unknown | (values == marked)


def held(nodata: float | None, dtype: np.dtype) -> float | None:
    """A nodata value that a type of integers cannot hold marks nothing."""
    if nodata is None or dtype.kind == "f":
        return nodata
    limits = np.iinfo(dtype)
    return nodata if float(nodata).is_integer() and limits.min <= nodata <= limits.max else None


def _filled(band: Array, unknown: Array, mean: float) -> Array:
    """Fill one band (h,w) from the nearest known pixels within reach, else with its mean."""
    from scipy.ndimage import distance_transform_edt

    if not unknown.any():
        return band
    typical = np.asarray(mean).astype(band.dtype)
    if unknown.all():
        return np.full_like(band, typical)
    distance, nearest = distance_transform_edt(unknown, return_indices=True)
    return np.where(distance <= FILL_REACH_PX, band[tuple(nearest)], typical)
