"""Images of people's own: read and written with plain words for what is wrong with them.

Arrays are (C,H,W). PNG and JPEG through Pillow, TIFF (any bands, float) through tifffile, ``.npy`` through numpy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfigf.files import replacing
from sfigf.interface import Array, UserError

READABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
MAX_PIXELS = 400_000_000


def read_image(path: str | Path) -> Array:
    """Return the image as stored, (C,H,W): uint8, uint16 or float32; alpha is dropped, palettes are resolved.

    Raises:
        UserError: Missing, truncated, of an unknown kind, too large, or not two- or three-dimensional.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such image")
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise UserError(f"{path}: cannot read '{suffix}' images; convert it to one of {', '.join(READABLE)}")
    try:
        array = {".npy": _read_numpy, ".tif": _read_tiff, ".tiff": _read_tiff}.get(suffix, _read_pillow)(path)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{path}: not a readable image ({reason}); it may be truncated: fetch or save it again"
        ) from None
    return _channels_first(array, path)


def _read_pillow(path: Path) -> Array:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(path) as file:
        if file.width * file.height > MAX_PIXELS:
            raise UserError(f"{path}: {file.width}x{file.height} is over the limit of {MAX_PIXELS:,} pixels; tile it")
        file.load()
        image: Image.Image = file
        if image.mode in ("P", "RGBA", "CMYK", "YCbCr", "HSV", "PA"):
            image = image.convert("RGB")
        elif image.mode in ("LA", "1"):
            image = image.convert("L")
        array = np.asarray(image)
    return array.astype(np.uint16) if array.dtype == np.int32 else array


def _read_tiff(path: Path) -> Array:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        if int(np.prod(series.shape)) > 4 * MAX_PIXELS:
            raise UserError(f"{path}: shape {series.shape} is over the limit of {4 * MAX_PIXELS:,} values; tile it")
        return series.asarray()


def _read_numpy(path: Path) -> Array:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False))


def _channels_first(array: Array, path: Path) -> Array:
    if array.ndim == 2:
        array = array[None]
    elif array.ndim == 3 and array.shape[2] <= 16 and array.shape[0] > array.shape[2]:
        array = array.transpose(2, 0, 1)
    if array.ndim != 3 or 0 in array.shape:
        raise UserError(f"{path}: shape {array.shape}; an image has two dimensions, or three with up to 16 bands")
    if array.dtype not in (np.uint8, np.uint16, np.float32):
        if array.dtype.kind not in "fiu":
            raise UserError(f"{path}: values of type {array.dtype}; use 8 or 16 bit integers or floats")
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def to_unit(array: Array) -> Array:
    """Scale to [0,1] float32 by the integer type's maximum; floats stay as they are."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(np.float32) / np.iinfo(array.dtype).max


def write_image(path: str | Path, array: Array, like: np.dtype | None = None) -> None:
    """Write (C,H,W) as PNG (8 or 16 bit), TIFF or NumPy, atomically.

    Args:
        path: The suffix chooses the format.
        array: Floats in the units of ``like``: 0..255 for uint8, 0..65535 for uint16, anything for float32.
        like: Type to round to; PNG needs an integer type, None keeps float32.

    Raises:
        UserError: If the suffix is not one we write, or the format cannot hold the bands.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if like is not None and np.dtype(like).kind in "ui":
        array = np.clip(np.rint(array), 0, np.iinfo(like).max).astype(like)
    if suffix not in (".png", ".tif", ".tiff", ".npy"):
        raise UserError(f"{path}: cannot write '{suffix}'; use .png, .tif or .npy")
    if suffix == ".png" and (array.dtype.kind == "f" or array.shape[0] not in (1, 3)):
        raise UserError(
            f"{path}: PNG holds 1 or 3 bands of integers, this is {array.shape[0]} of {array.dtype}; use .tif"
        )
    with replacing(path) as temporary:
        _write(temporary, suffix, array)


def _write(path: Path, suffix: str, array: Array) -> None:
    if suffix == ".npy":
        np.save(path, array)
        return
    last = np.ascontiguousarray(array.transpose(1, 2, 0))
    if suffix == ".png" and last.dtype == np.uint8:
        from PIL import Image

        Image.fromarray(last[..., 0] if last.shape[2] == 1 else last).save(path)
    elif suffix == ".png":
        if last.shape[2] == 1:
            from PIL import Image

            Image.fromarray(last[..., 0]).save(path)
            return
        raise UserError("a 16-bit colour PNG cannot be written; name a .tif")
    else:
        import tifffile

        tifffile.imwrite(path, array if array.shape[0] > 1 else array[0], photometric="minisblack")
