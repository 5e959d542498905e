"""``.npy``: read through a memory map, written in place."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sfigf.images.model import Georeference
from sfigf.images.reading import Mapped, OpenImage, view
from sfigf.images.values import axes_of
from sfigf.images.writing import Put
from sfigf.interface import Array
from sfigf.regions import Region


def open_numpy(path: Path) -> OpenImage:
    """Map (C,H,W), (H,W), or (H,W,C) of up to 16 bands; pickled objects are refused."""
    stored = Mapped(np.lib.format.open_memmap(path, mode="r"))
    return view(path, stored, axes_of(stored.shape))


@contextlib.contextmanager
def numpy_file(
    path: Path, shape: tuple[int, int, int], dtype: np.dtype, georeference: Georeference | None, nodata: float | None
) -> Iterator[Put]:
    """Make a file of zeros (C,H,W). Not through a memory map: a full disk would end the process there."""
    bands, height, width = shape
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        file.truncate(start + math.prod(shape) * dtype.itemsize)

        def put(region: Region, values: Array) -> None:
            for band in range(bands):
                for row in range(region.top, region.bottom):
                    file.seek(start + ((band * height + row) * width + region.left) * dtype.itemsize)
                    file.write(np.ascontiguousarray(values[band, row - region.top]).data)

        yield put
