"""Camera files, decoded by LibRaw: the mosaic as the sensor saw it, and what the camera says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sfigf.images.model import MAX_PIXELS
from sfigf.images.reading import OpenImage, needed, view
from sfigf.images.tags import camera_of
from sfigf.interface import Array, UserError

# IEC 61966-2-1, linear sRGB -> XYZ.
_XYZ_FROM_SRGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)


def open_camera_file(path: Path) -> OpenImage:
    """Return the mosaic (1,H,W) float32 of a Bayer sensor: black subtracted, divided by white less black.

    Clipped to [0,1], as the networks were trained. Up to one row and column is cut off on each side, so that it begins
    with the red of R G / G B and its sides are even.
    """
    try:
        import rawpy
    except ImportError:
        raise needed(path, "rawpy") from None
    with rawpy.imread(str(path)) as raw:
        pixels = raw.sizes.raw_height * raw.sizes.raw_width
        if pixels > MAX_PIXELS:
            raise UserError(f"announces {pixels:,} pixels, over the limit of {MAX_PIXELS:,}")
        top, left = _red(raw)
        colours = raw.raw_colors_visible[top : top + 2, left : left + 2]
        black = np.array(raw.black_level_per_channel, dtype=np.float32)[colours]
        white = float(raw.white_level)
        mosaic = _even(raw.raw_image_visible[top:, left:]).astype(np.float32)
        meta = {
            "black_level": black.ravel().tolist(), "white_level": white, "white_balance": _white_balance(raw),
            "colour_matrix": _colour_matrix(raw).tolist(), "camera": camera_of(path),
        }  # fmt: skip
    for row, column in np.ndindex(2, 2):
        phase = mosaic[row::2, column::2]
        phase -= black[row, column]
        phase /= white - black[row, column]
    return view(path, np.clip(mosaic, 0, 1, out=mosaic)[None], (0, 1, 2), meta=meta)


def _even(mosaic: Array) -> Array:
    height, width = mosaic.shape
    return mosaic[: height - height % 2, : width - width % 2]


def _red(raw: Any) -> tuple[int, int]:
    """Row and column, 0 or 1 each, of the first red of a Bayer pattern."""
    pattern = raw.raw_pattern
    if raw.raw_type.name != "Flat" or pattern is None or pattern.shape != (2, 2) or raw.color_desc != b"RGBG":
        seen = "no mosaic" if pattern is None else f"a mosaic of {pattern.shape[0]}x{pattern.shape[1]} pixels"
        raise UserError(f"the sensor has {seen}; raw takes 2x2 Bayer mosaics of red, green and blue")
    colours = raw.raw_colors_visible[:2, :2]
    top, left = (int(side) for side in np.argwhere(colours == 0)[0])
    if colours[1 - top, 1 - left] != 2 or min(raw.raw_image_visible.shape) < 4:
        raise UserError(f"a mosaic of colours {colours.tolist()}; raw takes 2x2 Bayer mosaics of 4x4 pixels or more")
    return top, left


def _white_balance(raw: Any) -> list[float]:
    """As-shot gains of red, green, blue; LibRaw's for daylight where the file has none."""
    for gains in (raw.camera_whitebalance, raw.daylight_whitebalance):
        if min(gains[:3]) > 0:
            return [gain / gains[1] for gain in gains[:3]]
    raise UserError("the file has no white balance and LibRaw does not know the camera; convert it to DNG")


def _colour_matrix(raw: Any) -> Array:
    """White-balanced camera RGB -> linear sRGB; white stays white. LibRaw's table, else the file's own matrix."""
    camera_from_xyz, own = np.array(raw.rgb_xyz_matrix[:3], np.float64), np.array(raw.color_matrix[:, :3], np.float64)
    if camera_from_xyz.any():
        camera_from_srgb = camera_from_xyz @ _XYZ_FROM_SRGB
        return np.linalg.inv(camera_from_srgb / camera_from_srgb.sum(axis=1, keepdims=True))
    if own.any():
        return own / own.sum(axis=1, keepdims=True)
    raise UserError("the file has no colour matrix and LibRaw does not know the camera; convert it to DNG")
