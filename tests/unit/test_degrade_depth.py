"""The depth degradation: sizes, holes, units, noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from sfigf.degrade.depth import DepthSuperResolution, fill_holes
from sfigf.degrade.resample import resize_bicubic
from sfigf.interface import Array, Scene, UserError


def made_scene(disparity: Array, valid: Array | None = None) -> Scene:
    colour = np.random.default_rng(1).integers(0, 256, (3, *disparity.shape[1:]), dtype=np.uint8)
    arrays = {"rgb": colour, "disparity": disparity.astype(np.float32)}
    if valid is not None:
        arrays["valid"] = valid.astype(np.uint8)
    return Scene("made", "made", "test", arrays, {"unit": "px"})


def random_scene(seed: int, height: int, width: int, holes: float) -> Scene:
    rng = np.random.default_rng(seed)
    valid = rng.random((1, height, width)) >= holes
    valid[0, 0, 0] = True
    disparity = np.where(valid, rng.uniform(5, 90, valid.shape), np.inf)
    return made_scene(disparity, valid)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(17, 61),
    st.integers(17, 61),
    st.sampled_from([0.0, 0.3, 0.95]),
    st.sampled_from([2, 4, 8, 16]),
)
def test_sizes_range_and_units(seed: int, height: int, width: int, holes: float, factor: int) -> None:
    scene = random_scene(seed, height, width, holes)
    sample = DepthSuperResolution(factor)(scene, np.random.default_rng(seed))
    cropped = (height // factor * factor, width // factor * factor)
    assert sample.target.shape == sample.truth.shape == sample.valid.shape == (1, *cropped)
    assert sample.guide.shape == (3, *cropped)
    assert sample.coarse.shape == (1, cropped[0] // factor, cropped[1] // factor)
    for array in (sample.target, sample.guide, sample.truth, sample.coarse):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert sample.coarse.min() == 0
    assert sample.coarse.max() == pytest.approx(1) or np.ptp(sample.coarse) == 0
    known = sample.valid
    clean = scene.arrays["disparity"][:, : cropped[0], : cropped[1]]
    np.testing.assert_allclose(sample.to_units(sample.truth)[known], clean[known], rtol=1e-5, atol=1e-4)
    assert np.array_equal(known, np.isfinite(clean))
    assert sample.meta == {"unit": "px", "factor": factor}


def test_target_is_the_upsampled_coarse_map() -> None:
    sample = DepthSuperResolution(4)(random_scene(3, 40, 48, 0.0), np.random.default_rng(0))
    np.testing.assert_allclose(sample.target, resize_bicubic(sample.coarse, 40, 48), atol=2e-6)
    assert np.abs(sample.target - sample.truth).mean() > 0.05


def test_constant_depth() -> None:
    sample = DepthSuperResolution(8)(made_scene(np.full((1, 32, 32), 40.0)), np.random.default_rng(0))
    np.testing.assert_allclose(sample.to_units(sample.target), 40.0, atol=1e-4)
    assert sample.scale > 0


def test_guide_is_the_top_left_crop() -> None:
    scene = random_scene(0, 35, 37, 0.0)
    sample = DepthSuperResolution(4)(scene, np.random.default_rng(0))
    np.testing.assert_allclose(sample.guide * 255, scene.arrays["rgb"][:, :32, :36], atol=1e-4)


def test_float_colour_is_kept() -> None:
    scene = random_scene(0, 32, 32, 0.0)
    colour = scene.arrays["rgb"].astype(np.float32) / 255
    arrays = {**scene.arrays, "rgb": colour}
    sample = DepthSuperResolution(4)(Scene("made", "made", "test", arrays), np.random.default_rng(0))
    assert np.array_equal(sample.guide, colour)


def test_holes_take_the_farther_neighbour() -> None:
    disparity = np.array([[[50.0, 0, 0, 10.0], [0, 0, 0, 0], [0, 30.0, 0, 20.0], [7.0, 7.0, 7.0, 7.0]]])
    filled = fill_holes(disparity, disparity > 0)
    assert filled.tolist() == [[[50, 10, 10, 10], [30, 10, 10, 10], [30, 30, 20, 20], [7, 7, 7, 7]]]


def test_hole_values_do_not_matter() -> None:
    valid = np.random.default_rng(0).random((1, 32, 32)) > 0.3
    disparity = np.random.default_rng(1).uniform(5, 60, valid.shape)
    samples = [
        DepthSuperResolution(4)(made_scene(np.where(valid, disparity, hole), valid), np.random.default_rng(0))
        for hole in (0.0, np.nan, 1e6)
    ]
    assert all(np.array_equal(sample.target, samples[0].target) for sample in samples)
    assert np.array_equal(samples[0].valid, valid)


def test_noise_needs_the_generator_and_follows_it() -> None:
    scene = random_scene(0, 64, 64, 0.0)
    clean, noisy = DepthSuperResolution(4), DepthSuperResolution(4, noise=0.04)
    first, again, other = (noisy(scene, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.target, again.target)
    assert not np.array_equal(first.target, other.target)
    base = clean(scene, np.random.default_rng(1))
    relative = first.to_units(first.coarse) / base.to_units(base.coarse) - 1
    assert relative.std() == pytest.approx(0.04, rel=0.2)


def test_soft_edges_blur_the_map_before_it_is_made_coarse() -> None:
    """A step of 40 px at a whole pixel; both images follow from the one blurred map, whose blur the generator draws."""
    step = np.where(np.arange(64) < 30, 20.0, 60.0)[None, None].repeat(64, axis=1)
    sharp, soft = (
        DepthSuperResolution(4, soft_edges=blur)(made_scene(step), np.random.default_rng(3))
        for blur in (None, (0.3, 0.9))
    )
    assert np.array_equal(sharp.to_units(sharp.truth).round(3), step.astype(np.float32))
    deviation = np.random.default_rng(3).uniform(0.3, 0.9)
    truth = gaussian_filter(step[0].astype(np.float32), deviation, mode="nearest")[None]
    np.testing.assert_allclose(soft.to_units(soft.truth), truth, rtol=1e-5)
    np.testing.assert_allclose(soft.to_units(soft.coarse), resize_bicubic(truth, 16, 16), rtol=1e-5)
    assert np.array_equal(soft.guide, sharp.guide)


def test_nearest_sampling_takes_one_pixel_of_each_block() -> None:
    scene = random_scene(0, 32, 32, 0.0)
    for sampling, first in (("nearest-right-bottom", 3), ("nearest-centre", 2)):
        sample = DepthSuperResolution(4, sampling=sampling)(scene, np.random.default_rng(0))  # type: ignore[arg-type]
        np.testing.assert_allclose(
            sample.to_units(sample.coarse), scene.arrays["disparity"][:, first::4, first::4], rtol=1e-5
        )


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (Scene("s", "s", "test", {"rgb": np.zeros((3, 32, 32))}), "no disparity"),
        (made_scene(np.ones((1, 7, 64))), "too small"),
        (made_scene(np.ones((1, 32, 32)), np.zeros((1, 32, 32))), "unknown at every pixel"),
        (made_scene(np.ones((1, 32, 32)), np.ones((1, 31, 32))), "differ in size"),
    ],
)
def test_bad_scenes_are_refused(scene: Scene, words: str) -> None:
    with pytest.raises(UserError, match=words):
        DepthSuperResolution(8)(scene, np.random.default_rng(0))


def test_bad_options_are_refused() -> None:
    with pytest.raises(UserError, match="factor >= 2"):
        DepthSuperResolution(1)
    with pytest.raises(UserError, match="least first"):
        DepthSuperResolution(4, soft_edges=(0.9, 0.3))
    with pytest.raises(UserError, match=r"\(C,H,W\)"):
        resize_bicubic(np.zeros((4, 4)), 2, 2)
