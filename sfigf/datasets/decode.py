"""Files of others into arrays: whatever is wrong with one becomes a line that names it, before memory is taken."""

from __future__ import annotations

import contextlib
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sfigf.datasets.listing import named
from sfigf.images.pages import check_pages
from sfigf.images.reading import reason
from sfigf.images.whole import check_jpeg, check_png
from sfigf.interface import Array, UserError

MOST_VALUES = 2**26
"""Of one array; the largest published has 36 million, and what announces more is damaged or means harm."""
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")


@contextlib.contextmanager
def decoding(path: str | Path, kind: str) -> Iterator[None]:
    """Turn whatever a decoder stumbles over into one line; ``kind`` says what the file should have been.

    Raises:
        UserError: If there is no such file, a link or a folder in its place, or any error occurs inside.
    """
    if not Path(path).is_file():
        raise UserError(f"{named(path)}: no such file, or not a plain one; get the set again")
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # damaged bytes raise a dozen kinds, lack of memory among them
        raise UserError(f"{named(path)}: not {kind} ({reason(error)}); get it again") from None


def check_size(path: str | Path, shape: tuple[int, ...]) -> None:
    """Raise UserError for an array that is empty or larger than any published one."""
    count = 1
    for side in shape:
        count *= int(side)
    if not 0 < count <= MOST_VALUES:
        raise UserError(f"{named(path)}: announces an array of {shape}, from 1 to {MOST_VALUES:,} values are read")


def read_picture(path: str | Path) -> tuple[str, Array]:
    """Decode a PNG, JPEG, BMP or TIFF: Pillow's mode, and (H,W) or (H,W,C) in the file's own numbers.

    A palette becomes the colours it stands for.

    Raises:
        UserError: If it cannot be decoded, or announces more pixels than Pillow holds to be safe (89 million).
    """
    from PIL import Image

    with decoding(path, "a picture that can be decoded"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=_FORMATS) as image:
            if image.format == "PNG":
                check_png(Path(path))
            elif image.format in ("JPEG", "MPO"):
                check_jpeg(Path(path), *image.size, "progressive" in image.info)
            palette = "RGBA" if "transparency" in image.info else "RGB"
            shown = image.convert(palette) if image.mode == "P" else image
            return shown.mode, np.array(shown)


def read_rgb(path: str | Path) -> Array:
    """Decode an 8-bit colour picture to (3,H,W) uint8, display-referred sRGB (value / 255 is in [0,1]).

    Raises:
        UserError: If the file is no colour picture, or has an alpha channel that is not opaque.
    """
    mode, values = read_picture(path)
    if mode not in ("RGB", "RGBA"):
        raise UserError(f"{named(path)}: expected 8-bit RGB, got {_told(mode, values)}")
    if mode == "RGBA" and values[..., 3].min() < 255:
        raise UserError(f"{named(path)}: has transparent pixels; composite it first")
    return np.ascontiguousarray(values[..., :3].transpose(2, 0, 1))


def read_grey(path: str | Path) -> Array:
    """Decode an 8-bit grey picture to (1,H,W) uint8.

    Raises:
        UserError: If the file is no 8-bit grey picture.
    """
    mode, values = read_picture(path)
    if mode != "L":
        raise UserError(f"{named(path)}: expected 8 bits of grey, got {_told(mode, values)}")
    return values[None]


def read_display(path: str | Path) -> tuple[Array, bool]:
    """Decode an 8-bit picture to (3,H,W) uint8 sRGB, and say whether it is grey; grey fills all three channels.

    Raises:
        UserError: If it cannot be decoded, has more than 8 bits a channel, or is partly transparent.
    """
    mode, values = read_picture(path)
    if mode == "L":
        return np.repeat(values[None], 3, axis=0), True
    if mode not in ("RGB", "RGBA") or (mode == "RGBA" and values[..., 3].min() < 255):
        raise UserError(f"{named(path)}: {mode}, expected 8-bit grey or opaque RGB; is this the right file?")
    return np.ascontiguousarray(values[..., :3].transpose(2, 0, 1)), False


def _told(mode: str, values: Array) -> str:
    return f"{values.dtype} of shape {values.shape} (mode {mode})"


def read_array(path: str | Path) -> Array:
    """Read a ``.npy`` of any shape and type; pickled objects are refused, never loaded.

    Raises:
        UserError: If it is no array, is truncated, empty, or too large.
    """
    with decoding(path, "a .npy array that can be read"):
        # Mapped, a header that announces more than the file holds is refused before memory is taken.
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(values, np.ndarray):
            raise UserError(f"{named(path)}: several arrays in a zip, one .npy was expected; get it as published")
        check_size(path, values.shape)
        return np.array(values)


def read_packed_array(path: str | Path, key: str) -> Array:
    """Read one array of numbers of a ``.npz``; pickled objects are refused, never loaded.

    Raises:
        UserError: If it holds no such array, or one that is truncated, empty, too large, or of anything but numbers.
    """
    with decoding(path, f"a .npz with an array '{key}'"), zipfile.ZipFile(path) as archive:
        with archive.open(f"{key}.npy") as stream:
            first = np.lib.format.read_magic(stream) == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(stream)
        check_size(path, shape)
        if dtype.kind not in "fiu":
            raise UserError(f"{named(path)}: {key} is of {dtype}, expected numbers; get it again")
        with archive.open(f"{key}.npy") as stream:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def read_tiff(path: str | Path) -> Array:
    """Decode an uncompressed or deflated TIFF to (C,H,W) float32 in its own numbers; the file's suffix is ignored.

    Raises:
        UserError: If the file cannot be decoded or is not of two or three dimensions.
    """
    import tifffile

    with decoding(path, "a TIFF that can be decoded"):
        check_pages(Path(path))
        with tifffile.TiffFile(path) as file:
            check_size(path, file.series[0].shape)
            for page in (page for page in file.series[0].pages if page is not None):
                check_size(path, page.chunks)  # what is unpacked at once
                if max(page.databytecounts, default=0) > Path(path).stat().st_size:
                    raise ValueError("a piece of it is longer than the file")
        values = tifffile.imread(path)
        if values.ndim not in (2, 3):
            raise UserError(f"{named(path)}: expected a picture, got shape {values.shape}")
        planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        return np.ascontiguousarray(planes, dtype=np.float32)


def halve(picture: Array) -> Array:
    """Average 2x2 pixels of an 8-bit sRGB picture (3,H,W) in linear light; an odd last row or column is dropped.

    Source: IEC 61966-2-1 for the sRGB curve.
    """
    height, width = (side // 2 * 2 for side in picture.shape[1:])
    encoded = np.arange(256) / 255
    decoded = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear = decoded[picture[:, :height, :width]].reshape(3, height // 2, 2, width // 2, 2).mean((2, 4))
    again = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * again).astype(np.uint8)
