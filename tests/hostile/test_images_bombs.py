"""Small files that announce or unpack to much: refused by a stated limit, within 192 MiB, whatever they announce."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.io import savemat

from sfigf.images import read_image
from sfigf.interface import UserError
from tests.hostile.child import limited
from tests.hostile.images_changes import jpeg_segments
from tests.hostile.images_seeds import PNG_START, picture, png_chunk
from tests.unit.test_images_camera import write_dng

MEMORY_BYTES = 192 * 2**20
Make = Callable[[Path], object]


def png(width: int, height: int, pixels: bytes, *more: tuple[bytes, bytes], depth: int = 8, colour: int = 2) -> Make:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return lambda path: path.write_bytes(PNG_START + b"".join(png_chunk(*chunk) for chunk in chunks))


def jpeg(width: int, height: int, scans: int = 1) -> Make:
    def make(path: Path) -> None:
        stream = io.BytesIO()
        Image.fromarray(picture(1)[0]).save(stream, "JPEG", progressive=scans > 1)
        data = stream.getvalue()
        (begin,) = [begin for marker, begin, _ in jpeg_segments(data) if 0xC0 <= marker <= 0xC2]
        last = data.rfind(b"\xff\xda")
        data = data[: begin + 5] + struct.pack(">HH", height, width) + data[begin + 9 : -2] + data[last:-2] * scans
        path.write_bytes(data + b"\xff\xd9")

    return make


def tiff(tag: int, value: int, **options: object) -> Make:
    """A TIFF of which one tag says something else."""

    def make(path: Path) -> None:
        tifffile.imwrite(path, picture(1)[0], metadata=None, **options)
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages.first.tags[tag].overwrite(value)

    return make


def one_tile(path: Path) -> None:
    """2,500 million values in one packed tile."""
    tifffile.imwrite(path, picture(1)[0], metadata=None, compression="zlib", tile=(32, 32))
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in (256, 257, 322, 323):
            file.pages.first.tags[tag].overwrite(50_000)


def loop(path: Path) -> None:
    tifffile.imwrite(path, picture(1)[0], metadata=None)
    data = bytearray(path.read_bytes())
    (page,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, page)
    struct.pack_into("<I", data, page + 2 + 12 * tags, page)
    path.write_bytes(data)


def npy(description: str, shape: object) -> Make:
    header = str({"descr": description, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return lambda path: path.write_bytes(
        b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + bytes(900)
    )


def mat(rows: int, packed: bool) -> Make:
    """Four numbers that are said to be more."""

    def make(path: Path) -> None:
        savemat(path, {"ms": np.ones((2, 2))})
        data = path.read_bytes()
        sides = struct.pack("<II", 2, 2)
        body = data[128:].replace(sides, struct.pack("<II", rows, 2**30), 1)
        if packed:
            body = zlib.compress(body + bytes(2**28))
            body = struct.pack("<II", 15, len(body)) + body
        path.write_bytes(data[:128] + body)

    return make


def hdf5(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Make:
    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("ms", shape, "f8", chunks=chunks, compression="gzip", fillvalue=1)

    return make


def sensor(path: Path) -> None:
    write_dng(path, np.full((8, 8), 600, np.uint16))
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag, value in ((256, 65_000), (257, 65_000), (278, 65_000)):
            file.pages.first.tags[tag].overwrite(value)


ZEROS = zlib.compress(bytes(2**26), 9)
BOMBS: dict[str, tuple[str, Make, str]] = {
    "4 * 10^8 pixels announced, none there": ("png", png(20_000, 20_000, b""), "of the 1,200,020,000 bytes"),
    "16 bit": ("png", png(20_000, 20_000, bytes(9), depth=16), "of the 2,400,020,000 bytes"),
    "over the limit": ("png", png(20_000, 20_001, b""), "20000x20001 is over the limit of 400,000,000 pixels"),
    "2^31 - 1 a side": ("png", png(2**31 - 1, 2**31 - 1, b""), "over the limit of 400,000,000 pixels"),
    "no pixels": ("png", png(0, 9, b""), "not a readable image"),
    "more packed than announced": ("png", png(4, 4, bytes(2**26)), "unpack to more than it announces"),
    "packed words": ("png", png(4, 4, bytes(52), (b"zTXt", b"Comment\0\0" + ZEROS)), "not a readable image"),
    "packed profile": ("png", png(4, 4, bytes(52), (b"iCCP", b"profile\0\0" + ZEROS)), "not a readable image|^$"),
    "a large frame of nothing": ("jpg", jpeg(60_000, 6_000), "announces 60000x6000 pixels in"),
    "65,000 a side": ("jpg", jpeg(65_000, 65_000), "over the limit of 400,000,000 pixels"),
    "500 scans": ("jpg", jpeg(300, 300, 500), r"5\d\d scans, over the limit of 100"),
    "one tile of all": ("tif", one_tile, "one block holds 2,500,000,000 values, over the limit"),
    "2^31 rows": ("tif", tiff(257, 2**31 - 1), "pieces, it has places or lengths of 1"),
    "2^31 columns": ("tif", tiff(256, 2**31 - 1), "not a readable image|one block holds"),
    "65,535 bands": ("tif", tiff(277, 65_535), "not a readable image|bands"),
    "pages in a circle": ("tif", loop, "page 65537 is missing"),
    "10^10 numbers": ("npy", npy("<f4", (100_000, 100_000)), "not a readable image"),
    "10^80 numbers": ("npy", npy("<f4", (10**40, 10**40)), "not a readable image"),
    "objects": ("npy", npy("|O", (4, 4)), "not a readable image"),
    "long words": ("npy", npy("<U99999999", (4, 4)), "not a readable image"),
    "2^61 values": ("mat", mat(2**30, False), "announces"),
    "2^61 values, packed": ("mat", mat(2**30, True), "announces"),
    "large blocks": ("h5", hdf5((50_000, 50_000), (50_000, 50_000)), "blocks|limit"),
    "10^13 of nothing": ("h5", hdf5((3_000_000, 3_000_000), (64, 64)), "over the limit of 1,600,000,000 values"),
    "a sensor of 4 * 10^9": ("dng", sensor, "not a readable image|over the limit"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(name: str, tmp_path: Path) -> None:
    suffix, make, says = BOMBS[name]
    make(tmp_path / f"i.{suffix}")
    assert (tmp_path / f"i.{suffix}").stat().st_size < 2**19
    _warm(suffix, tmp_path)
    with warnings.catch_warnings(), limited(MEMORY_BYTES):
        warnings.simplefilter("ignore")
        said = _said(tmp_path / f"i.{suffix}")
    assert re.search(says, said), said
    assert not re.search("MemoryError|llocate|out of memory", said), said


def _said(path: Path) -> str:
    try:
        read_image(path)
    except UserError as error:
        return str(error)
    return ""


def _warm(suffix: str, folder: Path) -> None:
    """Import what reads the format, so that it does not count."""
    (folder / f"warm.{suffix}").write_bytes(b"")
    _said(folder / f"warm.{suffix}")
    write_dng(folder / "warm.dng", np.full((8, 8), 600, np.uint16))
    for name in ("warm.dng", f"warm.{suffix}"):
        _said(folder / name)


def test_the_limit_is_felt() -> None:
    """What the tests above rest on."""
    with limited(MEMORY_BYTES), pytest.raises(MemoryError):
        bytearray(2 * MEMORY_BYTES)
