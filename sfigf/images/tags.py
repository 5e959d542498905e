"""What tifffile sees in a file that GDAL and LibRaw do not show."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from sfigf.images.reading import Mapped

_MAKE, _MODEL = 271, 272


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what tifffile logs about a damaged file off the terminal; we say it in one line."""
    log = logging.getLogger("tifffile")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


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
