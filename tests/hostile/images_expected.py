"""What an image file says by another way than ours: the header read by hand, the pixels unpacked by hand."""

from __future__ import annotations

import ast
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np

from sfigf.images.values import axes_of, matlab_axes_of, stored_type
from tests.hostile.images_changes import jpeg_segments, png_chunks
from tests.hostile.images_seeds import PNG_START

DAMAGED = "damaged"
"""No summary is this: a file of which it is expected must be refused."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_TURNING = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


def described(array: np.ndarray) -> str:
    """Shape, type and digest of (C,H,W)."""
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return f"{tuple(array.shape)} {array.dtype} {digest}"


def png(path: Path) -> str | None:
    """Damaged if a CRC or the packed pixels are; else the pixels of what is not interlaced and not turned.

    Source: W3C PNG, third edition, sections 5, 7, 9 and 11.
    """
    data = path.read_bytes()
    chunks = png_chunks(data)
    kinds = [kind for kind, _ in chunks]
    if not data.startswith(PNG_START) or kinds.count(b"IHDR") != 1 or kinds[0] != b"IHDR" or kinds.count(b"PLTE") > 1:
        return None
    if not _checked(data):
        return DAMAGED
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    inflate = zlib.decompressobj()
    try:
        packed = inflate.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"), 2**24)
    except zlib.error:
        return DAMAGED
    if interlaced or width * height > 10**6 or any(kind in kinds for kind in _TURNING):
        return None
    samples = _SAMPLES[colour]
    stride = (width * samples * bits + 7) // 8
    if len(packed) < height * (stride + 1):
        return DAMAGED
    lines = _unfiltered(packed, height, stride, max(1, samples * bits // 8))
    values = _unpacked(lines, bits)[:, : width * samples].reshape(height, width, samples)
    if colour == 3:
        palette = np.zeros((256, 3), np.uint8)
        table = np.frombuffer(dict(chunks)[b"PLTE"], np.uint8).reshape(-1, 3)
        palette[: len(table)] = table
        if values.max() >= len(table):
            return None
        return described(palette[values[..., 0]].transpose(2, 0, 1))
    if bits < 8:
        values = (values * (255 // (2**bits - 1))).astype(np.uint8)
    return described(values[..., : samples - (colour in (4, 6))].transpose(2, 0, 1))


def _checked(data: bytes) -> bool:
    """Whether the CRC of every chunk is right that the pixels depend on."""
    place = len(PNG_START)
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        end = place + 8 + length
        if (
            kind in (b"IHDR", b"PLTE", b"IDAT")
            and zlib.crc32(data[place + 4 : end]).to_bytes(4, "big") != data[end : end + 4]
        ):
            return False
        place = end + 4
        if kind == b"IEND":
            break
    return True


def _unfiltered(packed: bytes, height: int, stride: int, step: int) -> np.ndarray:
    above = bytearray(stride)
    lines = np.zeros((height, stride), np.uint8)
    for row in range(height):
        begin = row * (stride + 1)
        kind, line = packed[begin], bytearray(packed[begin + 1 : begin + 1 + stride])
        for place in range(stride):
            left = line[place - step] if place >= step else 0
            corner = above[place - step] if place >= step else 0
            line[place] = (line[place] + _predicted(kind, left, above[place], corner)) % 256
        lines[row] = np.frombuffer(line, np.uint8)
        above = line
    return lines


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
    return {0: 0, 1: left, 2: up, 3: (left + up) // 2}[kind]


def _unpacked(lines: np.ndarray, bits: int) -> np.ndarray:
    if bits == 16:
        return np.ascontiguousarray(lines).view(">u2").astype(np.uint16)
    if bits == 8:
        return lines
    places = np.arange(8 - bits, -1, -bits)
    return ((lines[..., None] >> places) & (2**bits - 1)).reshape(len(lines), -1).astype(np.uint8)


def jpeg(path: Path) -> str | None:
    """Bands and sides of the only frame, the longer first: it may have been turned."""
    data = path.read_bytes()
    frames = [data[begin:end] for marker, begin, end in jpeg_segments(data) if 0xC0 <= marker <= 0xC2]
    if len(frames) != 1 or data[:2] != b"\xff\xd8":
        return None
    height, width, components = struct.unpack(">HHB", frames[0][5:10])
    return f"{1 if components == 1 else 3} {sorted((height, width))} uint8"


def npy(path: Path) -> str | None:
    """The values, by the header as the format's text has it. Source: NumPy enhancement proposal 1."""
    data = path.read_bytes()
    if data[:6] != b"\x93NUMPY":
        return DAMAGED
    wide = data[6] > 1
    length = int.from_bytes(data[8 : 12 if wide else 10], "little")
    begin = (12 if wide else 10) + length
    header = ast.literal_eval(data[begin - length : begin].decode("utf-8"))
    dtype, shape = np.dtype(header["descr"]), header["shape"]
    count = int(np.prod([int(side) for side in shape], dtype=object))
    if begin + count * dtype.itemsize > len(data):
        return DAMAGED
    values = np.frombuffer(data, dtype, count, begin).reshape(shape, order="F" if header["fortran_order"] else "C")
    with np.errstate(over="ignore"):
        planes = values.transpose(axes_of(values.shape)).astype(stored_type(dtype))
    return described(planes if planes.ndim == 3 else planes[None])


def tiff(path: Path) -> str | None:
    """The pixels as tifffile has them, of a file of one plain page."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        plain = page.photometric in (1, 2) and page.samplesperpixel in (1, 3) and not page.extrasamples
        if len(file.pages) != 1 or not plain or page.dtype is None or 8 * page.dtype.itemsize != page.bitspersample:
            return None
        values = np.asarray(page.asarray())
        if values.ndim == 3 and page.planarconfig == 1:
            values = values.transpose(2, 0, 1)
    if 0 in (page.dataoffsets or [0]) or 0 in page.databytecounts or values.dtype.kind not in "fiu":
        return None
    with np.errstate(over="ignore"):
        values = values.astype(stored_type(values.dtype))
    return described(values if values.ndim == 3 else values[None])


def matlab(path: Path) -> str | None:
    """The only picture as scipy has it; it ends the process over some damaged files, which counts for nobody."""
    from scipy.io import loadmat

    arrays = loadmat(path, mat_dtype=True)
    pictures = [a for a in arrays.values() if isinstance(a, np.ndarray) and a.dtype.kind in "fiu" and min(a.shape) > 1]
    if len(pictures) != 1 or pictures[0].ndim > 3:
        return None
    values = pictures[0].transpose(matlab_axes_of(pictures[0].shape)).astype(stored_type(pictures[0].dtype))
    return described(values if values.ndim == 3 else values[None])
