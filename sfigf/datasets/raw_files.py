"""Camera files of a raw data set: the mosaic as recorded, and the photograph LibRaw develops from a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.datasets.decode import check_size, decoding
from sfigf.datasets.listing import named
from sfigf.images.reading import needed
from sfigf.interface import Array, UserError

_FOURTEEN_BITS = (15000, 16383)


def read_mosaic(path: Path, black: int) -> tuple[Array, list[float]]:
    """Return the mosaic (1,H,W) uint16 as recorded, black level included, and the as-shot gains of R, G, B (G is 1).

    Raises:
        UserError: If the file cannot be decoded, its mosaic is no RGGB, its levels are not those of a 14-bit sensor
            with this black level, or it has no white balance; the file is named.
    """
    with _opened(path) as raw:
        colours = raw.raw_colors_visible[:2, :2]
        if raw.color_desc != b"RGBG" or colours.tolist() not in ([[0, 1], [3, 2]], [[0, 1], [1, 2]]):
            seen = "/".join("".join(raw.color_desc.decode()[colour] for colour in row) for row in colours)
            raise UserError(
                f"{named(path)}: its mosaic begins with {seen}, not with RG/GB; is it of the set, uncropped?"
            )
        levels = set(raw.black_level_per_channel)
        lowest, highest = _FOURTEEN_BITS
        if levels != {black} or not lowest <= raw.white_level <= highest:
            raise UserError(
                f"{named(path)}: black {sorted(levels)} and white {raw.white_level} are of another camera; the set's "
                f"are {black} and about {highest}"
            )
        red, green, blue = raw.camera_whitebalance[:3]
        if min(red, green, blue) <= 0:
            raise UserError(f"{named(path)}: no as-shot white balance in it; get the file again from its publisher")
        return raw.raw_image_visible.copy()[None], [red / green, 1.0, blue / green]


def read_developed(path: Path) -> Array:
    """Return the photograph (3,H,W) uint16, sRGB primaries, as-shot white balance, LibRaw's own brightness left alone.

    Raises:
        UserError: If the file cannot be decoded; it is named.

    Source: the settings of cchen156/Learning-to-See-in-the-Dark@384164a test_Sony.py.
    """
    with _opened(path) as raw:
        shown = raw.postprocess(use_camera_wb=True, half_size=False, no_auto_bright=True, output_bps=16)
    return np.ascontiguousarray(shown.transpose(2, 0, 1))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import rawpy
    except ImportError:
        raise needed(path, "rawpy") from None
    with decoding(path, "a camera file that can be decoded"), rawpy.imread(str(path)) as raw:
        check_size(path, (raw.sizes.raw_height, raw.sizes.raw_width))
        if raw.raw_type.name != "Flat":
            raise UserError(f"{named(path)}: no mosaic in it; get the camera's own file, not a developed one")
        yield raw
