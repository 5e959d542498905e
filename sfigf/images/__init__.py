"""Images of people's own: read and written in windows, with plain words for what is wrong with them.

Arrays are (C,H,W). PNG and JPEG through Pillow and GDAL, TIFF through GDAL, ``.npy`` through numpy, ``.mat`` through
our own reader and h5py, camera files through LibRaw. TIFF, ``.npy`` and HDF5 never sit in memory whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sfigf.images.camera import open_camera_file
from sfigf.images.matlab import open_matlab
from sfigf.images.model import MAX_VALUES, Georeference, ImageReader, ImageWriter
from sfigf.images.numpy_files import numpy_file, open_numpy
from sfigf.images.pictures import open_picture, png_file
from sfigf.images.reading import OpenImage, reading
from sfigf.images.tiff import open_tiff, tiff_file
from sfigf.images.values import stored_type
from sfigf.images.writing import NewImage, check_folder, check_nodata
from sfigf.interface import Array, UserError
from sfigf.regions import Region, whole

__all__ = [
    "READABLE", "WRITABLE", "Georeference", "ImageReader", "ImageWriter", "create_image", "open_image", "read_image",
    "to_unit", "write_image",
]  # fmt: skip

_PICTURES = (".png", ".jpg", ".jpeg")
_TIFF = (".tif", ".tiff")
_MATLAB = (".mat", ".h5")
_CAMERA = (".dng", ".arw", ".nef", ".cr2", ".cr3", ".raf", ".orf", ".rw2")
_OPENERS: dict[str, Callable[[Path], OpenImage]] = {
    **dict.fromkeys(_PICTURES, open_picture),
    **dict.fromkeys(_TIFF, open_tiff),
    ".npy": open_numpy,
    **dict.fromkeys(_CAMERA, open_camera_file),
}
_MAKERS = {".png": png_file, ".npy": numpy_file, **dict.fromkeys(_TIFF, tiff_file)}
READABLE = (*_PICTURES, *_TIFF, ".npy", *_MATLAB, *_CAMERA)
WRITABLE = tuple(_MAKERS)


def open_image(path: str | Path, *, name: str | None = None) -> ImageReader:
    """Open an image to read windows of it: uint8, uint16 or float32; alpha is dropped, palettes are resolved.

    Camera files come as the mosaic (1,H,W) in [0,1] that begins with red, with the camera's facts in ``meta``.

    Args:
        path: The suffix says the format.
        name: Which array of a ``.mat`` or ``.h5``, the only image when not given; ``ms[3]`` is the fourth of several.

    Raises:
        UserError: Missing, damaged, of an unknown kind, too large to be decoded whole, empty or complex.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such image")
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise UserError(f"{path}: cannot read '{suffix}' images; convert it to one of {', '.join(READABLE)}")
    if name is not None and suffix not in _MATLAB:
        raise UserError(f"{path}: '{name}' names an array of a .mat, this file holds one image; leave the name out")
    with reading(path):
        image = open_matlab(path, name) if suffix in _MATLAB else _OPENERS[suffix](path)
        if 0 in image.shape:
            raise UserError(f"{path}: shape {image.shape}; an image has at least one pixel")
    return image


def create_image(
    path: str | Path,
    shape: tuple[int, int, int],
    dtype: np.typing.DTypeLike,
    *,
    georeference: Georeference | None = None,
    nodata: float | None = None,
) -> ImageWriter:
    """Prepare an image file to write windows of in any order; it appears whole at the end of the ``with``, or not.

    Args:
        path: The suffix chooses the format: .png, .tif or .npy.
        shape: (C,H,W).
        dtype: uint8, uint16 or float32.
        georeference: Kept by TIFF, left out by the others.
        nodata: Value of pixels without a measurement; kept by TIFF, left out by the others.

    Raises:
        UserError: The format cannot hold the bands or the type, or the folder cannot be written.
    """
    path, dtype = Path(path), np.dtype(dtype)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise UserError(f"{path}: cannot write '{suffix}'; use .png, .tif or .npy")
    if dtype not in (np.uint8, np.uint16, np.float32) or len(shape) != 3 or min(shape) < 1:
        raise UserError(f"{path}: cannot write {dtype} of shape {shape}; use uint8, uint16 or float32 of (C,H,W)")
    if suffix == ".png" and (dtype.kind == "f" or shape[0] not in (1, 3)):
        raise UserError(f"{path}: PNG holds 1 or 3 bands of integers, this is {shape[0]} of {dtype}; use .tif")
    check_folder(path)
    if suffix in _TIFF:
        check_nodata(path, nodata, dtype)
    return NewImage(path, shape, dtype, nodata, lambda file: _MAKERS[suffix](file, shape, dtype, georeference, nodata))


def read_image(path: str | Path, *, name: str | None = None) -> Array:
    """Return the whole image as stored, (C,H,W): uint8, uint16 or float32.

    Raises:
        UserError: As ``open_image``, and if it is too large to be held.
    """
    with open_image(path, name=name) as image:
        if math.prod(image.shape) > MAX_VALUES:
            raise UserError(f"{path}: shape {image.shape} is over the limit of {MAX_VALUES:,} values; tile it")
        return image.read(Region(0, 0, *image.shape[1:]))


def write_image(path: str | Path, array: Array, like: np.dtype | None = None) -> None:
    """Write (C,H,W) as PNG (8 or 16 bit), TIFF or NumPy, atomically.

    Args:
        path: The suffix chooses the format.
        array: Floats in the units of ``like``: 0..255 for uint8, 0..65535 for uint16, anything for float32.
        like: Type to round to; PNG needs an integer type, None keeps uint8 and uint16 and makes the rest float32.

    Raises:
        UserError: As ``create_image``.
    """
    dtype = stored_type(array.dtype if like is None else np.dtype(like))
    with create_image(path, array.shape, dtype) as image:  # type: ignore[arg-type]
        image.write(whole(array), array)


def to_unit(array: Array) -> Array:
    """Scale to [0,1] float32 by the integer type's maximum; floats stay as they are."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(np.float32) / np.iinfo(array.dtype).max
