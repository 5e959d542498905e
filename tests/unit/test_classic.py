"""Classical depth, focus and raw methods: what they compute, at any size, without the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter

from sfigf.degrade.raw import LowLightRaw
from sfigf.interface import Sample, Scene
from sfigf.methods.classic.depth import Bicubic, GuidedFilter
from sfigf.methods.classic.filters import box_mean, guided_filter, luma
from sfigf.methods.classic.focus import GuidedFilterFusion, LaplacianPyramid
from sfigf.methods.classic.raw import AmplifyDemosaic, RawGuidedFilter

METHODS = [Bicubic(), GuidedFilter(), GuidedFilterFusion(), LaplacianPyramid(), AmplifyDemosaic(), RawGuidedFilter()]
CHANNELS = {"depth": (1, 3), "focus": (3, 3), "raw": (4, 4)}
FOCUS = [GuidedFilterFusion(), LaplacianPyramid()]
RAW_META = {"colour_matrix": np.eye(3).tolist()}


def each(methods: list) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", methods, ids=lambda method: method.name)


def rmse(restored: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((restored - truth) ** 2)))


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).random((3, height, width)), 0.7, axes=(1, 2))
    return ((noise - noise.min()) / (noise.max() - noise.min())).astype(np.float32)


def focus_pair(truth: np.ndarray) -> Sample:
    blurred = gaussian_filter(truth, 2.5, axes=(1, 2))
    left = np.arange(truth.shape[2]) < truth.shape[2] // 2
    return Sample("pair", np.where(left, truth, blurred), np.where(left, blurred, truth), truth)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(0, 99))
def test_box_mean_is_the_mean_of_what_lies_inside(height: int, width: int, radius: int, seed: int) -> None:
    image = np.random.default_rng(seed).random((2, height, width))
    means = box_mean(image, radius)
    for y in range(height):
        for x in range(width):
            window = image[:, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            assert np.allclose(means[:, y, x], window.mean(axis=(1, 2)))


def test_guided_filter_recovers_a_linear_function_of_the_guide() -> None:
    guide = np.random.default_rng(0).random((13, 17))
    target = np.stack([3 * guide - 1, 0.5 - guide])
    assert np.allclose(guided_filter(guide, target, 3, 1e-12), target, atol=1e-6)


def test_guided_filter_smooths_where_the_guide_is_flat_and_keeps_an_edge_of_the_guide() -> None:
    rng = np.random.default_rng(0)
    step = np.where(np.arange(40) < 20, 0.0, 1.0) * np.ones((30, 1))
    noisy = step + rng.normal(0, 0.1, step.shape)
    assert rmse(guided_filter(step, noisy, 4, 1e-4), step) < 0.3 * rmse(noisy, step)
    flat = guided_filter(np.full_like(step, 0.7), noisy, 4, 1e-4)
    assert np.allclose(flat, box_mean(box_mean(noisy, 4), 4))


def test_luma_is_itu_601_and_leaves_one_channel_alone() -> None:
    assert np.allclose(luma(np.eye(3).reshape(3, 1, 3)), [[0.299, 0.587, 0.114]])
    assert np.array_equal(luma(np.full((1, 2, 2), 0.3)), np.full((2, 2), 0.3))


def random_sample(task: str, height: int, width: int) -> Sample:
    rng = np.random.default_rng(0)
    target, guide = (rng.random((channels, height, width), dtype=np.float32) for channels in CHANNELS[task])
    return Sample("random", target, guide, meta=RAW_META)


@each(METHODS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (3, 2), (19, 33)])
def test_any_size_gives_a_finite_image_of_the_right_shape(method, height: int, width: int) -> None:
    task = method.tasks[0]
    restored = method.restore(random_sample(task, height, width))
    shapes = {"depth": (1, height, width), "focus": (3, height, width), "raw": (3, 2 * height, 2 * width)}
    assert restored.shape == shapes[task]
    assert restored.dtype == np.float32
    assert np.isfinite(restored).all()


@each(METHODS)
def test_the_truth_is_not_looked_at_nor_the_input_changed(method) -> None:
    sample = random_sample(method.tasks[0], 12, 14)
    before = sample.target.copy(), sample.guide.copy()
    blind = method.restore(sample)
    truth = np.zeros_like(blind)
    assert np.array_equal(method.restore(dataclasses.replace(sample, truth=truth, valid=truth > 1)), blind)
    assert np.array_equal(sample.target, before[0])
    assert np.array_equal(sample.guide, before[1])


@each(METHODS[:4])
def test_constant_images_stay_what_they_are(method) -> None:
    target, guide = (np.full((channels, 24, 21), 0.4, np.float32) for channels in CHANNELS[method.tasks[0]])
    assert np.allclose(method.restore(Sample("flat", target, guide)), target, atol=1e-6)


@each(METHODS[4:])
def test_a_grey_mosaic_develops_to_grey(method) -> None:
    flat = np.full((4, 6, 5), 0.3, np.float32)
    restored = method.restore(Sample("flat", flat, flat, meta=RAW_META))
    assert np.ptp(restored) < 1e-6
    assert 0.3 < restored.mean() < 0.7


@each(FOCUS)
def test_two_equal_images_fuse_to_themselves(method) -> None:
    image = textured(45, 38)
    assert np.allclose(method.restore(Sample("same", image, image)), image, atol=1e-6)


@each(FOCUS)
def test_the_sharp_half_of_each_image_is_taken_whichever_comes_first(method) -> None:
    sample = focus_pair(textured(64, 96))
    swapped = dataclasses.replace(sample, target=sample.guide, guide=sample.target)
    for pair in (sample, swapped):
        assert rmse(method.restore(pair), sample.truth) < 0.35 * rmse(sample.target, sample.truth)


def test_bicubic_is_a_copy_of_the_target() -> None:
    sample = random_sample("depth", 5, 6)
    restored = Bicubic().restore(sample)
    assert np.array_equal(restored, sample.target)
    assert not np.shares_memory(restored, sample.target)


def test_depth_guided_filter_moves_an_edge_towards_the_guide() -> None:
    step = np.where(np.arange(64) < 32, 0.2, 0.8) * np.ones((3, 48, 1))
    blurred = gaussian_filter(step[:1], (0, 3, 3)).astype(np.float32)
    sample = Sample("edge", blurred, step.astype(np.float32))
    assert rmse(GuidedFilter(radius_px=4, epsilon=1e-4).restore(sample), step[:1]) < 0.9 * rmse(blurred, step[:1])


def test_raw_guided_filter_beats_plain_amplification() -> None:
    y, x = np.mgrid[:96, :128] / 128
    photo = np.stack([0.3 + 0.4 * (np.sin(9 * x) > 0), 0.4 + 0.2 * y, 0.6 - 0.3 * x]).astype(np.float32)
    sample = LowLightRaw("mono")(Scene("s", "s", "test", {"rgb": photo}), np.random.default_rng(4))
    guided, plain = (rmse(method.restore(sample), sample.truth) for method in (RawGuidedFilter(), AmplifyDemosaic()))
    assert guided < 0.6 * plain


def test_options_are_checked() -> None:
    for wrong in ({"radius_px": 0}, {"epsilon": 0.0}, {"radius": 3}):
        with pytest.raises(ValidationError):
            GuidedFilter(**wrong)
