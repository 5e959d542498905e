"""What a network is given of any window of people's own images is what the whole image has there."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.degrade.camera import camera_from_srgb, pack
from sfigf.degrade.exp import interp23tap
from sfigf.degrade.resample import resize_bicubic
from sfigf.encoding import decode, encode
from sfigf.interface import Sample, UserError
from sfigf.own.inputs import Depth, Focus, Pan
from sfigf.own.options import Options
from sfigf.own.raw import Mosaic, Raw
from sfigf.own.source import FILL_REACH_PX, ArraySource, KnownImage
from sfigf.own.windows import Windows
from sfigf.regions import Region, whole

CASES = [
    ("depth", "none"), ("depth", "detail"), ("pan", "none"), ("pan", "detail"), ("focus", "none"), ("focus", "detail"),
    ("raw", "none"), ("raw", "develop"),
]  # fmt: skip
MAKERS = {"depth": Depth, "pan": Pan, "focus": Focus, "raw": Raw}


def stored(rng, shape, kind):
    """An image as a file holds it: smooth enough to tell a shift, rough enough to tell a kernel."""
    values = rng.random(shape).cumsum(axis=-1) % 1.0
    return values.astype(np.float32) * 300 - 20 if kind == "f" else (values * np.iinfo(kind).max).astype(kind)


def pair(task, seed, height, width, factor):
    """Target and guide on a grid of height x width, as stored."""
    rng = np.random.default_rng(seed)
    if task == "depth":
        return stored(rng, (1, height, width), "f"), stored(rng, (3, height * factor, width * factor), np.uint8)
    if task == "pan":
        return stored(rng, (4, height, width), np.uint16), stored(rng, (1, height * 4, width * 4), np.uint16)
    if task == "focus":
        return tuple(stored(rng, (3, height * 3, width * 3), np.uint8) for _ in range(2))
    return tuple(stored(rng, (1, height * 4, width * 4), np.uint16) for _ in range(2))


def whole_sample(task, target, guide, factor):
    """The same by whole images: the formulas of the training, one call each."""
    if task == "depth":
        low, high = target.min(), target.max()
        scale = high - low or 1.0
        return Sample("s", resize_bicubic((target - low) / scale, *guide.shape[1:]), guide / np.float32(255))
    if task == "pan":
        peak = float(max(target.max(), guide.max()))
        return Sample("s", interp23tap(target, 4).astype(np.float32) / np.float32(peak), guide / np.float32(peak))
    if task == "focus":
        return Sample("s", target / np.float32(255), guide / np.float32(255))
    gains = np.array([2, 1, 1, 1.5], dtype=np.float32)[:, None, None]
    light, mono = target / np.float32(65535), guide / np.float32(65535)
    lift = 3 / (1 / 2 + 1 + 1 / 1.5)
    meta = {"guide": "mono", "colour_matrix": np.linalg.inv(camera_from_srgb()).tolist()}
    return Sample("s", np.clip(pack(light) * 3 * gains, 0, 1), np.clip(pack(mono) * lift, 0, 1), meta=meta)


def windows_of(task, target, guide, encoding, options=None):
    options = options or Options(**({"ratio": 3.0, "white_balance": (2.0, 1.0, 1.5)} if task == "raw" else {}))
    return Windows(MAKERS[task](ArraySource(target), ArraySource(guide), options), encoding)


@st.composite
def a_region(draw, height, width):
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Region(top, left, draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width)))


@pytest.mark.parametrize(("task", "encoding"), CASES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99), height=st.integers(1, 24), width=st.integers(1, 24))
def test_a_window_is_cut_out_of_the_whole(task, encoding, data, seed, height, width):
    factor = data.draw(st.sampled_from([1, 2, 3, 4, 8])) if task == "depth" else 4
    target, guide = pair(task, seed, height, width, factor)
    windows, sample = windows_of(task, target, guide, encoding), whole_sample(task, target, guide, factor)
    region = data.draw(a_region(*sample.target.shape[1:]))
    assert windows.inputs.size == sample.target.shape[1:]
    expected = encode(sample, encoding)
    for got, image in zip(windows.shown(region), (expected.target, expected.guide), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, region.of(image), atol=3e-6, rtol=1e-5)


@pytest.mark.parametrize(("task", "encoding"), CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99), height=st.integers(1, 20), width=st.integers(1, 20))
def test_a_window_comes_back_as_in_the_whole(task, encoding, data, seed, height, width):
    target, guide = pair(task, seed, height, width, 4)
    windows, sample = windows_of(task, target, guide, encoding), whole_sample(task, target, guide, 4)
    upscale = windows.inputs.upscale
    shape = (3 if task == "raw" else len(target), *(side * upscale for side in windows.inputs.size))
    answer = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    region = data.draw(a_region(*shape[1:]))
    got = windows.restored(region, region.of(answer))
    np.testing.assert_allclose(got, region.of(decode(answer, sample, encoding)), atol=3e-6, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), height=st.integers(1, 9), width=st.integers(1, 9))
def test_a_mosaic_alone_is_balanced_by_its_colours_wherever_a_window_begins(data, height, width):
    mosaic = stored(np.random.default_rng(0), (1, height, width), np.uint16)
    inputs = Mosaic(ArraySource(mosaic), Options(ratio=2.0, white_balance=(2.0, 1.0, 1.5)))
    gains = np.tile([[2.0, 1.0], [1.0, 1.5]], (5, 5))[:height, :width]
    region = data.draw(a_region(height, width))
    (got,) = Windows(inputs, "none").shown(region)
    np.testing.assert_allclose(got, region.of(np.clip(mosaic / 65535 * 2 * gains, 0, 1)), atol=1e-6)


@pytest.mark.parametrize("task", ["depth", "pan"])
@settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99), share=st.sampled_from([0.02, 0.5, 0.97]))
def test_windows_of_an_image_with_holes_are_cut_out_of_the_whole(task, data, seed, share):
    target, guide = pair(task, seed, 12, 150, 4)
    rng = np.random.default_rng(seed)
    target, guide = target.copy(), guide.copy()
    target[rng.random(target.shape) < share] = 7
    target[:, :, 10:100] = 7
    guide[rng.random(guide.shape) < share / 50] = 9
    options = Options(nodata=7)
    inputs = MAKERS[task](ArraySource(target), ArraySource(guide, nodata=9.0), options)
    windows, region = Windows(inputs, "detail"), data.draw(a_region(*inputs.size))
    everything = Region(0, 0, *inputs.size)
    for got, image in zip(windows.shown(region), windows.shown(everything), strict=True):
        np.testing.assert_allclose(got, region.of(image), atol=1e-5, rtol=1e-5)
    unknown = np.repeat(np.repeat(target == 7, 4, axis=1), 4, axis=2)
    if task == "pan":
        unknown = unknown | (guide == 9)
    assert np.array_equal(windows.inputs.unknown(region), region.of(unknown))


def test_a_hole_takes_the_nearest_value_and_a_far_one_the_mean():
    image = np.full((1, 1, 400), -1, dtype=np.float32)
    image[..., 0], image[..., 1], image[..., 399] = 5, 6, 1
    filled = KnownImage(ArraySource(image, nodata=-1.0), "target").read(whole(image))[0, 0]
    assert set(filled[2 : 2 + FILL_REACH_PX]) == {6}
    assert set(filled[400 - FILL_REACH_PX - 1 :]) == {1}
    assert set(filled[2 + FILL_REACH_PX : 400 - FILL_REACH_PX - 1]) == {4}


def test_integers_come_back_marked_and_nothing_else_turns_into_the_mark():
    target = np.array([[[0, 10], [10, 10]]], dtype=np.uint8)
    windows = windows_of("depth", target, np.zeros((3, 4, 4), np.uint8), "none", Options(nodata=0))
    everything = Region(0, 0, 4, 4)
    back = windows.in_units(everything, np.full((1, 4, 4), -20.0, dtype=np.float32), np.dtype(np.uint8))[0]
    assert (back[:2, :2] == 0).all()
    assert (back[2:] == 1).all()


@pytest.mark.parametrize(
    ("values", "nodata", "says"),
    [
        ([1, np.nan, np.inf], None, "2 values of the target are NaN or infinite; fill or mask them first"),
        ([-9, np.nan, -9], -9.0, "no value of the target is known: all are -9.0"),
    ],
)
def test_values_that_nothing_can_be_made_of_are_counted(values, nodata, says):
    with pytest.raises(UserError, match=says):
        KnownImage(ArraySource(np.array([[values]], dtype=np.float32), nodata), "target")


def test_nan_beside_a_declared_nodata_value_is_unknown_as_well():
    image = KnownImage(ArraySource(np.array([[[1, np.nan, -9]]], dtype=np.float32), -9.0), "target")
    assert image.unknown(Region(0, 0, 1, 3)).tolist() == [[[False, True, True]]]
    assert image.read(Region(0, 0, 1, 3)).tolist() == [[[1, 1, 1]]]


def test_a_nodata_value_that_the_type_cannot_hold_marks_nothing():
    assert KnownImage(ArraySource(np.zeros((1, 2, 2), np.uint8), -9999.0), "target").nodata is None


def test_a_camera_file_brings_its_colours_unless_told_otherwise():
    mosaic = np.full((1, 8, 8), 0.25, dtype=np.float32)
    meta = {"white_balance": [2.0, 1.0, 1.5], "colour_matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
    source, guide = ArraySource(mosaic, meta=meta), ArraySource(mosaic)
    own, told = Raw(source, guide, Options()), Raw(source, guide, Options(white_balance=(1, 1, 3)))
    assert own.target(Region(0, 0, 1, 1)).ravel().tolist() == [0.5, 0.25, 0.25, 0.375]
    assert told.target(Region(0, 0, 1, 1)).ravel().tolist() == [0.25, 0.25, 0.25, 0.75]
    assert own.meta["colour_matrix"] == meta["colour_matrix"]
    turned = Raw(source, guide, Options(colour_matrix=(0, 1, 0, 1, 0, 0, 0, 0, 1)))
    assert turned.meta["colour_matrix"][0] == [0, 1, 0]
    plain = Raw(dataclasses.replace(source, meta={}), guide, Options())
    assert np.allclose(plain.meta["colour_matrix"], np.linalg.inv(camera_from_srgb()))
