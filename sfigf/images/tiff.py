"""TIFF and GeoTIFF in windows, through GDAL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.images.gdal import gdal, open_dataset, window, without_alpha
from sfigf.images.model import MAX_BANDS, MAX_VALUES, Georeference
from sfigf.images.pages import check_pages
from sfigf.images.reading import OpenImage, view
from sfigf.images.tags import mapped
from sfigf.images.values import axes_of, stored_type
from sfigf.images.writing import Put
from sfigf.interface import Array, UserError
from sfigf.regions import Region

_BLOCK_PX = 256


def open_tiff(path: Path) -> OpenImage:
    """Open a TIFF of any number of bands, or of several equal pages, which then are the bands."""
    check_pages(path)
    dataset = open_dataset(path, "GTiff")
    _check_block(dataset)
    table, bands = _table(dataset), _bands(dataset)
    dtype = np.dtype(np.uint8) if table is not None else stored_type(np.dtype(dataset.dtypes[0]))
    facts = {"nodata": _nodata(dataset, dtype), "georeference": _georeference(dataset), "close": dataset.close}
    pages = _pages(path, dataset, **facts)
    if pages is not None:
        return pages
    shape = (len(bands) if table is None else len(table), *dataset.shape)
    _check_bands(shape[0])

    def cut(region: Region) -> Array:
        with gdal():
            values = dataset.read(bands, window=window(region))
        return values if table is None else table[:, values[0]]

    return OpenImage(path, shape, dtype, cut, **facts)


def _bands(dataset: Any) -> list[int]:
    # GDAL marks the fourth of four 8-bit bands as alpha unless told otherwise: near infrared, if it shows the ground.
    return list(dataset.indexes) if _georeference(dataset) else without_alpha(dataset)


def _check_bands(count: int) -> None:
    if count > MAX_BANDS:
        raise UserError(f"{count} bands; at most {MAX_BANDS}")


def _check_block(dataset: Any) -> None:
    """Refuse what can only be decoded whole and is too large for that."""
    height, width = dataset.block_shapes[0]
    values = height * width * (1 if dataset.profile.get("interleave") == "band" else dataset.count)
    if values > MAX_VALUES:
        raise UserError(f"one block holds {values:,} values, over the limit of {MAX_VALUES:,}; save it in tiles")


def _georeference(dataset: Any) -> Georeference | None:
    if dataset.crs is None and dataset.transform.is_identity:
        return None
    return Georeference(dataset.crs, dataset.transform)


def _nodata(dataset: Any, dtype: np.dtype) -> float | None:
    if dataset.nodata is None:
        return None
    with np.errstate(over="ignore"):
        return float(np.float32(dataset.nodata)) if dtype.kind == "f" else float(dataset.nodata)


def _table(dataset: Any) -> Array | None:
    """What stored numbers look like, (bands, numbers) uint8, of an image with a palette or of 1, 2 or 4 bits."""
    from rasterio.enums import ColorInterp

    if dataset.colorinterp[0] == ColorInterp.palette:
        palette = dataset.colormap(1)
        table = np.array([palette[number][:3] for number in range(len(palette))], np.uint8).T
        return table[:1] if (table == table[0]).all() else table
    bits = int(dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    if bits < 8 and dataset.count == 1:
        return np.linspace(0, 255, 2**bits).astype(np.uint8)[None]
    return None


def _pages(path: Path, dataset: Any, **facts: Any) -> OpenImage | None:
    """Several pages of one size and type as bands; None if there is one page, or if they differ: the first counts."""
    names = dataset.subdatasets
    if not names:
        return None
    stored = mapped(path)
    if stored is not None:
        return view(path, stored, axes_of(stored.shape), **facts)
    _check_bands(len(names))
    kinds = {_page(name, lambda page: (page.count, page.shape, page.dtypes)) for name in names}
    if len(kinds) > 1 or dataset.count > 1:
        return None

    def cut(region: Region) -> Array:
        return np.stack([_page(name, lambda page: page.read(1, window=window(region))) for name in names])

    return OpenImage(path, (len(names), *dataset.shape), stored_type(np.dtype(dataset.dtypes[0])), cut, **facts)


def _page(name: str, read: Any) -> Any:
    import rasterio

    with gdal(), rasterio.open(name, driver="GTiff") as page:
        return read(page)


@contextlib.contextmanager
def tiff_file(
    path: Path,
    shape: tuple[int, int, int],
    dtype: np.dtype,
    georeference: Georeference | None,
    nodata: float | None,
    *,
    compress: bool = True,
) -> Iterator[Put]:
    """Make a tiled TIFF, larger than 4 GB if need be; tiles that are never written take no room."""
    bands, height, width = shape
    options: dict[str, Any] = {
        "tiled": True, "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX, "BIGTIFF": "IF_SAFER", "SPARSE_OK": True,
        "interleave": "pixel" if bands == 3 else "band",
        "photometric": "RGB" if bands == 3 and dtype.kind == "u" else "MINISBLACK",
    }  # fmt: skip
    if compress:
        options |= {"compress": "deflate", "predictor": 3 if dtype.kind == "f" else 2}
    if georeference:
        options |= {"crs": georeference.crs, "transform": georeference.transform}
    dataset = open_dataset(
        path, "GTiff", mode="w", height=height, width=width, count=bands, dtype=dtype.name, nodata=nodata, **options
    )

    def put(region: Region, values: Array) -> None:
        with gdal():
            dataset.write(values, window=window(region))

    try:
        yield put
    finally:
        with gdal():
            dataset.close()
