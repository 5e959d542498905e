"""Training batches: the same for a (seed, step), and physically right."""

import dataclasses

import numpy as np
import pytest

from sfigf.degrade.camera import pack
from sfigf.degrade.exp import interp23tap
from sfigf.interface import Sample, UserError
from sfigf.patches import Patches
from sfigf.store import SampleFile, write_samples
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


def stored(folder, samples):
    write_samples(folder / "train.safetensors", samples)
    return SampleFile(folder / "train.safetensors")


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_patches_of_a_file_are_those_of_memory(task, tmp_path):
    samples = [make_sample(task, f"s{i}", side=40 + 8 * i, seed=i) for i in range(3)]
    valid = np.random.default_rng(0).random((1, *samples[1].truth.shape[1:])) < 0.7
    samples[1] = dataclasses.replace(samples[1], valid=valid)
    held, read = (Patches(source, task, 16, 3, seed=4) for source in (samples, stored(tmp_path, samples)))
    for step in range(20):
        ours, theirs = held.batch(step), read.batch(step)
        assert ours.names == theirs.names
        for role in ("target", "guide", "truth", "valid"):
            one, two = getattr(ours, role), getattr(theirs, role)
            assert one.dtype == two.dtype == np.float32
            assert np.array_equal(one, two)


def test_only_windows_of_a_file_are_read(tmp_path):
    file = stored(tmp_path, [make_sample("depth", f"s{i}", side=64, seed=i) for i in range(4)])
    read, window = [], file.records.window
    file.records.window = lambda index, *rest: read.append(rest[3] * rest[4]) or window(index, *rest)
    file.records.array = None  # a whole array would be an error
    Patches(file, "depth", 16, 3, seed=0).batch(0)
    assert read == [16 * 16] * 9  # target, guide and truth of three patches; none has a mask


def test_a_raw_sample_without_a_guide_brings_its_second_truth(tmp_path):
    sample = make_sample("raw", side=64)
    sample = dataclasses.replace(sample, guide=sample.guide[:0], mono=sample.truth[:1])
    roles = ("target", "guide", "truth", "valid", "mono")
    for source in ([sample], stored(tmp_path, [sample])):
        batch = Patches(source, "raw", 32, 8, seed=0, roles=roles).batch(0)
        assert batch.guide.shape == (8, 0, 16, 16)
        assert np.array_equal(batch.mono, batch.truth[:, :1])


def test_in_file_order_every_sample_comes_in_turn():
    samples = [make_sample("pan", f"s{i}", side=24 + 8 * i, seed=i) for i in range(5)]
    walked = Patches(samples, "pan", 16, 2, seed=0, shuffle=False)
    names = [name for step in range(5) for name in walked.batch(step).names]
    assert names == ["s0", "s1", "s2", "s3", "s4"] * 2
    drawn = [name for step in range(5) for name in Patches(samples, "pan", 16, 2, seed=0).batch(step).names]
    assert drawn != names


def test_roles_that_the_loss_needs_not_are_not_asked_for():
    sample = dataclasses.replace(make_sample("focus"), truth=None)
    batch = Patches([sample], "focus", 16, 2, seed=0, roles=("target", "guide")).batch(0)
    assert batch.truth is None
    assert batch.valid is None


def turns_of(image):
    """The eight ways to see a square image (C,H,W)."""
    for flipped in (image, image[:, ::-1], image[:, :, ::-1], image[:, ::-1, ::-1]):
        yield from (flipped, flipped.transpose(0, 2, 1))


def turn_of(patch, image):
    """Which of the eight turns of a window of ``image`` a square patch is; -1 if it is none."""
    side, (height, width) = patch.shape[1], image.shape[1:]
    for top in range(height - side + 1):
        for left in range(width - side + 1):
            for turn, seen in enumerate(turns_of(image[:, top : top + side, left : left + side])):
                if np.array_equal(seen, patch):
                    return turn
    return -1


def upsampled(task, factor, sides=(7, 9), seed=0):
    """A sample whose target was upsampled as the degradation does it, and the coarse map it was upsampled from."""
    coarse = np.random.default_rng(seed).random((2 if task == "pan" else 1, *sides)).astype(np.float32)
    fine = tuple(factor * side for side in sides)
    target = interp23tap(coarse, factor) if task == "pan" else np.kron(coarse, np.ones((1, factor, factor)))
    target = target.astype(np.float32)
    return Sample("s", target, np.zeros((1, *fine), np.float32), target + 1, meta={"factor": factor}), coarse


@pytest.mark.parametrize("factor", [2, 4])
def test_the_coarse_bands_are_in_every_patch_of_pan_exactly(factor):
    sample, coarse = upsampled("pan", factor)
    batch = Patches([sample], "pan", 4 * factor, 64, seed=0).batch(0)
    found = [turn_of(patch[:, factor // 2 :: factor, factor // 2 :: factor], coarse) for patch in batch.target]
    assert set(found) == set(range(8))
    assert np.allclose(batch.target + 1, batch.truth)


@pytest.mark.parametrize("factor", [3, 4, 8])
def test_a_patch_of_depth_shows_whole_coarse_pixels(factor):
    sample, coarse = upsampled("depth", factor)
    batch = Patches([sample], "depth", 4 * factor, 64, seed=0).batch(0)
    found = [turn_of(patch[:, ::factor, ::factor], coarse) for patch in batch.target]
    assert set(found) == set(range(8))
    blocks = batch.target.reshape(64, 4, factor, 4, factor)
    assert np.array_equal(blocks, np.broadcast_to(blocks[:, :, :1, :, :1], blocks.shape))


def test_pan_is_not_flipped_where_no_pixel_is_to_spare():
    sample, coarse = upsampled("pan", 4, sides=(4, 6))
    batch = Patches([sample], "pan", 16, 64, seed=0).batch(0)
    found = {turn_of(patch[:, 2::4, 2::4], coarse) for patch in batch.target}
    assert found == {0, 1, 4, 5}  # as it is and flipped across, each also transposed


def test_a_side_that_is_no_multiple_of_the_factor_leaves_the_place_free():
    rows = np.broadcast_to(np.arange(32, dtype=np.float32)[:, None], (1, 32, 32))
    for side, phases in ((16, {0}), (18, {0, 1, 2, 3})):
        patches = Patches([Sample("s", rows, rows, rows, meta={"factor": 4})], "depth", side, 64, seed=0)
        assert {int(patch.min()) % 4 for patch in patches.batch(0).target} == phases


@pytest.mark.parametrize(
    ("task", "starts"),
    [
        ("depth", {0, 4, 8, 12, 16}),
        ("pan", {0, 1, 4, 5, 8, 9, 12, 13, 16}),
        ("focus", set(range(17))),
        ("raw", set(range(9))),
    ],
)
def test_every_place_a_patch_may_start_at_is_drawn(task, starts):
    sample = make_sample(task, side=32)
    rows, columns = np.mgrid[: sample.target.shape[1], : sample.target.shape[2]]
    marked = np.broadcast_to(rows * 100.0 + columns, sample.target.shape).astype(np.float32)
    sample = dataclasses.replace(sample, target=marked, guide=marked)
    corners = [int(patch[0].min()) for patch in Patches([sample], task, 16, 800, seed=0).batch(0).target]
    assert {corner // 100 for corner in corners} == {corner % 100 for corner in corners} == starts


def test_what_a_loss_takes_if_there_is_cut_where_every_sample_has_it(tmp_path):
    sample = make_sample("raw", side=64)
    both = dataclasses.replace(sample, mono=sample.truth[:1])
    for samples, roles in (([both, both], 5), ([both, sample], 4), ([sample], 4)):
        named = [dataclasses.replace(s, name=f"s{i}") for i, s in enumerate(samples)]
        for source in (named, stored(tmp_path, named)):
            patches = Patches(source, "raw", 32, 2, seed=0, roles_if_there=("mono",))
            assert len(patches.roles) == roles
            assert (patches.batch(0).mono is None) == (roles == 4)
