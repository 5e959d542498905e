"""GDAL, through rasterio, kept quiet and small."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfigf.regions import Region

_CACHE_BYTES = 64 * 2**20


@contextlib.contextmanager
def gdal() -> Iterator[None]:
    """Let GDAL hold little and leave no files beside ours. By itself it takes a twentieth of the memory."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES, GDAL_PAM_ENABLED="NO"), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def open_dataset(path: Path, driver: str, **options: Any) -> Any:
    """Open a file to read, or with ``mode="w"`` to write; only the named driver looks into it."""
    import rasterio

    with gdal():
        return rasterio.open(path.absolute(), driver=driver, **options)


def window(region: Region) -> Any:
    """The region as rasterio names it."""
    from rasterio.windows import Window

    return Window(region.left, region.top, region.width, region.height)


def without_alpha(dataset: Any) -> list[int]:
    """Numbers of the bands that are not a mask of what is transparent."""
    from rasterio.enums import ColorInterp

    return [band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True) if kind != ColorInterp.alpha]
