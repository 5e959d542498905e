"""Training batches: the same for a (seed, step), and physically right."""

import numpy as np
import pytest

from sfigf.degrade.camera import pack
from sfigf.interface import Sample, UserError
from sfigf.patches import Patches
from tests.conftest import make_sample


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_a_batch_depends_on_seed_and_step_alone(task):
    samples = [make_sample(task, f"s{i}", side=40 + 8 * i, seed=i) for i in range(3)]
    one, two = (Patches(samples, task, 16, 3, seed=4) for _ in range(2))
    two.batch(5)
    first, second = one.batch(9), two.batch(9)
    assert first.names == second.names
    assert np.array_equal(first.target, second.target)
    assert not np.array_equal(first.target, one.batch(10).target)
    assert not np.array_equal(first.target, Patches(samples, task, 16, 3, seed=5).batch(9).target)


def test_raw_augmentation_keeps_the_bayer_phase():
    rng = np.random.default_rng(0)
    truth = rng.random((3, 32, 32)).astype(np.float32)
    mosaic = np.empty((1, 32, 32), np.float32)
    for row, column, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[0, row::2, column::2] = truth[colour, row::2, column::2]
    patches = Patches([Sample("s", pack(mosaic), pack(mosaic), truth)], "raw", 16, 32, seed=0)
    batch = patches.batch(0)
    for plane, (row, column, colour) in enumerate(((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2))):
        assert np.array_equal(batch.target[:, plane], batch.truth[:, colour, row::2, column::2])


def test_target_guide_and_truth_are_cut_and_turned_alike():
    rng = np.random.default_rng(1)
    image = rng.random((3, 24, 31)).astype(np.float32)
    batch = Patches([Sample("s", image, image + 1, image + 2)], "depth", 8, 64, seed=0).batch(0)
    assert np.allclose(batch.target + 1, batch.guide)
    assert np.allclose(batch.target + 2, batch.truth)
    assert len({batch.target[i].tobytes() for i in range(64)}) > 32


def test_focus_swaps_its_images_half_of_the_time():
    a, b = np.zeros((3, 16, 16), np.float32), np.ones((3, 16, 16), np.float32)
    batch = Patches([Sample("s", a, b, a)], "focus", 8, 200, seed=0).batch(0)
    assert 60 < batch.target[:, 0, 0, 0].sum() < 140
    assert np.array_equal(batch.target, 1 - batch.guide)


def test_what_cannot_be_trained_on_is_refused():
    with pytest.raises(UserError, match="smaller than the patch"):
        Patches([make_sample("depth", side=32)], "depth", 64, 1, seed=0)
    with pytest.raises(UserError, match="no ground truth"):
        Patches([Sample("s", np.zeros((1, 9, 9)), np.zeros((3, 9, 9)))], "depth", 8, 1, seed=0)
