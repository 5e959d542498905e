"""Strong augmentation keeps each task's physics, and patches are encoded as the whole image would have been."""

import dataclasses

import numpy as np
import pytest

from sfigf.augment import augment
from sfigf.encoding import REACH_PX, encode
from sfigf.patches import Patches
from tests.conftest import make_sample


def augmented(sample, task, seed=0):
    return augment(sample, task, np.random.default_rng(seed))


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_the_same_generator_gives_the_same_and_another_another(task):
    sample = make_sample(task)
    one, two, other = (augmented(sample, task, seed) for seed in (1, 1, 2))
    for role in ("target", "guide", "truth"):
        assert np.array_equal(getattr(one, role), getattr(two, role))
        assert getattr(one, role).dtype == np.float32
        assert getattr(one, role).shape == getattr(sample, role).shape
    assert np.array_equal(one.target, other.target) == (task == "raw")


def test_depth_keeps_within_its_range_and_target_and_truth_change_alike():
    sample = make_sample("depth")
    slopes = []
    for seed in range(40):
        other = augmented(sample, "depth", seed)
        slope, start = np.polyfit(sample.truth.ravel(), other.truth.ravel(), 1)
        assert np.allclose(other.target, start + slope * sample.target, atol=1e-5)
        assert min(start, start + slope) > -1e-5
        assert max(start, start + slope) < 1 + 1e-5
        slopes.append(slope)
    assert 0.49 < np.abs(slopes).min() < np.abs(slopes).max() <= 1.001
    assert min(slopes) < 0 < max(slopes)


def test_pan_keeps_bands_in_place():
    sample = make_sample("pan")
    other = augmented(sample, "pan")
    gains = other.truth / sample.truth
    assert np.allclose(gains, gains[:, :1, :1], rtol=1e-4)
    assert np.allclose(other.target, gains[:, :1, :1] * sample.target, rtol=1e-4, atol=1e-6)
    assert np.allclose(other.guide / sample.guide, (other.guide / sample.guide).mean(), rtol=1e-4)


def test_focus_changes_both_photographs_and_the_truth_alike():
    sample = make_sample("focus")
    sample = dataclasses.replace(sample, guide=sample.truth.copy(), target=sample.truth.copy())
    other = augmented(sample, "focus")
    assert np.abs(other.guide - other.truth).max() < 0.06  # grain alone
    assert np.abs(other.target - other.truth).max() < 0.06
    assert np.abs(other.target - other.guide).max() > 0


@pytest.mark.parametrize(
    ("task", "encoding"),
    [("depth", "detail"), ("pan", "detail"), ("focus", "detail"), ("raw", "develop"), ("depth", "released-colours")],
)
def test_a_patch_is_cut_from_the_encoded_image(task, encoding):
    samples = [make_sample(task, side=96, seed=3)]
    whole = Patches([encode(sample, encoding) for sample in samples], task, 32, 4, seed=5)

    def prepare(sample, rng):
        return encode(sample, encoding)

    parts = Patches(samples, task, 32, 4, seed=5, prepare=prepare, reach=REACH_PX[encoding])
    for step in range(6):
        expected, batch = whole.batch(step), parts.batch(step)
        for role in ("target", "guide", "truth"):
            assert np.abs(getattr(batch, role) - getattr(expected, role)).max() < 2e-6, role


def test_augmentation_goes_before_the_encoding_and_draws_from_the_batch_alone():
    samples = [make_sample("depth", side=64, seed=3)]

    def prepare(sample, rng):
        return encode(augment(sample, "depth", rng), "detail")

    one, two = (Patches(samples, "depth", 32, 4, seed=5, prepare=prepare, reach=16) for _ in range(2))
    one.batch(0)
    assert np.array_equal(one.batch(7).guide, two.batch(7).guide)
    assert not np.array_equal(one.batch(7).guide, two.batch(8).guide)
