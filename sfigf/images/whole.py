"""Whether a file holds what it announces: asked before it is decoded, as decoders fill what is missing, or crash."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

PNG_START = b"\x89PNG\r\n\x1a\n"
MOST_SCANS = 100
"""Of a progressive JPEG; programs write about ten, each costs a walk over all pixels."""
MOST_PIXELS_PER_BYTE = 600
"""Of a JPEG: a block of 64 pixels takes at least one bit (ITU-T T.81, figure G.3), which makes 512."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
_CHECKED = (b"IHDR", b"PLTE", b"IDAT")
_STEP = 2**20
_SHORTEST_BLOCK = 5  # a checksum takes four bytes


def check_png(path: Path) -> None:
    """Raise ValueError unless the checksums are right and the packed pixels are all there, and no more than that.

    Source: W3C PNG, third edition, sections 5 (chunks), 8 (passes) and 10 (packing).
    """
    needed, held = -1, 0
    inflate = zlib.decompressobj()
    with path.open("rb") as file:
        for kind, content in _chunks(file):
            if kind == b"IHDR":
                needed = _packed_bytes(content)
            elif kind == b"IDAT" and not inflate.eof:
                held += _inflated(inflate, content, needed - held)
            elif held:
                break
    if needed < 0 or held < needed or not inflate.eof:
        raise ValueError(f"{max(0, held):,} of the {max(0, needed):,} bytes of its pixels are there")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks that pixels depend on, long ones in pieces; ValueError for a wrong checksum."""
    file.seek(len(PNG_START))
    while len(head := file.read(8)) == 8:
        left, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind not in _CHECKED:
            file.seek(left + 4, 1)
            yield kind, b""
            continue
        check = zlib.crc32(kind)
        while left and (content := file.read(min(left, _STEP))):
            check, left = zlib.crc32(content, check), left - len(content)
            yield kind, content
        if left or check.to_bytes(4, "big") != file.read(4):
            raise ValueError(f"the checksum of its {kind.decode()} is wrong")


def _inflated(inflate: zlib._Decompress, content: bytes, room: int) -> int:
    """How many bytes a piece unpacks to; ValueError if there are more than ``room`` and a little."""
    count = 0
    while content and not inflate.eof:
        count += len(inflate.decompress(content, _STEP))
        content = inflate.unconsumed_tail
        if count > room + _STEP:
            raise ValueError("its pixels unpack to more than it announces")
    return count


def _packed_bytes(header: bytes) -> int:
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    depth = bits * _SAMPLES.get(colour, 0)
    passes = _PASSES if interlaced else ((0, 1, 0, 1),)
    sides = ((_count(height, top, down), _count(width, left, across)) for top, down, left, across in passes)
    return sum(rows * (1 + -(-columns * depth // 8)) for rows, columns in sides if columns)


def _count(size: int, first: int, step: int) -> int:
    return -(-(size - first) // step) if size > first else 0


def check_jpeg(path: Path, width: int, height: int, progressive: bool) -> None:
    """Raise ValueError for a JPEG of more pixels than its bytes can hold, or of so many scans that it takes hours."""
    size = path.stat().st_size
    if width * height > MOST_PIXELS_PER_BYTE * size:
        raise ValueError(f"announces {width}x{height} pixels in {size:,} bytes, which cannot be")
    # Packed values hold no such bytes; a preview in it may, and has few.
    scans = path.read_bytes().count(b"\xff\xda") if progressive else 1
    if scans > MOST_SCANS:
        raise ValueError(f"{scans} scans, over the limit of {MOST_SCANS}")


def check_blocks(array: Any, file_bytes: int) -> None:
    """Raise ValueError for an HDF5 array with blocks that cannot be as long as the file says: h5py ends over those."""
    if not array.chunks:
        return
    whole_bytes = math.prod(array.chunks) * array.dtype.itemsize
    shortest = whole_bytes if array.id.get_create_plist().get_nfilters() == 0 else min(_SHORTEST_BLOCK, whole_bytes)
    wrong: list[Any] = []
    array.id.chunk_iter(lambda block: wrong.append(block) if not shortest <= block.size <= file_bytes else None)
    if wrong:
        raise ValueError(f"{len(wrong)} of its blocks are damaged, first that at {wrong[0].chunk_offset}")
