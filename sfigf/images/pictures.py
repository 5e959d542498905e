"""PNG and JPEG: decoded whole; PNG written by GDAL, line by line, from a file beside it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sfigf.images.gdal import gdal, open_dataset, without_alpha
from sfigf.images.model import MAX_PIXELS, Georeference
from sfigf.images.reading import OpenImage, view
from sfigf.images.whole import PNG_START, check_jpeg, check_png
from sfigf.images.writing import Put
from sfigf.interface import Array, UserError


def open_picture(path: Path) -> OpenImage:
    """Decode a PNG (8 or 16 bit) or a JPEG, upright as its EXIF says."""
    array = _read_deep_colour(path) if _is_deep_colour(path) else _read_pillow(path)
    return view(path, array, (0, 1, 2))


def _is_deep_colour(path: Path) -> bool:
    """Whether it is a PNG of 16 bit with colour or alpha, of which Pillow would drop the lower 8."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[:8] == PNG_START and len(header) == 26 and header[24] == 16 and header[25] in (2, 4, 6)


def _read_deep_colour(path: Path) -> Array:
    with gdal(), open_dataset(path, "PNG") as dataset:
        _check_size(dataset.width, dataset.height)
        check_png(path)
        return dataset.read(without_alpha(dataset))


def _read_pillow(path: Path) -> Array:
    from PIL import Image, ImageOps

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # ours says more, and is checked before decoding
    try:
        file = Image.open(path, formats=("PNG", "JPEG"))
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    with file:
        _check_size(file.width, file.height)
        if file.format == "PNG":
            check_png(path)
        else:
            check_jpeg(path, file.width, file.height, "progressive" in file.info)
        file.load()
        image = ImageOps.exif_transpose(file)
        if image.mode in ("P", "RGBA", "CMYK", "YCbCr", "HSV", "PA"):
            image = image.convert("RGB")
        elif image.mode in ("LA", "1"):
            image = image.convert("L")
        array = np.asarray(image)
    array = array.astype(np.uint16) if array.dtype == np.int32 else array
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UserError(f"{width}x{height} is over the limit of {MAX_PIXELS:,} pixels; save it as TIFF")


@contextlib.contextmanager
def png_file(
    path: Path, shape: tuple[int, int, int], dtype: np.dtype, georeference: Georeference | None, nodata: float | None
) -> Iterator[Put]:
    """Gather the windows in a plain TIFF and make the PNG of it at the end: a PNG is written from top to bottom."""
    import rasterio.shutil

    from sfigf.images.tiff import tiff_file

    with tempfile.TemporaryDirectory(prefix=f"{path.stem}-", dir=path.parent) as folder:
        gathered = Path(folder) / "gathered.tif"
        with tiff_file(gathered, shape, dtype, None, None, compress=False) as put:
            yield put
        with gdal():
            rasterio.shutil.copy(gathered, path, driver="PNG")
