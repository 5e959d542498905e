"""Images of people's own: read, restored, written back in their own units, or refused in one line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sfigf.images import read_image, to_unit, write_image
from sfigf.interface import UserError
from sfigf.own import restore
from tests.unit.test_train import job, run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return run(tmp_path_factory.mktemp("w"), job(), "w")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1)])
def test_images_round_trip(tmp_path, suffix, dtype, channels):
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(dtype).max, (channels, 21, 34)).astype(dtype)
    write_image(tmp_path / f"i{suffix}", image.astype(np.float64), np.dtype(dtype))
    back = read_image(tmp_path / f"i{suffix}")
    assert back.dtype == dtype
    assert np.array_equal(back, image)


def test_float_tiff_of_many_bands_round_trips(tmp_path):
    image = np.random.default_rng(0).normal(size=(8, 30, 40)).astype(np.float32)
    write_image(tmp_path / "i.tif", image)
    assert np.array_equal(read_image(tmp_path / "i.tif"), image)


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_a_damaged_png_is_read_or_refused_never_a_crash(tmp_path_factory, position, value):
    path = tmp_path_factory.mktemp("f") / "i.png"
    write_image(path, np.arange(3 * 12 * 10).reshape(3, 12, 10) % 255, np.dtype(np.uint8))
    content = bytearray(path.read_bytes())
    content[min(position, len(content) - 1)] = value
    path.write_bytes(content[: len(content) - position % 7])
    try:
        assert read_image(path).ndim == 3
    except UserError as error:
        assert "i.png" in str(error)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npy"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(tmp_path, suffix, share):
    values = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    path = tmp_path / f"i{suffix}"
    if suffix == ".jpg":
        Image.fromarray(values).save(path)
    else:
        write_image(path, values.transpose(2, 0, 1), np.dtype(np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a readable image"):
        read_image(path)


def test_pickles_are_never_executed(tmp_path):
    np.save(tmp_path / "i.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable image"):
        read_image(tmp_path / "i.npy")


def test_png_refuses_floats_and_says_what_to_use(tmp_path):
    with pytest.raises(UserError, match=r"use \.tif"):
        write_image(tmp_path / "i.png", np.zeros((1, 4, 4), np.float32))
    assert list(tmp_path.iterdir()) == []


def test_to_unit_uses_the_range_of_the_type():
    assert to_unit(np.array([[[65535]]], np.uint16)).max() == 1
    assert to_unit(np.array([[[7.5]]], np.float32)).max() == 7.5


def test_depth_comes_back_in_the_units_it_came_in(weights):
    rng = np.random.default_rng(0)
    coarse = (1000 + 500 * rng.random((1, 8, 10))).astype(np.uint16)
    guide = rng.integers(0, 255, (3, 32, 40)).astype(np.uint8)
    restored = restore("depth", coarse, guide, weights, device="cpu")
    assert restored.shape == (1, 32, 40)
    again = restore("depth", coarse.astype(np.float32) * 2, guide, weights, device="cpu")
    assert np.allclose(again, 2 * restored, rtol=1e-4)


@pytest.mark.parametrize(
    ("target", "guide", "says"),
    [
        (np.zeros((1, 8, 10)), np.zeros((3, 33, 40)), "40x33 px and the target 10x8 px"),
        (np.full((1, 8, 8), np.nan), np.zeros((3, 32, 32)), "64 values of the target are NaN"),
        (np.zeros((2, 8, 8)), np.zeros((3, 32, 32)), "one band, this has 2"),
        (np.zeros((1, 8, 8)), np.full((3, 32, 32), np.inf), "guide are NaN or infinite"),
    ],
)
def test_what_cannot_be_restored_is_named(weights, target, guide, says):
    with pytest.raises(UserError, match=says):
        restore("depth", target.astype(np.float32), guide.astype(np.float32), weights, device="cpu")
