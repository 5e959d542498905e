"""Arrays of MATLAB 4 to 7 files, read in Python: scipy's compiled reader can end the process over a damaged one.

Nothing is taken on trust: an array that announces more values than its bytes hold is refused before memory is taken.
Source of the layouts: MathWorks, "MAT-File Format", R2019b, chapters 1 and 2.
"""

from __future__ import annotations

import dataclasses
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from sfigf.interface import Array

_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8", 16: "u1", 17: "u2",
    18: "u4",
}  # fmt: skip
_NUMBERS = {
    6: "double", 7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32", 14: "int64",
    15: "uint64",
}  # fmt: skip
_OTHERS = {1: "cell", 2: "struct", 3: "object", 5: "sparse", 16: "function", 17: "object"}
_STORED_4 = ("f8", "f4", "i4", "i2", "u2", "u1")
_CHAR, _OBJECT, _MATRIX, _PACKED = 4, 17, 14, 15
_HEADER, _LONGEST_HEAD, _STEP = 128, 4096, 2**20


@dataclasses.dataclass(frozen=True)
class Stored:
    """One array of a file.

    Attributes:
        shape: As MATLAB shows it.
        kind: MATLAB's class: ``double``, ``uint16``, ``char``, ``logical``, ``struct`` ...
        is_complex: Whether it has an imaginary part; ``load`` leaves that out.
        load: Returns numbers, of the class's type, or the codes of letters, the axes reversed; nothing of other kinds.
            ValueError if they are not all there.
    """

    shape: tuple[int, ...]
    kind: str
    is_complex: bool
    load: Callable[[], Array]


def stored_arrays(path: Path) -> dict[str, Stored]:
    """List the arrays of a file by name.

    Raises:
        ValueError: If it is no MATLAB file of version 4 to 7, or is damaged.
    """
    with path.open("rb") as file:
        start = file.read(_HEADER)
    if len(start) < 20:
        raise ValueError("too short for a .mat file")
    # A file of version 4 begins with a small number, later ones with letters.
    found = dict(_version_4(path) if 0 in start[:4] else _version_5(path, start))
    return {name: array for name, array in found.items() if name}  # MATLAB keeps its own things under no name


def _version_4(path: Path) -> Iterator[tuple[str, Stored]]:
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            head = file.read(20)
            order = "<" if struct.unpack("<I", head[:4])[0] < 5000 else ">"
            code, rows, columns, imaginary, length = struct.unpack(f"{order}5I", head)
            thousands, hundreds, number, kind = (code // step % 10 for step in (1000, 100, 10, 1))
            if code >= 5000 or thousands > 1 or hundreds or number > 5 or kind > 2 or length > _LONGEST_HEAD:
                raise ValueError("no header of a .mat file")
            name = file.read(length).rstrip(b"\0").decode("latin-1")
            dtype = np.dtype(_STORED_4[number]).newbyteorder(order)  # type: ignore[arg-type]
            begin, held = place + 20 + length, rows * columns * dtype.itemsize
            place = begin + held * (2 if imaginary else 1)
            if place > size:
                raise ValueError(f"{name!r:.80} announces {rows}x{columns} values that are not in the file")
            load = partial(_read_plain, path, dtype, np.dtype(float), begin, (columns, rows))
            yield name, Stored((rows, columns), ("double", "char", "sparse")[kind], imaginary != 0, load)


def _version_5(path: Path, start: bytes) -> Iterator[tuple[str, Stored]]:
    order = {b"IM": "<", b"MI": ">"}.get(start[126:128], "")
    if not order:
        raise ValueError("no header of a .mat file")
    size, place = path.stat().st_size, _HEADER
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            kind, length = struct.unpack(f"{order}2I", file.read(8))
            if place + 8 + length > size:
                raise ValueError("ends within an array")
            packed = kind == _PACKED
            if packed:
                head = zlib.decompressobj().decompress(file.read(min(length, _LONGEST_HEAD)), _LONGEST_HEAD)
                kind = struct.unpack(f"{order}I", head[:4])[0]
            else:
                head = bytes(8) + file.read(min(length, _LONGEST_HEAD))
            if kind == _MATRIX:
                yield _matrix(path, order, head, place if not packed else place + 8, length if packed else None)
            place += 8 + length


def _matrix(path: Path, order: str, head: bytes, place: int, packed: int | None) -> tuple[str, Stored]:
    """Name and array of a matrix whose first bytes, tag included, are ``head``."""
    flags, sides, letters, after = _fields(head, order)
    bits = struct.unpack(f"{order}I", flags[:4])[0]
    number, is_complex, is_logical = bits & 0xFF, bool(bits & 0x800), bool(bits & 0x200)
    if number == _OBJECT:  # has no sides, its name comes first
        return sides.decode("latin-1"), Stored((1, 1), "object", False, partial(np.empty, 0))
    shape = tuple(np.frombuffer(sides, f"{order}i4").tolist())
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError("an array has no sides")
    kind = "logical" if is_logical else {**_NUMBERS, **_OTHERS, _CHAR: "char"}.get(number, "unknown")
    name = letters.decode("latin-1")
    if is_logical or number not in {*_NUMBERS, _CHAR}:
        return name, Stored(shape, kind, is_complex, partial(np.empty, 0))
    stored, begin, held, _ = _element(head, after, order)
    if stored not in _STORED or held != math.prod(shape) * np.dtype(_STORED[stored]).itemsize:
        raise ValueError(f"{name!r:.80} announces {shape} values, its bytes are {held}")
    dtype = np.dtype(order + _STORED[stored])
    wanted = dtype if kind == "char" else np.dtype(kind)
    if not np.can_cast(dtype, wanted):
        raise ValueError(f"{name!r:.80} of {kind} is stored as {dtype}")
    if packed is None:
        load = partial(_read_plain, path, dtype, wanted, place + begin, shape[::-1])
    else:
        load = partial(_read_packed, path, dtype, wanted, (place, packed, begin), shape[::-1])
    return name, Stored(shape, kind, is_complex, load)


def _fields(head: bytes, order: str) -> tuple[bytes, bytes, bytes, int]:
    """Flags, sides and name of a matrix, and where its values begin."""
    place, fields = 8, []
    for _ in range(3):
        _, begin, length, place = _element(head, place, order)
        if begin + length > len(head):
            raise ValueError("the head of an array is damaged")
        fields.append(head[begin : begin + length])
    return fields[0], fields[1], fields[2], place


def _element(data: bytes, place: int, order: str) -> tuple[int, int, int, int]:
    """Kind, begin and length of an element, and where the next one is; up to 4 bytes lie in the tag itself."""
    kind, length = struct.unpack_from(f"{order}2I", data, place)
    if kind >> 16:
        return kind & 0xFFFF, place + 4, kind >> 16, place + 8
    return kind, place + 8, length, place + 8 + -(-length // 8) * 8


def _read_plain(path: Path, stored: np.dtype, wanted: np.dtype, begin: int, shape: tuple[int, ...]) -> Array:
    length = math.prod(shape) * stored.itemsize
    if begin + length > path.stat().st_size:
        raise ValueError(f"announces {shape[::-1]} values that are not in the file")
    with path.open("rb") as file:
        file.seek(begin)
        return np.frombuffer(file.read(length), stored).astype(wanted).reshape(shape)


def _read_packed(
    path: Path, stored: np.dtype, wanted: np.dtype, where: tuple[int, int, int], shape: tuple[int, ...]
) -> Array:
    """Unpack no more than is announced, and to the end, where the checksum is."""
    place, packed, begin = where
    with path.open("rb") as file:
        file.seek(place)
        inflate = zlib.decompressobj()
        values = inflate.decompress(file.read(packed), begin + math.prod(shape) * stored.itemsize)
    array = np.frombuffer(values, stored, math.prod(shape), begin).astype(wanted).reshape(shape)
    while not inflate.eof and (rest := inflate.unconsumed_tail):
        inflate.decompress(rest, _STEP)
    if not inflate.eof:
        raise ValueError("packed values end early")
    return array
