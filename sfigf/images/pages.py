"""Whether the pages of a TIFF are all there: GDAL shows what is left, and zeros where strips or tiles have no place."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

MOST_PAGES = 65536
_WIDTH, _HEIGHT, _SAMPLES, _ROWS, _PLANES, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 277, 278, 284, 322, 323
_PLACES, _LENGTHS = (273, 324), (279, 325)
_WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
_SEPARATE = 2


class _Layout(NamedTuple):
    """How numbers lie in a TIFF, or in a BigTIFF: order of bytes, and the codes of offsets and of counts of tags."""

    order: str
    offset: str
    counts: str

    @property
    def value_at(self) -> int:
        """Where in a tag its value is: behind its number and type, two bytes each, and its count."""
        return 4 + struct.calcsize(self.offset)


def check_pages(path: Path) -> None:
    """Raise ValueError for a TIFF that lacks a page, or places for the strips or tiles of one.

    Source: TIFF 6.0, sections 2, 8 and 15; BigTIFF, whose magic number is 43.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        big = struct.unpack(f"{order}H", file.read(2)) == (43,)
        layout = _Layout(order, "Q", "Q") if big else _Layout(order, "I", "H")
        file.seek(8 if big else 4)
        pages = 0
        while offset := _number(file, order + layout.offset):
            if offset >= size or pages >= MOST_PAGES:
                raise ValueError(f"page {pages + 1} is missing")
            file.seek(offset)
            _check_page(_tags(file, layout), pages + 1)
            pages += 1


def _number(file: BinaryIO, code: str) -> int:
    return int(struct.unpack(code, file.read(struct.calcsize(code)))[0])


def _tags(file: BinaryIO, layout: _Layout) -> dict[int, tuple[int, int, int]]:
    """Type, count and first value of the tags that say how a page is cut; the file stands behind them all then."""
    count, step = _number(file, layout.order + layout.counts), layout.value_at + struct.calcsize(layout.offset)
    if count > 65536:
        raise ValueError(f"a page of {count:,} tags")
    data = file.read(count * step)
    tags: dict[int, tuple[int, int, int]] = {}
    for place in range(0, len(data) - step + 1, step):
        number, kind, held = struct.unpack_from(f"{layout.order}HH{layout.offset}", data, place)
        code = layout.order + _WHOLE_NUMBERS.get(kind, "B")
        tags.setdefault(number, (kind, held, struct.unpack_from(code, data, place + layout.value_at)[0]))
    return tags


def _check_page(tags: dict[int, tuple[int, int, int]], page: int) -> None:
    def value(number: int, default: int) -> int:
        return tags[number][2] if number in tags else default

    width, height = value(_WIDTH, 0), value(_HEIGHT, 0)
    tiled = _TILE_WIDTH in tags
    across = value(_TILE_WIDTH, 0) if tiled else width
    down = value(_TILE_HEIGHT, 0) if tiled else min(value(_ROWS, height), height)
    if not (width and height and across and down):
        raise ValueError(f"page {page} is of {width}x{height} pixels, in pieces of {across}x{down}")
    planes = value(_SAMPLES, 1) if value(_PLANES, 1) == _SEPARATE else 1
    pieces = math.ceil(width / across) * math.ceil(height / down) * planes
    for number in (*_PLACES, *_LENGTHS):
        kind, held, _ = tags.get(number, (4, pieces, 0))
        if held < pieces or kind not in _WHOLE_NUMBERS:
            raise ValueError(f"page {page} is cut into {pieces:,} pieces, it has places or lengths of {held:,}")
