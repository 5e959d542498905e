"""Arrays in ``.mat`` files (MATLAB 4 to 7.3) and in HDF5: read only."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sfigf.images.matlab_classic import Stored, stored_arrays
from sfigf.images.model import MAX_VALUES
from sfigf.images.reading import OpenImage, needed, view
from sfigf.images.values import axes_of, matlab_axes_of
from sfigf.images.whole import check_blocks
from sfigf.interface import UserError

_NUMBERS = {"double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class _Variable:
    """An array as its bytes lie in the file: MATLAB's axes are the other way round, rows last."""

    shape: tuple[int, ...]
    turned: bool
    load: Callable[[], Any]

    @property
    def said(self) -> tuple[int, ...]:
        """The shape as the program shows it that wrote it."""
        return self.shape[::-1] if self.turned else self.shape

    @property
    def is_picture(self) -> bool:
        """Whether it is more than a number or a list of them."""
        return len(self.shape) > 1 and sorted(self.shape)[-2] > 1


def open_matlab(path: Path, name: str | None) -> OpenImage:
    """Open one array of a file; ``name`` may end with the index of one of several images, as in ``ms[3]``."""
    found, close = (_hdf5 if _is_hdf5(path) else _classic)(path)
    try:
        label, index = _split(name)
        variable = found[_choose(found, label)]
        return _open(path, variable, index, close)
    except BaseException:
        close()
        raise


def _open(path: Path, variable: _Variable, index: int | None, close: Callable[[], None]) -> OpenImage:
    sample: tuple[int, ...] = ()
    shape = variable.shape
    if len(shape) == 4:
        sample, shape = (_which(index, shape[0]),), shape[1:]
    elif index is not None:
        raise UserError(f"holds one image there, of shape {variable.said}; leave [{index}] out")
    if len(shape) not in (2, 3) or 0 in shape:
        raise UserError(f"shape {variable.said}; an image has two dimensions, or three with the bands")
    axes = axes_of(shape)
    if variable.turned:
        axes = tuple(len(shape) - 1 - axis for axis in matlab_axes_of(shape[::-1]))
    return view(path, variable.load(), axes, sample, close=close)


def _split(name: str | None) -> tuple[str | None, int | None]:
    match = re.fullmatch(r"(.*)\[(\d+)\]", name or "")
    return (match[1] or None, int(match[2])) if match else (name, None)


def _which(index: int | None, count: int) -> int:
    if count > 1 if index is None else index >= count:
        raise UserError(f"holds {count} images there; name one of them, [0] to [{count - 1}] after the array's name")
    return index or 0


def _choose(found: dict[str, _Variable], name: str | None) -> str:
    listed = ", ".join(f"{key} {variable.said}" for key, variable in found.items()) or "none"
    if name is not None and name not in found:
        raise UserError(f"there is no array of numbers '{name}'; there are: {listed}")
    if name is not None:
        return name
    pictures = [key for key, variable in found.items() if variable.is_picture] or list(found)
    if len(pictures) != 1:
        raise UserError(f"which array is the image must be said by its name; there are: {listed}")
    return pictures[0]


def _is_hdf5(path: Path) -> bool:
    """MATLAB puts 512 bytes of its own before the HDF5 file."""
    with path.open("rb") as file:
        start = file.read(512 + len(_HDF5))
    return start.startswith(_HDF5) or start.endswith(_HDF5)


def _classic(path: Path) -> tuple[dict[str, _Variable], Callable[[], None]]:
    listed = {name: array for name, array in stored_arrays(path).items() if array.kind in _NUMBERS}
    return {name: _Variable(a.shape[::-1], True, partial(_load, name, a)) for name, a in listed.items()}, _nothing


def _load(name: str, array: Stored) -> Any:
    if array.is_complex:
        raise UserError(f"'{name}' holds complex values; save its real part or its modulus")
    if math.prod(array.shape) > MAX_VALUES:
        raise UserError(f"shape {array.shape} is over the limit of {MAX_VALUES:,} values; save it as TIFF")
    return array.load()


def _nothing() -> None:
    return None


def _checked(array: Any, file_bytes: int) -> Any:
    check_blocks(array, file_bytes)
    if array.chunks and math.prod(array.chunks) > MAX_VALUES:
        raise UserError(f"packed in blocks of {array.chunks}, over the limit of {MAX_VALUES:,} values")
    return array


def _hdf5(path: Path) -> tuple[dict[str, _Variable], Callable[[], None]]:
    try:
        import h5py
    except ImportError:
        raise needed(path, "h5py") from None
    file = h5py.File(path, "r", locking=False)
    found: dict[str, _Variable] = {}

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or name.startswith("#") or item.dtype.kind not in "fiu":
            return
        kind = item.attrs.get("MATLAB_class")
        if kind is None or kind.decode() in _NUMBERS:
            found[name] = _Variable(item.shape, kind is not None, partial(_checked, item, path.stat().st_size))

    file.visititems(visit)
    return found, file.close
