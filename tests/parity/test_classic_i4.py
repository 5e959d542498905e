"""The classical methods of all four tasks at any size, and those of depth, focus and raw against their own rules."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sfigf.degrade.camera import camera_from_srgb
from sfigf.degrade.raw import LowLightRaw
from sfigf.interface import Sample, Scene, UserError
from sfigf.methods.classic import depth_upsampling, focus_wavelets, raw_denoise
from sfigf.methods.classic.filters import guided_filter
from sfigf.methods.classic.raw import AmplifyDemosaic
from sfigf.registry import lookup

PAN = ("gs", "sfim", "bdsd-pc", "mtf-glp-fs", "mtf-glp-hpm", "bt-h")
TASK_OF = {"joint-bilateral": "depth", "fast-guided-filter": "depth", "dwt": "focus", "raw-nlm": "raw"}
TASK_OF |= dict.fromkeys(PAN, "pan")
CHANNELS = {"depth": (1, 3), "pan": (4, 1), "focus": (3, 3), "raw": (4, 4)}


def restore(name: str, sample: Sample, **options: Any) -> np.ndarray:
    return lookup("method", name)(**options).restore(sample)


def made_up(task: str, height: int, width: int, bands: int | None = None, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    target, guide = (rng.random((count, height, width), dtype=np.float32) for count in CHANNELS[task])
    if bands:
        target = rng.random((bands, height, width), dtype=np.float32)
    colours = np.linalg.inv(camera_from_srgb()).tolist()
    return Sample("made-up", target, guide, meta={"factor": 4, "colour_matrix": colours})


@pytest.mark.parametrize("name", TASK_OF)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (3, 2), (19, 33)])
def test_any_size_gives_a_finite_image_of_the_right_shape(name: str, height: int, width: int) -> None:
    task = TASK_OF[name]
    for bands in (4, 8) if task == "pan" else (None,):
        sample = made_up(task, height, width, bands)
        restored = restore(name, sample)
        shape = (3, 2 * height, 2 * width) if task == "raw" else sample.target.shape
        assert (restored.shape, restored.dtype) == (shape, np.float32)
        assert np.isfinite(restored).all()


@pytest.mark.parametrize("name", TASK_OF)
def test_the_truth_is_not_looked_at_nor_the_input_changed(name: str) -> None:
    sample = made_up(TASK_OF[name], 16, 20)
    before = sample.target.copy(), sample.guide.copy()
    blind = restore(name, sample)
    assert np.array_equal(restore(name, dataclasses.replace(sample, truth=np.zeros_like(blind))), blind)
    assert np.array_equal(sample.target, before[0])
    assert np.array_equal(sample.guide, before[1])


@pytest.mark.parametrize("name", TASK_OF)
def test_each_says_what_it_is_and_was_proven_against(name: str) -> None:
    method = lookup("method", name)
    assert (method.name, method.tasks, method.kind) == (name, (TASK_OF[name],), "classical")
    assert min(len(method.source), len(method.proof)) > 10


def test_joint_bilateral_is_its_definition_pixel_by_pixel() -> None:
    rng = np.random.default_rng(0)
    coarse, guide = rng.random((3, 4)), rng.random((3, 12, 16))
    ours = depth_upsampling.joint_bilateral_upsampled(coarse, guide, radius=1, spread=0.7, contrast=0.3)
    quads = guide[:, 1::4, 1::4] + guide[:, 2::4, 1::4] + guide[:, 1::4, 2::4] + guide[:, 2::4, 2::4]
    for y in range(12):
        for x in range(16):
            total = weight = 0.0
            for qy in range(3):
                for qx in range(4):
                    if max(abs(qy - y // 4), abs(qx - x // 4)) > 1:
                        continue
                    apart = ((y + 0.5) / 4 - 0.5 - qy) ** 2 + ((x + 0.5) / 4 - 0.5 - qx) ** 2
                    unlike = ((quads[:, qy, qx] / 4 - guide[:, y, x]) ** 2).sum()
                    share = np.exp(-apart / (2 * 0.7**2)) * np.exp(-unlike / (2 * 0.3**2))
                    total, weight = total + share * coarse[qy, qx], weight + share
            assert abs(ours[y, x] - total / weight) < 1e-12


def test_joint_bilateral_puts_the_edge_where_the_photo_has_it() -> None:
    edge = np.where(np.arange(64) < 29, 0.2, 0.8) * np.ones((48, 1))
    coarse = edge.reshape(6, 8, 8, 8).mean(axis=(1, 3))[None]
    guide = np.repeat(edge[None], 3, axis=0)
    sample = Sample("edge", np.kron(coarse[0], np.ones((8, 8)))[None], guide, coarse=coarse, meta={"factor": 8})
    restored = restore("joint-bilateral", sample)
    assert np.abs(restored[0, :, 31] - 0.8).max() < 0.05
    assert np.abs(sample.target[0, :, 31] - 0.8).max() > 0.3


def test_joint_bilateral_survives_colours_unlike_all_others_and_asks_for_the_grid() -> None:
    guide = np.zeros((3, 8, 8))
    guide[:, 3, 3] = 1e3
    assert np.isfinite(depth_upsampling.joint_bilateral_upsampled(np.eye(2), guide, 2, 0.5, 0.01)).all()
    sample = made_up("depth", 13, 11)
    assert restore("joint-bilateral", sample).shape == (1, 13, 11)
    with pytest.raises(UserError, match="neither a coarse map nor a factor"):
        restore("joint-bilateral", dataclasses.replace(sample, meta={}))


def test_fast_guided_filter_is_the_guided_filter_at_subsampling_one_and_near_it_at_two() -> None:
    y, x = np.mgrid[:60, :70] / 30
    guide, target = np.sin(4 * x) * np.cos(3 * y), (np.sin(4 * x + 0.3) + y)[None]
    whole = guided_filter(guide, target, 6, 1e-3)
    assert np.array_equal(depth_upsampling.fast_guided_filter(guide, target, 6, 1e-3, 1), whole)
    fast = depth_upsampling.fast_guided_filter(guide, target, 6, 1e-3, 2)
    assert 0 < np.abs(fast - whole)[:, 8:-8, 8:-8].max() < 0.06
    moved = depth_upsampling.fast_guided_filter(guide, np.roll(target, 1, axis=2), 6, 1e-3, 2)
    assert np.abs(fast - whole).mean() < 0.5 * np.abs(moved - whole).mean()


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (30, 17), (1, 1), (2, 3)])
def test_wavelets_reconstruct_perfectly(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((3, *size))
    low, details = focus_wavelets.analyse(image)
    assert low.shape == (3, (size[0] + 7) // 2, (size[1] + 7) // 2)
    assert np.abs(focus_wavelets.synthesise(low, details, size) - image).max() < 1e-11


def test_wavelets_equal_pywavelets() -> None:
    pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")
    image = np.random.default_rng(0).random((31, 18))
    expected_low, (rows, columns, both) = pywt.dwt2(image, "sym4", mode="symmetric")
    low, details = focus_wavelets.analyse(image)
    assert np.abs(low - expected_low).max() < 1e-14
    assert np.abs(details - np.stack([columns, rows, both])).max() < 1e-14


def test_wavelets_have_four_vanishing_moments_and_keep_the_energy() -> None:
    y, x = np.mgrid[:40, :44] / 40.0
    _, details = focus_wavelets.analyse(x**3 - 2 * y**3 + x * y)
    assert np.abs(details[:, 4:-4, 4:-4]).max() < 1e-9
    inner = np.zeros((48, 48))
    inner[16:32, 16:32] = np.random.default_rng(0).random((16, 16))
    low, details = focus_wavelets.analyse(inner)
    assert np.isclose((low**2).sum() + (details**2).sum(), (inner**2).sum())


def test_dwt_keeps_the_larger_coefficient_and_averages_the_rest() -> None:
    assert np.array_equal(
        focus_wavelets.stronger(np.array([3.0, -1, 2, -2]), np.array([-2.0, -4, 2, 2])), [3, -4, 2, -2]
    )
    image_a, image_b = (0.3 + 0.4 * np.random.default_rng(seed).random((3, 10, 11)) for seed in (0, 1))
    (low_a, details_a), (low_b, details_b) = focus_wavelets.analyse(image_a), focus_wavelets.analyse(image_b)
    chosen = np.where(np.abs(details_a) >= np.abs(details_b), details_a, details_b)
    expected = np.clip(focus_wavelets.synthesise((low_a + low_b) / 2, chosen, (10, 11)), 0, 1)
    assert np.allclose(restore("dwt", Sample("pair", image_a, image_b), levels=1), expected, atol=1e-7)
    tiny = made_up("focus", 5, 6)
    assert np.allclose(restore("dwt", tiny), (tiny.target + tiny.guide) / 2)


def test_dwt_takes_the_sharp_half_of_each_image_whichever_comes_first() -> None:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).random((3, 64, 96)), 0.7, axes=(1, 2))
    truth = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    blurred, left = gaussian_filter(truth, 2.5, axes=(1, 2)), np.arange(96) < 48
    pair = np.where(left, truth, blurred), np.where(left, blurred, truth)
    for first, second in (pair, pair[::-1]):
        error = restore("dwt", Sample("pair", first, second)) - truth
        assert error.std() < 0.4 * (first - truth).std()
    assert np.allclose(restore("dwt", Sample("same", truth, truth)), truth, atol=1e-6)


@pytest.mark.parametrize("deviation", [0.01, 0.2])
def test_noise_is_measured_under_a_smooth_picture(deviation: float) -> None:
    y, x = np.mgrid[:200, :301] / 100
    noisy = np.sin(2 * x) + y + np.random.default_rng(0).normal(0, deviation, x.shape)
    assert abs(raw_denoise.noise_deviation(noisy) / deviation - 1) < 0.02
    assert raw_denoise.noise_deviation(noisy[:1]) == 0


def test_non_local_means_averages_what_repeats_and_leaves_a_clean_plane_alone() -> None:
    rng = np.random.default_rng(0)
    stripes = np.where(np.arange(64) // 4 % 2, 0.7, 0.2) * np.ones((4, 64, 1))
    scale = np.array([1, 2, 0.5, 1]).reshape(4, 1, 1)
    noisy = scale * (stripes + rng.normal(0, 0.05, stripes.shape))
    noisy[3] = 0.25
    clean = raw_denoise.non_local_means(noisy, 3, 5, 0.8)
    assert np.array_equal(clean[3], noisy[3])
    for plane, before, true in zip(clean[:3], noisy[:3], (scale * stripes)[:3], strict=True):
        assert (plane - true).std() < 0.4 * (before - true).std()
    doubled = raw_denoise.non_local_means(noisy * [[[1]], [[8]], [[1]], [[1]]], 3, 5, 0.8)
    assert np.allclose(doubled[0], clean[0])
    assert np.allclose(doubled[1], 8 * clean[1])


def test_raw_nlm_beats_plain_amplification_and_equals_it_without_noise() -> None:
    y, x = np.mgrid[:96, :128] / 128
    photo = np.stack([0.3 + 0.4 * (np.sin(9 * x) > 0), 0.4 + 0.2 * y, 0.6 - 0.3 * x]).astype(np.float32)
    sample = LowLightRaw("mono")(Scene("s", "s", "test", {"rgb": photo}), np.random.default_rng(4))
    errors = [float(np.std(image - sample.truth)) for image in (restore("raw-nlm", sample), sample_plain(sample))]
    assert errors[0] < 0.6 * errors[1]
    flat = dataclasses.replace(sample, target=np.full_like(sample.target, 0.3))
    assert np.array_equal(restore("raw-nlm", flat), sample_plain(flat))


def sample_plain(sample: Sample) -> np.ndarray:
    return AmplifyDemosaic().restore(sample)
