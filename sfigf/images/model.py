"""What every image file looks like, whatever its format."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from sfigf.interface import Array
from sfigf.regions import Region

MAX_PIXELS = 400_000_000
MAX_VALUES = 4 * MAX_PIXELS
MAX_BANDS = 512


@dataclasses.dataclass(frozen=True)
class Georeference:
    """Where the pixels lie on the ground: coordinate system and affine transform as rasterio has them."""

    crs: Any
    transform: Any

    def scaled(self, factor: int) -> Georeference:
        """The same ground on a grid ``factor`` times finer."""
        x_column, x_row, x, y_column, y_row, y = self.transform[:6]
        steps = x_column / factor, x_row / factor, x, y_column / factor, y_row / factor, y
        return Georeference(self.crs, type(self.transform)(*steps))


class ImageReader(Protocol):
    """An open image of ``shape`` (C,H,W); a context manager.

    Attributes:
        nodata: Value of pixels without a measurement.
        meta: Camera files: ``black_level`` [4] of R, G1, G2, B, ``white_level``, ``white_balance`` gains [r,g,b] with
            green 1, ``colour_matrix`` 3x3 white-balanced camera RGB -> linear sRGB, ``camera``; else empty.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    nodata: float | None
    georeference: Georeference | None
    meta: Mapping[str, Any]

    def read(self, region: Region) -> Array:
        """Return the region, (C,h,w) of ``dtype``."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ImageWriter(Protocol):
    """An image that comes into being; a context manager."""

    def write(self, region: Region, values: Array) -> None:
        """Put (C,h,w) values, in the units of the file's type, rounded and clipped to it if it is an integer type."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
