"""An image file that comes into being: one class, whatever takes the windows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from sfigf.files import replacing
from sfigf.images.reading import reason
from sfigf.images.values import check_inside, to_type
from sfigf.interface import Array, UserError
from sfigf.regions import Region

Put = Callable[[Region, Array], None]


def check_folder(path: Path) -> None:
    """Refuse a path that no file can be written at, before anything is computed for it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:  # GDAL takes no other names
        raise UserError(f"{path}: its name is not UTF-8; name another, or give the input another name") from None
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{path}: {folder} is not a folder that you may write to; name another")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file in it")


def check_nodata(path: Path, nodata: float | None, dtype: np.dtype) -> None:
    """Refuse a nodata value that the type cannot hold."""
    if nodata is None or dtype.kind == "f":
        return
    if not (float(nodata).is_integer() and 0 <= nodata <= np.iinfo(dtype).max):
        raise UserError(f"{path}: {dtype} cannot hold the nodata value {nodata}; write float32")


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({reason(error)}); is there room on the disk?") from None


class NewImage:
    """An ``ImageWriter``: ``begin`` makes the file at a temporary path and yields what puts a window into it."""

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        dtype: np.dtype,
        nodata: float | None,
        begin: Callable[[Path], AbstractContextManager[Put]],
    ) -> None:
        self.path, self.shape, self.dtype = path, shape, dtype
        self._nodata, self._begin, self._open = nodata, begin, contextlib.ExitStack()

    def write(self, region: Region, values: Array) -> None:
        """Put (C,h,w) values into the region."""
        bands, height, width = self.shape
        if values.shape != (bands, region.height, region.width):
            raise ValueError(f"values of shape {values.shape} for {region} of {bands} bands")
        check_inside(region, height, width, self.path)
        with _writing(self.path):
            self._put(region, to_type(values, self.dtype, self._nodata))

    def __enter__(self) -> Self:
        with _writing(self.path), contextlib.ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            self._put = stack.enter_context(self._begin(temporary))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.nullcontext() if error else _writing(self.path):
            self._open.__exit__(kind, error, trace)
