"""Values that images have here, and where the bands and windows of them lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfigf.interface import Array, UserError
from sfigf.regions import Region

_MOST_BANDS_LAST = 16


def stored_type(dtype: np.dtype) -> np.dtype:
    """The type that values of ``dtype`` are read as: 8 and 16 bit stay, other integers and floats become float32."""
    if dtype.kind not in "fiu":
        raise UserError(f"values of type {dtype}; use 8 or 16 bit integers or floats")
    native = dtype.newbyteorder("=")
    return native if native in (np.uint8, np.uint16) else np.dtype(np.float32)


def axes_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Axes (C,H,W), or (H,W), of a numpy array: bands come first, unless the last axis is the smallest and short."""
    if len(shape) == 3 and shape[2] <= _MOST_BANDS_LAST and shape[2] < min(shape[:2]):
        return 2, 0, 1
    return _two_or_three(shape)


def matlab_axes_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same of a MATLAB array, whose bands come last, unless the first axis is the smallest and short."""
    if len(shape) == 3 and not (shape[0] <= _MOST_BANDS_LAST and shape[0] < min(shape[1:])):
        return 2, 0, 1
    return _two_or_three(shape)


def _two_or_three(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (2, 3) or 0 in shape:
        raise UserError(f"shape {shape}; an image has two dimensions, or three with the bands")
    return tuple(range(len(shape)))


def to_type(values: Array, dtype: np.dtype, nodata: float | None) -> Array:
    """Round and clip to an integer type; NaN becomes ``nodata`` there, or 0. Floats are only cast."""
    if dtype.kind == "f":
        return values.astype(dtype)
    if values.dtype == dtype:
        return values
    if values.dtype.kind == "f":
        values = np.nan_to_num(np.rint(values), nan=nodata or 0)
    return np.clip(values, 0, np.iinfo(dtype).max).astype(dtype)


def check_inside(region: Region, height: int, width: int, path: Path) -> None:
    """Refuse a window with no pixels or with pixels that the image does not have: a mistake of the caller."""
    if not (0 <= region.top < region.bottom <= height and 0 <= region.left < region.right <= width):
        raise ValueError(f"{region} is not a window of the {width}x{height} px of {path}")
