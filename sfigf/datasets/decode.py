"""Picture files into channels-first arrays; a file that cannot be decoded is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfigf.interface import Array, UserError


def read_rgb(path: str | Path) -> Array:
    """Decode an 8-bit colour picture to (3,H,W) uint8, display-referred sRGB (value / 255 is in [0,1]).

    Raises:
        UserError: If the file is no colour picture, or has an alpha channel that is not opaque.
    """
    values = _decoded(path)
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        raise UserError(f"{Path(path).name}: expected 8-bit RGB, got shape {values.shape}")
    if values.shape[2] == 4 and values[..., 3].min() < 255:
        raise UserError(f"{Path(path).name}: has transparent pixels; composite it first")
    return np.ascontiguousarray(values[..., :3].transpose(2, 0, 1))


def read_grey(path: str | Path) -> Array:
    """Decode an 8-bit grey picture to (1,H,W) uint8.

    Raises:
        UserError: If the file is no 8-bit grey picture.
    """
    values = _decoded(path)
    if values.ndim != 2:
        raise UserError(f"{Path(path).name}: expected 8-bit grey, got shape {values.shape}")
    return values[None]


def _decoded(path: str | Path) -> Array:
    from PIL import Image

    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{Path(path).name}: not a picture that can be decoded ({error}); fetch it again") from error
    if values.dtype != np.uint8:
        raise UserError(f"{Path(path).name}: expected 8 bits a channel, got {values.dtype}")
    return values


def read_tiff(path: str | Path) -> Array:
    """Decode an uncompressed or deflated TIFF to (C,H,W) float32 in its own numbers; the file's suffix is ignored.

    Raises:
        UserError: If the file cannot be decoded or is not of two or three dimensions.
    """
    import tifffile

    try:
        values = tifffile.imread(path)
    except (OSError, ValueError, KeyError, tifffile.TiffFileError) as error:
        raise UserError(f"{Path(path).name}: not a TIFF that can be decoded ({error}); fetch it again") from error
    if values.ndim not in (2, 3):
        raise UserError(f"{Path(path).name}: expected a picture, got shape {values.shape}")
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
