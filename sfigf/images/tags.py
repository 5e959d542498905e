"""What tifffile sees in a file that GDAL and LibRaw do not show."""

from __future__ import annotations

import contextlib
import logging
import struct
from collections.abc import Iterator
from pathlib import Path

from sfigf.images.reading import Mapped
from sfigf.interface import UserError

_MAKE, _MODEL = 271, 272
_MOST_PAGES = 65536


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what tifffile logs about a damaged file off the terminal; we say it in one line."""
    log = logging.getLogger("tifffile")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def check_pages(path: Path) -> None:
    """Refuse a TIFF that ends before its last page begins, of which GDAL would show the pages that are left.

    Source: TIFF 6.0, section 2; BigTIFF, whose magic number is 43.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        big = struct.unpack(f"{order}H", file.read(2)) == (43,)
        number, count, entry_bytes = ("Q", "Q", 20) if big else ("I", "H", 12)

        def following(code: str) -> int:
            return struct.unpack(order + code, file.read(struct.calcsize(order + code)))[0]

        file.seek(8 if big else 4)
        pages = 0
        while offset := following(number):
            if offset >= size or pages >= _MOST_PAGES:
                raise UserError(f"not a readable image (page {pages + 1} is missing); fetch or save it again")
            file.seek(offset)
            file.seek(following(count) * entry_bytes, 1)
            pages += 1


def mapped(path: Path) -> Mapped | None:
    """Map a TIFF whose pages lie one after another as one plain array, as tifffile writes them; None if they do not."""
    import tifffile

    with _quiet(), contextlib.suppress(ValueError), tifffile.TiffFile(path) as file:
        if len(file.series) == 1:
            return Mapped(tifffile.memmap(path, mode="r"))
    return None


def camera_of(path: Path) -> str:
    """Make and model, which most camera files keep in TIFF tags."""
    import tifffile

    with _quiet(), contextlib.suppress(Exception), tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        return " ".join(str(tags[code].value).strip() for code in (_MAKE, _MODEL) if code in tags) or "unknown"
    return "unknown"
