"""Image files of people's own: whatever the format, read and written in windows, whole or not at all, or refused."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sfigf.images import create_image, open_image, read_image, to_unit, write_image
from sfigf.interface import UserError
from sfigf.regions import Region, regions

TYPES = [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1), (np.uint16, 3)]
SHAPE = (3, 70, 90)


def noise(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@st.composite
def windows(draw, height=SHAPE[1], width=SHAPE[2]):
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Region(top, left, draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width)))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The same values in every format that holds them: (values, {suffix: path})."""
    folder, values = tmp_path_factory.mktemp("stored"), noise(SHAPE, np.uint16)
    for suffix in (".png", ".tif", ".npy"):
        write_image(folder / f"i{suffix}", values)
    return values, {suffix: folder / f"i{suffix}" for suffix in (".png", ".tif", ".npy")}


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
@pytest.mark.parametrize(("dtype", "channels"), TYPES)
def test_images_round_trip(tmp_path, suffix, dtype, channels):
    image = noise((channels, 21, 34), dtype)
    write_image(tmp_path / f"i{suffix}", image.astype(np.float64), np.dtype(dtype))
    back = read_image(tmp_path / f"i{suffix}")
    assert back.dtype == dtype
    assert np.array_equal(back, image)
    assert [path.name for path in tmp_path.iterdir()] == [f"i{suffix}"]


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
@pytest.mark.parametrize("shape", [(8, 30, 40), (1, 1, 1), (4, 1, 1), (20, 3, 5), (8, 6, 6)])
def test_floats_of_any_bands_round_trip(tmp_path, suffix, shape):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    write_image(tmp_path / f"i{suffix}", image)
    assert np.array_equal(read_image(tmp_path / f"i{suffix}"), image)


@given(window=windows(), suffix=st.sampled_from([".png", ".tif", ".npy"]))
@settings(max_examples=40, deadline=None)
def test_a_window_is_the_cut_out_of_the_whole(stored, window, suffix):
    values, paths = stored
    with open_image(paths[suffix]) as image:
        assert (image.shape, image.dtype) == (values.shape, values.dtype)
        assert np.array_equal(image.read(window), window.of(values))


@given(seed=st.integers(0, 99), side=st.integers(7, 60), suffix=st.sampled_from([".png", ".tif", ".npy"]))
@settings(max_examples=20, deadline=None)
def test_windows_are_written_in_any_order(tmp_path_factory, seed, side, suffix):
    path, values = tmp_path_factory.mktemp("w") / f"i{suffix}", noise(SHAPE, np.uint16, seed)
    pieces = list(regions(*SHAPE[1:], side))
    np.random.default_rng(seed).shuffle(pieces)
    with create_image(path, SHAPE, np.uint16) as image:
        for piece in (Region(*piece) for piece in pieces):
            image.write(piece, piece.of(values).astype(np.float64) + 0.3)
    assert np.array_equal(read_image(path), values)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_integers_are_rounded_and_clipped(tmp_path, suffix):
    write_image(tmp_path / f"i{suffix}", np.array([[[-3, 0.4, 7.6, 300, np.nan, np.inf]]]), np.dtype(np.uint8))
    assert read_image(tmp_path / f"i{suffix}").tolist() == [[[0, 0, 8, 255, 0, 255]]]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_an_exception_leaves_nothing_behind(tmp_path, suffix):
    with pytest.raises(ZeroDivisionError), create_image(tmp_path / f"i{suffix}", SHAPE, np.uint8) as image:
        image.write(Region(0, 0, 5, 6), np.ones((3, 5, 6)))
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_nothing_stays(tmp_path):
    """In a process of its own, whose files may grow to 100 kB only."""
    code = f"""
import resource, signal, sys
import numpy as np
from sfigf.images import write_image
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
values = np.random.default_rng(0).integers(0, 65536, (1, 300, 300)).astype(np.uint16)
for suffix in (".png", ".tif", ".npy"):
    try:
        write_image({str(tmp_path)!r} + "/i" + suffix, values)
    except Exception as error:
        print(type(error).__name__, "cannot be written" in str(error))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["UserError True"] * 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_an_image_can_be_restored_onto_itself(tmp_path, suffix):
    path, values = tmp_path / f"i{suffix}", noise(SHAPE, np.uint8)
    write_image(path, values)
    with open_image(path) as source, create_image(path, SHAPE, np.uint8) as image:
        for region in regions(*SHAPE[1:], 40):
            image.write(region, 255.0 - source.read(region))
    assert np.array_equal(read_image(path), 255 - values)


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "says"),
    [
        ("i.png", (1, 4, 4), np.float32, r"use \.tif"),
        ("i.png", (4, 4, 4), np.uint8, "1 or 3 bands of integers, this is 4"),
        ("i.jpg", (3, 4, 4), np.uint8, "cannot write '.jpg'"),
        ("i.dng", (1, 4, 4), np.uint16, "cannot write '.dng'"),
        ("i.tif", (1, 4, 4), np.int32, "cannot write int32"),
        ("i.tif", (1, 0, 4), np.uint8, r"\(1, 0, 4\)"),
        ("file/i.tif", (1, 4, 4), np.uint8, "not a folder that you may write to"),
        ("folder.tif", (1, 4, 4), np.uint8, "is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, name, shape, dtype, says):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(UserError, match=says):
        create_image(tmp_path / name, shape, dtype)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.tif"]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_windows_that_do_not_fit_are_mistakes_of_the_caller(tmp_path, suffix):
    with create_image(tmp_path / f"i{suffix}", SHAPE, np.uint8) as image:
        with pytest.raises(ValueError, match="not a window"):
            image.write(Region(0, 80, 10, 100), np.zeros((3, 10, 20)))
        with pytest.raises(ValueError, match="of 3 bands"):
            image.write(Region(0, 0, 10, 10), np.zeros((1, 10, 10)))
    with open_image(tmp_path / f"i{suffix}") as image, pytest.raises(ValueError, match="not a window"):
        image.read(Region(60, 0, 71, 10))


@given(st.sampled_from([".png", ".tif", ".npy"]), st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_image_is_read_or_refused_never_a_crash(tmp_path_factory, suffix, position, value):
    path = tmp_path_factory.mktemp("f") / f"i{suffix}"
    write_image(path, np.arange(3 * 12 * 10).reshape(3, 12, 10) % 255, np.dtype(np.uint8))
    content = bytearray(path.read_bytes())
    content[min(position, len(content) - 1)] = value
    path.write_bytes(content[: len(content) - position % 7])
    try:
        assert read_image(path).ndim == 3
    except UserError as error:
        assert f"i{suffix}" in str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(tmp_path, suffix, dtype, share):
    values, path = noise((3, 60, 80), dtype), tmp_path / f"i{suffix}"
    if suffix == ".jpg":
        Image.fromarray(values.astype(np.uint8).transpose(1, 2, 0)).save(path)
    else:
        write_image(path, values)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a readable image"):
        read_image(path)


@pytest.mark.parametrize(("name", "says"), [("no.png", "no such image"), ("i.gif", "cannot read '.gif'.*png")])
def test_what_is_no_image_is_named(tmp_path, name, says):
    (tmp_path / "i.gif").write_bytes(b"GIF89a")
    with pytest.raises(UserError, match=says):
        open_image(tmp_path / name)


def test_to_unit_uses_the_range_of_the_type():
    assert to_unit(np.array([[[65535]]], np.uint16)).max() == 1
    assert to_unit(np.array([[[7.5]]], np.float32)).max() == 7.5
