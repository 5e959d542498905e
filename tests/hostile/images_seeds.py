"""Valid images of every format and kind that is read, a few dozen pixels each."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from PIL import Image, PngImagePlugin
from scipy.io import savemat

from tests.unit.test_images_camera import BGGR, RGGB, write_dng

HEIGHT, WIDTH = 26, 38
PNG_START = b"\x89PNG\r\n\x1a\n"


def picture(bands: int, dtype: Any = np.uint8, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(C,H,W) of smooth values with a little noise, over the range of the type, or about [0,1]."""
    rows, columns = np.mgrid[0:height, 0:width] / 9.0
    phases = np.arange(bands)[:, None, None]
    values = 0.5 + 0.4 * np.sin(rows + phases) * np.cos(columns - phases)
    values = values + np.random.default_rng(bands).uniform(-0.05, 0.05, values.shape)
    kind = np.dtype(dtype)
    return (values * np.iinfo(kind).max).astype(kind) if kind.kind in "iu" else values.astype(kind)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(values: np.ndarray, colour_type: int) -> bytes:
    """A 16-bit PNG of (C,H,W), which Pillow does not write."""
    height, width = values.shape[1:]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values.transpose(1, 2, 0))
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return PNG_START + b"".join(png_chunk(*chunk) for chunk in chunks)


def png(folder: Path) -> list[Path]:
    """Every colour type and depth, text, profiles, an orientation, an animation."""
    colour = Image.fromarray(picture(3).transpose(1, 2, 0))
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "some words", zip=True)
    words.add_itxt("Title", "more words")
    exif = Image.Exif()
    exif[0x112] = 6
    kinds: dict[str, dict[str, Any]] = {mode: {} for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}
    for mode in kinds:
        image = Image.fromarray(picture(1, np.uint16)[0]) if mode == "I;16" else colour.convert(mode)
        image.save(folder / f"{mode.replace(';', '-')}.png")
    colour.save(folder / "text.png", pnginfo=words, icc_profile=bytes(400), dpi=(72, 72))
    colour.save(folder / "turned.png", exif=exif)
    colour.convert("P").save(folder / "clear.png", transparency=3)
    colour.convert("L").quantize(4).save(folder / "four.png", bits=2)
    colour.save(folder / "moving.png", save_all=True, append_images=[colour.rotate(180)], duration=50)
    for samples, colour_type in ((2, 4), (3, 2), (4, 6)):
        (folder / f"deep{samples}.png").write_bytes(deep_png(picture(samples, np.uint16), colour_type))
    return sorted(folder.glob("*.png"))


def jpeg(folder: Path) -> list[Path]:
    """Grey, colour, CMYK, progressive, subsampled or not, with restarts, a profile and an orientation."""
    colour = Image.fromarray(picture(3).transpose(1, 2, 0))
    exif = Image.Exif()
    exif[0x112], exif[0x10F] = 8, "Maker"
    for mode in ("L", "RGB", "CMYK"):
        colour.convert(mode).save(folder / f"{mode}.jpg", quality=90)
    colour.save(folder / "progressive.jpg", progressive=True, quality=95, subsampling=0)
    colour.save(folder / "turned.jpg", exif=exif, icc_profile=bytes(400), comment="words")
    colour.save(folder / "restarts.jpeg", restart_marker_rows=1, subsampling=2)
    return sorted(folder.iterdir())


def tiff(folder: Path) -> list[Path]:
    """Both orders of bytes, strips and tiles, every packing and type, palette, bits, alpha, CMYK, pages."""
    holes = picture(1, np.float32)
    holes[0, :3, :3] = np.nan
    holes[0, 5, 5] = np.inf
    simple: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "grey8": (picture(1)[0], {}),
        "grey16be": (picture(1, np.uint16)[0], {"byteorder": ">"}),
        "float32": (holes[0], {}),
        "float64": (picture(1, np.float64)[0], {}),
        "signed": (picture(1, np.int16)[0], {}),
        "deflate": (picture(3).transpose(1, 2, 0), {"photometric": "rgb", "compression": "zlib", "rowsperstrip": 4}),
        "tiles": (picture(3, np.uint16).transpose(1, 2, 0), {"photometric": "rgb", "tile": (16, 16)}),
        "planes": (picture(4, np.uint16), {"planarconfig": "separate", "photometric": "minisblack"}),
        "big": (picture(1)[0], {"bigtiff": True}),
        "cmyk": (picture(4).transpose(1, 2, 0), {"photometric": "separated"}),
        "alpha": (picture(4).transpose(1, 2, 0), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        "pages": (picture(3), {"photometric": "minisblack"}),
    }
    for name, (values, options) in simple.items():
        tifffile.imwrite(folder / f"{name}.tif", values, metadata=None, **options)
    colour = Image.fromarray(picture(3).transpose(1, 2, 0))
    colour.convert("P").save(folder / "palette.tif")
    colour.convert("1").save(folder / "bits.tif", compression="group4")
    colour.save(folder / "lzw.tif", compression="tiff_lzw")
    colour.save(folder / "packbits.tiff", compression="packbits")
    colour.save(folder / "jpeg.tif", compression="jpeg")
    colour.convert("L").save(
        folder / "sizes.tif", save_all=True, append_images=[colour.convert("L").resize((9, 7))], compression="raw"
    )
    _ground(folder / "ground.tif")
    return sorted(folder.iterdir())


def _ground(path: Path) -> None:
    import rasterio

    values = picture(4, np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path, "w", driver="GTiff", height=HEIGHT, width=WIDTH, count=4, dtype="uint16", nodata=7, crs="EPSG:32633",
            transform=rasterio.Affine(2, 0, 4e5, 0, -2, 4.1e6), compress="deflate", predictor=2,
        ) as file:  # fmt: skip
            file.write(values)


def numpy(folder: Path) -> list[Path]:
    """Types, orders of bytes and axes, every version of the header."""
    for number, dtype in enumerate(("<u2", ">u2", "|u1", "<f4", ">f8", "<i4", "<f2")):
        values = picture(1 + number % 3, np.dtype(dtype).newbyteorder("="))
        np.save(folder / f"{number}.npy", values.astype(dtype))
    np.save(folder / "turned.npy", np.asfortranarray(picture(1)[0]))
    np.save(folder / "last.npy", picture(3).transpose(1, 2, 0))
    holes = picture(1, np.float32)
    holes[0, 0] = np.nan, np.inf, *holes[0, 0, 2:]
    np.save(folder / "holes.npy", holes)
    for version in ((2, 0), (3, 0)):
        with (folder / f"version{version[0]}.npy").open("wb") as file:
            np.lib.format.write_array(file, picture(1), version)
    return sorted(folder.iterdir())


def matlab(folder: Path) -> list[Path]:
    """MATLAB 4, 5 and 7: numbers of several classes beside words, structs and cells."""
    words = {"sensor": "none", "facts": {"a": 1.0}, "cells": np.array(["a", 2.0], object)}
    for dtype in (np.uint8, np.uint16, np.float32, np.float64, np.int16):
        name = np.dtype(dtype).name
        savemat(folder / f"{name}.mat", {"ms": picture(4, dtype).transpose(1, 2, 0), **words})
        savemat(folder / f"{name}-packed.mat", {"pan": picture(1, dtype)[0]}, do_compression=True)
    savemat(folder / "four.mat", {"pan": picture(1, np.float64)[0]}, format="4")
    savemat(folder / "small.mat", {"pan": np.rint(100 * picture(1, np.float64)[0])})
    return sorted(folder.iterdir())


def hdf5(folder: Path) -> list[Path]:
    """HDF5 and MATLAB 7.3: contiguous, packed in blocks, grouped, in the old layout and the new."""
    for name, version in (("old.h5", "earliest"), ("new.h5", "latest")):
        with h5py.File(folder / name, "w", libver=version) as file:
            options = {"chunks": (1, 8, 8), "compression": "gzip", "shuffle": True, "fletcher32": True}
            file.create_dataset("deep/ms", data=picture(4, np.uint16), **options)
            file["deep"].attrs["words"] = "some"
            file["label"] = 3.0
    with h5py.File(folder / "plain.h5", "w") as file:
        file["pan"] = picture(1, np.float32)[0]
    with h5py.File(folder / "seven.mat", "w", userblock_size=512) as file:
        stored = file.create_dataset("ms", data=picture(4, np.float64), compression="gzip")
        stored.attrs["MATLAB_class"] = np.bytes_("double")
    with (folder / "seven.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return sorted(folder.iterdir())


def camera(folder: Path, names: Iterable[str] = ("red.dng", "blue.arw", "bare.dng")) -> list[Path]:
    """Small DNGs; LibRaw tells them by their content."""
    red, blue, bare = (folder / name for name in names)
    sensor = (600 + 9000 * picture(1, np.float64)[0]).astype(np.uint16)
    write_dng(red, sensor, RGGB)
    write_dng(blue, sensor, BGGR, (500, 510, 520, 530), matrix=None, camera=("SONY", "ILCE-7SM2"))
    write_dng(bare, sensor, RGGB, neutral=None)
    return [red, blue, bare]
