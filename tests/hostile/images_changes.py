"""Damage that knows the format: chunks, segments, tags and headers that lie."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from tests.hostile.images_seeds import PNG_START, png_chunk
from tests.hostile.mutations import ANY

HUGE = (0, 1, 2, 255, 65535, 65536, 30_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
Chunks = list[tuple[bytes, bytes]]


def _one(rng: np.random.Generator, values: object) -> int:
    return int(rng.choice(values))  # type: ignore[arg-type]


def png_chunks(data: bytes) -> Chunks:
    """Kind and content of every whole chunk."""
    chunks, place = [], len(PNG_START)
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def _png(chunks: Chunks) -> bytes:
    return PNG_START + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_header(data: bytes, rng: np.random.Generator) -> bytes:
    """Another size, depth, colour type, filter or interlacing, with the CRC to it."""
    chunks = png_chunks(data)
    if not chunks or len(chunks[0][1]) != 13:
        return data
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
    field = int(rng.integers(7))
    fields[field] = _one(rng, HUGE) if field < 2 else _one(rng, (0, 1, 2, 3, 4, 6, 8, 16, 32, 255))
    return _png([(b"IHDR", struct.pack(">IIBBBBB", *fields)), *chunks[1:]])


def png_content(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage inside a chunk, with the CRC to it."""
    chunks = png_chunks(data)
    if not chunks:
        return data
    which = int(rng.integers(len(chunks)))
    kind, content = chunks[which]
    change = ANY[int(rng.integers(len(ANY)))]
    chunks[which] = (kind, change(content, rng) if content else rng.bytes(9))
    return _png(chunks)


def png_order(data: bytes, rng: np.random.Generator) -> bytes:
    """Drop, double, move or rename a chunk."""
    chunks = png_chunks(data)
    if len(chunks) < 2:
        return data
    which, other = (int(rng.integers(len(chunks))) for _ in range(2))
    chunk = chunks.pop(which)
    match int(rng.integers(4)):
        case 1:
            chunks[other:other] = [chunk, chunk]
        case 2:
            chunks.insert(other, chunk)
        case 3:
            chunks.insert(
                which, ([b"IDAT", b"PLTE", b"tRNS", b"fdAT", b"acTL", b"eXIf"][int(rng.integers(6))], chunk[1])
            )
    return _png(chunks)


def png_bomb(data: bytes, rng: np.random.Generator) -> bytes:
    """A chunk of a few kilobytes that unpacks to many megabytes."""
    zeros = zlib.compress(bytes(int(rng.integers(2**20, 2**25))), 9)
    bomb = (
        (b"zTXt", b"Comment\0\0" + zeros), (b"iTXt", b"Title\0\1\0\0\0" + zeros), (b"iCCP", b"profile\0\0" + zeros),
        (b"IDAT", zeros), (b"eXIf", b"Exif\0\0II*\0" + bytes(2**16)),
    )[int(rng.integers(5))]  # fmt: skip
    chunks = png_chunks(data)
    return _png([*chunks[:1], bomb, *chunks[1:]])


def png_pixels(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits of the packed pixels and leave the CRC as it is."""
    place = data.find(b"IDAT") + 4
    length = int.from_bytes(data[place - 8 : place - 4], "big")
    if place < 8 or not 0 < length <= len(data) - place:
        return data
    changed = bytearray(data)
    changed[place + int(rng.integers(length))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


PNG = (png_header, png_content, png_order, png_bomb, png_pixels)


def jpeg_segments(data: bytes) -> list[tuple[int, int, int]]:
    """Marker, begin and end of every segment with a length."""
    found, place = [], 2
    while place + 4 <= len(data):
        if data[place] != 0xFF or data[place + 1] in (0, 0xFF, *range(0xD0, 0xDA)):
            place += 1
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        found.append((data[place + 1], place, min(end, len(data))))
        place = max(end, place + 1)
    return found


def jpeg_frame(data: bytes, rng: np.random.Generator) -> bytes:
    """Another size, depth, number of components or sampling."""
    for marker, begin, end in jpeg_segments(data):
        if 0xC0 <= marker <= 0xC2 and end - begin > 10:
            changed = bytearray(data)
            if rng.integers(2):
                place = begin + 5 + 2 * int(rng.integers(2))
                changed[place : place + 2] = struct.pack(">H", _one(rng, (0, 1, 7, 8, 30_000, 65_500, 65_535)))
            else:
                changed[begin + _one(rng, (1, 4, 9, *range(10, end - begin)))] = _one(
                    rng, (0, 1, 4, 12, 0x11, 0x41, 255)
                )
            return bytes(changed)
    return data


def jpeg_order(data: bytes, rng: np.random.Generator) -> bytes:
    """Drop, double or move a segment, or let its length lie."""
    segments = jpeg_segments(data)
    if not segments:
        return data
    _, begin, end = segments[int(rng.integers(len(segments)))]
    segment, rest = data[begin:end], data[:begin] + data[end:]
    match int(rng.integers(4)):
        case 0:
            return rest
        case 1:
            return data[:end] + segment * int(rng.integers(1, 200)) + data[end:]
        case 2:
            return rest[:2] + segment + rest[2:]
        case _:
            return data[: begin + 2] + struct.pack(">H", _one(rng, (0, 1, 2, 3, 65535))) + data[begin + 4 :]


def jpeg_scans(data: bytes, rng: np.random.Generator) -> bytes:
    """Repeat the last scan many times over a large frame."""
    begin = data.rfind(b"\xff\xda")
    big = jpeg_frame(data, rng)
    return big[:-2] + data[begin:-2] * int(rng.integers(1, 600)) + b"\xff\xd9" if begin > 0 else data


JPEG = (jpeg_frame, jpeg_order, jpeg_scans)


def tiff_entries(data: bytes) -> list[tuple[int, str, bool]]:
    """Place of every tag of every page, the order of bytes, and whether the file is a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] == struct.pack(f"{order}H", 43)
    start, number, count, size = (8, "Q", "Q", 20) if big else (4, "I", "H", 12)
    places: list[tuple[int, str, bool]] = []
    try:
        (page,) = struct.unpack_from(order + number, data, start)
        while page and len(places) < 500:
            (tags,) = struct.unpack_from(order + count, data, page)
            begin = page + struct.calcsize(order + count)
            places += [(begin + size * tag, order, big) for tag in range(min(tags, 100))]
            (page,) = struct.unpack_from(order + number, data, begin + size * tags)
    except (struct.error, OverflowError):
        pass
    return places


def tiff_tag(data: bytes, rng: np.random.Generator) -> bytes:
    """Let a tag have another number, type, count or value."""
    entries = tiff_entries(data)
    if not entries:
        return data
    place, order, big = entries[int(rng.integers(len(entries)))]
    wide = "Q" if big else "I"
    changed = bytearray(data) + bytes(max(32, place + 32 - len(data)))
    match int(rng.integers(6)):
        case 0:
            struct.pack_into(
                f"{order}H", changed, place, _one(rng, (256, 257, 258, 259, 262, 273, 277, 278, 279, 320, 322, 339))
            )
        case 1:
            struct.pack_into(f"{order}H", changed, place + 2, _one(rng, (0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 255)))
        case 2:
            struct.pack_into(order + wide, changed, place + 4, _one(rng, HUGE))
        case _:
            code = "H" if rng.integers(2) else wide
            value = _one(
                rng, (*HUGE, 3, 4, 5, 6, 7, 8, 16, 32, 64, 4096, 32773, 34712, 50000, len(data) - 1, len(data))
            )
            struct.pack_into(
                order + code, changed, place + (12 if big else 8), value % 2 ** (8 * struct.calcsize(order + code))
            )
    return bytes(changed[: len(data)])


def tiff_loop(data: bytes, rng: np.random.Generator) -> bytes:
    """Let the last page be followed by the first again, or by nonsense."""
    entries = tiff_entries(data)
    if not entries:
        return data
    place, order, big = entries[-1]
    wide, size, start = ("Q", 20, 8) if big else ("I", 12, 4)
    changed = bytearray(data)
    (first,) = struct.unpack_from(order + wide, data, start)
    if place + size + 8 <= len(changed):
        struct.pack_into(order + wide, changed, place + size, _one(rng, (first, place, len(data), 2**31 - 1, 7)))
    return bytes(changed)


TIFF = (tiff_tag, tiff_tag, tiff_tag, tiff_loop)
_DESCRIPTIONS = (
    "|O", "<f4", "<f8", ">i8", "<c8", "<U5", "|V8", "|S3", "|b1", "<M8[s]", "<f16", "<f2", "x", "", "<f999999999",
)  # fmt: skip
_SHAPES = (
    (2**31, 2**31), (2**63,), (10**40, 1), (0, 5), (-1, 30), (1, 1, 2**20, 2**20), (3, 0, 4), (), (30,), (2**16, 2**16),
    (5, 5), (True, 9), (26, 38, 1), (26.0, 38), "ab", (1,) * 40,
)  # fmt: skip


def npy_header(data: bytes, rng: np.random.Generator) -> bytes:
    """Another shape, type or order, in a header that is well formed, mostly."""
    description: object = _DESCRIPTIONS[int(rng.integers(len(_DESCRIPTIONS)))] if rng.integers(2) else "<f4"
    if rng.integers(8) == 0:
        description = [("a", "<f4"), ("b", "|O")] if rng.integers(2) else ("<f4", (2**20, 2**20))
    shape = _SHAPES[int(rng.integers(len(_SHAPES)))] if rng.integers(2) else (26, 38)
    fields = {"descr": description, "fortran_order": bool(rng.integers(2)), "shape": shape}
    if rng.integers(6) == 0:
        fields.pop(list(fields)[int(rng.integers(3))])
    text = str(fields) if rng.integers(8) else "(" * int(rng.integers(1, 9000))
    header = text.ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header) % 65536) + header + data[128:]


NPY = (npy_header,)


def mat_tag(data: bytes, rng: np.random.Generator) -> bytes:
    """Let a tag of a MATLAB file have another type or length, or an array other sides."""
    place = 128 + 8 * int(rng.integers(min(12, max(1, len(data) // 8 - 16))))
    number = _one(rng, (*range(16), *HUGE, 2**31 - 8, 2**20))
    changed = bytearray(data) + bytes(8)
    struct.pack_into("<I", changed, place + 4 * int(rng.integers(2)), number)
    return bytes(changed[: len(data)])


def mat_inside(data: bytes, rng: np.random.Generator) -> bytes:
    """The same in a packed array, packed again."""
    try:
        inner = zlib.decompress(data[136:])
    except zlib.error:
        return data
    packed = zlib.compress(mat_tag(bytes(128) + inner, rng)[128:])
    return data[:132] + struct.pack("<I", len(packed)) + packed


MAT = (mat_tag, mat_inside)


def hdf5_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace a length of the picture, wherever one stands, by an absurd one."""
    wanted = struct.pack("<Q", _one(rng, (4, 8, 26, 38)))
    places = [place for place in range(0, len(data) - 8) if data[place : place + 8] == wanted]
    if not places:
        return data
    place = places[int(rng.integers(len(places)))]
    number = struct.pack("<Q", _one(rng, (*HUGE, 2**40, 2**62)))
    return data[:place] + number + data[place + 8 :]


HDF5 = (hdf5_number,)
