"""An image file open for reading: one class, whatever cuts the windows."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from sfigf.images.model import Georeference
from sfigf.images.values import check_inside, stored_type
from sfigf.interface import Array, UserError
from sfigf.regions import Region


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a decoder stumbles over into one line with the path."""
    try:
        yield
    except UserError as error:
        raise UserError(_printable(str(error) if str(path) in str(error) else f"{path}: {error}")) from None
    except Exception as error:
        raise UserError(
            _printable(f"{path}: not a readable image ({reason(error)}); it may be truncated: fetch or save it again")
        ) from None


def _printable(text: str) -> str:
    """One line that no terminal takes for a command: names in a file, and of files, may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def reason(error: BaseException) -> str:
    """What went wrong, on one line: GDAL says it in the cause, LibRaw in bytes."""
    error = error.__cause__ or error
    said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    return " ".join(said.split())[:200] or type(error).__name__


def needed(path: Path, package: str) -> UserError:
    """What to say when a package is not installed that most people do not need."""
    return UserError(f"{path}: reading it takes the package {package}: pip install {package}")


def _nothing() -> None:
    return None


@dataclasses.dataclass
class OpenImage:
    """An ``ImageReader``: ``cut`` returns (C,h,w) of any real type, ``close`` lets the file go."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    cut: Callable[[Region], Array]
    nodata: float | None = None
    georeference: Georeference | None = None
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    close: Callable[[], None] = _nothing

    def read(self, region: Region) -> Array:
        """Return the region, (C,h,w) of ``dtype``; a copy."""
        check_inside(region, *self.shape[1:], self.path)
        with reading(self.path), np.errstate(over="ignore"):
            return np.array(self.cut(region), dtype=self.dtype, order="C")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Mapped:
    """A memory map that is let go after every window, so that pages once read do not count as memory in use."""

    def __init__(self, mapped: np.memmap) -> None:
        self.shape, self.dtype = mapped.shape, mapped.dtype
        order = "C" if mapped.flags.c_contiguous else "F"
        self._again = partial(np.memmap, mapped.filename, mapped.dtype, "r", mapped.offset, mapped.shape, order)

    def __getitem__(self, index: Any) -> Array:
        return np.array(self._again()[index])


def view(path: Path, stored: Any, axes: tuple[int, ...], sample: tuple[int, ...] = (), **facts: Any) -> OpenImage:
    """An open image out of anything that is sliced like an array.

    Args:
        path: Its file.
        stored: Array, ``Mapped`` or HDF5 dataset.
        axes: Which of its axes, those of ``sample`` not counted, are (C,H,W), or (H,W).
        sample: Index into the axes before those.
        facts: Further fields of ``OpenImage``.
    """
    sizes = [stored.shape[len(sample) + axis] for axis in axes]
    shape = (1, *sizes) if len(sizes) == 2 else tuple(sizes)

    def cut(region: Region) -> Array:
        wanted = (slice(None), *region.slices)[-len(axes) :]
        index = (*sample, *(wanted[axes.index(axis)] for axis in range(len(axes))))
        values = np.asarray(stored[index]).transpose(axes)
        return values if values.ndim == 3 else values[None]

    return OpenImage(path, shape, stored_type(stored.dtype), cut, **facts)
