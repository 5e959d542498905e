"""PNG, JPEG and NumPy files as other programs write them."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sfigf.images import open_image, read_image
from sfigf.interface import UserError


def deep_png(path, values, colour_type):
    """A 16-bit PNG of (H,W,samples), put together by the book: W3C PNG, sections 5 and 11."""
    height, width, _ = values.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.mark.parametrize(("colour_type", "samples", "bands"), [(0, 1, 1), (2, 3, 3), (4, 2, 1), (6, 4, 3)])
def test_all_16_bits_of_a_png_are_read_and_alpha_is_dropped(tmp_path, colour_type, samples, bands):
    values = np.random.default_rng(0).integers(0, 65536, (12, 17, samples)).astype(np.uint16)
    deep_png(tmp_path / "i.png", values, colour_type)
    assert np.array_equal(read_image(tmp_path / "i.png"), values.transpose(2, 0, 1)[:bands])


@pytest.mark.parametrize(("mode", "bands"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3)])
def test_every_kind_of_8_bit_png_becomes_grey_or_colour(tmp_path, mode, bands):
    grey = np.tile(np.array([0, 255], np.uint8), (6, 4))
    Image.fromarray(grey).convert("RGB").convert(mode).save(tmp_path / "i.png")
    back = read_image(tmp_path / "i.png")
    assert back.dtype == np.uint8
    assert np.array_equal(back, np.repeat(grey[None], bands, axis=0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright_as_their_exif_says(tmp_path, orientation):
    upright = np.zeros((32, 48), np.uint8)
    upright[:16, :16] = 255
    turned = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "i.jpg", exif=exif, quality=95)
    assert np.abs(read_image(tmp_path / "i.jpg")[0].astype(int) - upright).max() < 8


def test_cmyk_photos_become_colour(tmp_path):
    Image.new("CMYK", (20, 10), (0, 255, 255, 0)).save(tmp_path / "i.jpg")
    assert read_image(tmp_path / "i.jpg")[:, 5, 5].tolist() == pytest.approx([254, 0, 0], abs=3)


@pytest.mark.parametrize("kind", [0, 2])
def test_a_picture_too_large_to_decode_is_refused_by_its_header(tmp_path, kind):
    deep_png(tmp_path / "i.png", np.zeros((4, 4, 3 if kind else 1), np.uint16), kind)
    content = bytearray((tmp_path / "i.png").read_bytes())
    content[16:24] = struct.pack(">II", 30000, 20000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "i.png").write_bytes(content)
    with pytest.raises(UserError, match="30000x20000 is over the limit of 400,000,000 pixels"):
        open_image(tmp_path / "i.png")


@pytest.mark.parametrize("shape", [(9, 11), (4, 9, 11), (9, 11, 4)])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "|u1", "<f4", ">f8", "<i4", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_arrays_of_any_order_of_axes_and_bytes(tmp_path, shape, dtype, order):
    values = np.asarray(np.random.default_rng(0).integers(0, 200, shape).astype(dtype), order=order)
    np.save(tmp_path / "i.npy", values)
    back = read_image(tmp_path / "i.npy")
    bands_first = values.transpose(2, 0, 1) if shape == (9, 11, 4) else np.atleast_3d(values.T).T
    assert back.dtype == {"<u2": np.uint16, ">u2": np.uint16, "|u1": np.uint8}.get(dtype, np.float32)
    assert np.array_equal(back, bands_first)


def test_pickles_are_never_executed(tmp_path):
    np.save(tmp_path / "i.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable image"):
        read_image(tmp_path / "i.npy")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)"),
        (np.zeros(7), r"shape \(7,\)"),
        (np.zeros((3, 4), complex), "complex128"),
        (np.zeros((3, 4), bool), "type bool"),
        (np.zeros((3, 4), "U3"), "type <U3"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, values, says):
    np.save(tmp_path / "i.npy", values)
    with pytest.raises(UserError, match=says):
        open_image(tmp_path / "i.npy")


def test_a_name_is_for_files_of_several_arrays(tmp_path):
    np.save(tmp_path / "i.npy", np.zeros((3, 4)))
    with pytest.raises(UserError, match="leave the name out"):
        open_image(tmp_path / "i.npy", name="ms")
