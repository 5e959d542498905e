"""The registered metrics: units, clips, cuts, masks and refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.interface import Sample, UserError
from sfigf.metrics import fusion, hypercomplex, pan_full, pan_reduced
from sfigf.metrics.depth import rmse
from sfigf.registry import lookup, registered

OURS = {
    "rmse", "mae", "psnr", "ssim", "sam", "ergas", "q4", "scc", "d-lambda", "d-s", "qnr", "hqnr", "q-abf", "q-mi",
}  # fmt: skip


def image(channels: int, side: int = 96, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.8, (channels, side, side)).astype(np.float32)


def pan_sample() -> Sample:
    meta = {"factor": 4, "sensor": "sentinel2", "gains": [0.29] * 4}
    return Sample("p", image(4), image(1), image(4, seed=1), coarse=image(4, 24), scale=5000.0, meta=meta)


def focus_sample() -> Sample:
    return Sample("f", image(3), image(3, seed=1), image(3, seed=2))


def depth_sample() -> Sample:
    return Sample("d", image(1), image(3), image(1, seed=1), valid=np.ones((1, 96, 96), bool), scale=50.0, offset=7.0)


SAMPLES = {"pan": pan_sample, "focus": focus_sample, "raw": focus_sample, "depth": depth_sample}


def score(name: str, restored: np.ndarray, sample: Sample) -> float:
    return lookup("metric", name)()(restored, sample)


def test_every_metric_states_what_it_is() -> None:
    metrics = registered("metric")
    assert set(metrics) >= OURS
    for name in OURS:
        cls = metrics[name]
        assert cls.name == name
        assert cls.reference
        assert cls.unit
        assert cls.tasks
        assert isinstance(cls.higher_is_better, bool)
        assert cls.needs_truth is (name not in {"d-lambda", "d-s", "qnr", "hqnr", "q-abf", "q-mi"})


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_better_image_scores_better(name: str) -> None:
    if name in {"d-lambda", "d-s", "qnr", "hqnr"}:
        pytest.skip("noise can raise an index without a truth")
    cls = lookup("metric", name)
    for task in cls.tasks:
        sample = SAMPLES[task]()
        good = sample.truth if cls.needs_truth else sample.target
        worse = np.clip(good + np.random.default_rng(9).normal(0, 0.1, good.shape), 0, 1).astype(np.float32)
        assert (score(name, good, sample) > score(name, worse, sample)) is cls.higher_is_better


@pytest.mark.parametrize("name", sorted(OURS))
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_broken_values_are_refused_with_the_images_name(name: str, broken: float) -> None:
    sample = SAMPLES[lookup("metric", name).tasks[0]]()
    restored = sample.target.copy()
    restored[0, 0, 0] = broken
    with pytest.raises(UserError, match=rf"image '{sample.name}': 1 of .* NaN or infinite"):
        score(name, restored, sample)


def test_a_wrong_shape_and_a_missing_truth_are_refused() -> None:
    sample = pan_sample()
    with pytest.raises(UserError, match=r"restored is .*expected"):
        score("ergas", sample.target[:, 1:], sample)
    with pytest.raises(UserError, match="has no truth"):
        score("ergas", sample.target, dataclasses.replace(sample, truth=None))


def test_depth_is_scored_in_sensor_units_over_valid_pixels() -> None:
    sample = depth_sample()
    valid = np.zeros((1, 96, 96), bool)
    valid[:, :10] = True
    truth = sample.truth.copy()
    restored = truth + 0.1
    restored[:, 10:] = 9
    truth[:, 10:] = np.nan
    sample = dataclasses.replace(sample, truth=truth, valid=valid)
    assert score("rmse", restored, sample) == pytest.approx(5.0, abs=1e-4)
    assert score("mae", restored, sample) == pytest.approx(5.0, abs=1e-4)
    with pytest.raises(UserError, match="none of 9216 pixels is valid"):
        rmse(truth, restored, np.zeros_like(valid))


def test_display_images_are_clipped_before_psnr_and_ssim() -> None:
    truth = np.ones((3, 32, 32), np.float32)
    truth[:, ::2] = 0
    sample = Sample("f", truth, truth, truth)
    overshoot = np.where(truth > 0, 1.5, -0.5).astype(np.float32)
    assert score("psnr", overshoot, sample) == np.inf
    assert score("ssim", overshoot, sample) == pytest.approx(1)


def test_pan_psnr_is_the_mean_over_bands_inside_the_cut() -> None:
    sample = pan_sample()
    restored = sample.truth + np.array([0.1, 0.01, 0.001, 0.0001])[:, None, None]
    restored[:, :20] = 5
    restored[:, :, -21:] = 5
    assert score("psnr", restored, sample) == pytest.approx(50, abs=1e-2)


def test_pan_metrics_count_in_digital_numbers() -> None:
    sample = pan_sample()
    restored = sample.truth + 0.02
    pair = pan_reduced.cut(sample.truth * 5000.0, restored * 5000.0)
    assert score("q4", restored, sample) == pytest.approx(hypercomplex.q2n(*pair), abs=1e-5)
    assert score("ergas", restored, sample) == pytest.approx(pan_reduced.ergas(*pair, 4), rel=1e-4)
    assert score("ergas", restored, dataclasses.replace(sample, meta={"factor": 2})) == pytest.approx(
        2 * score("ergas", restored, sample)
    )


def test_small_images_are_refused_by_the_cut() -> None:
    with pytest.raises(UserError, match="48x96 px, the pan metrics cut 41 px"):
        pan_reduced.cut(np.ones((4, 48, 96)), np.ones((4, 48, 96)))


def test_upsampled_bands_have_no_spectral_distortion() -> None:
    from sfigf.degrade.exp import interp23tap

    sample = pan_sample()
    assert score("d-lambda", interp23tap(sample.coarse, 4), sample) == pytest.approx(0, abs=1e-9)
    whole = (1 - score("d-lambda", sample.target, sample)) * (1 - score("d-s", sample.target, sample))
    assert score("qnr", sample.target, sample) == pytest.approx(whole)


def test_flat_blocks_are_judged_by_their_means_not_nan() -> None:
    flat, double = np.full((32, 32), 3.0), np.full((32, 32), 6.0)
    assert pan_full.block_quality(flat, double) == pytest.approx(2 * 3 * 6 / (9 + 36))
    assert pan_full.block_quality(flat * 0, flat * 0) == 1
    with pytest.raises(UserError, match="smaller than one 32 px block"):
        pan_full.block_quality(flat[:20], flat[:20])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), st.integers(0, 1000))
def test_q2n_is_one_for_equals_and_ignores_a_common_flip(bands: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, restored = rng.integers(1, 2000, (2, bands, 40, 33)).astype(float)
    assert hypercomplex.q2n(truth, truth) == pytest.approx(1, abs=1e-12)
    assert 0 <= hypercomplex.q2n(truth, restored) <= 1
    whole = slice(None, 32)
    pair = truth[:, whole, whole], restored[:, whole, whole]
    flipped = tuple(image[:, ::-1] for image in pair)
    assert hypercomplex.q2n(*pair) == pytest.approx(hypercomplex.q2n(*flipped), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 9))
def test_angles_ignore_brightness_and_ergas_does_not(seed: int, gain: float) -> None:
    truth = np.random.default_rng(seed).uniform(1, 2000, (4, 16, 16))
    assert pan_reduced.spectral_angle(truth, truth * gain) == pytest.approx(0, abs=1e-4)
    assert pan_reduced.ergas(truth, truth * gain) >= 24.9 * abs(gain - 1)


def test_empty_spectra_are_left_out() -> None:
    truth = np.ones((2, 1, 2))
    restored = np.stack([np.ones((1, 2)), np.zeros((1, 2))])
    restored[:, :, 1] = 0
    assert pan_reduced.spectral_angle(truth, restored) == pytest.approx(45)


def test_fusion_of_equal_images_keeps_everything() -> None:
    whole = fusion.to_bytes(image(3))
    assert fusion.q_mi(whole, whole, whole) == pytest.approx(2)
    constant = np.full_like(whole, 7)
    assert fusion.q_mi(whole, whole, constant) == 0
    assert fusion.q_abf(constant * 0, constant * 0, constant * 0) == 0
    assert fusion.q_abf(whole, whole, whole) > 0.9


def test_bytes_are_clipped_and_rounded_half_up() -> None:
    np.testing.assert_array_equal(fusion.to_bytes(np.array([-1, 0.5 / 255, 0.5, 2])), [0, 1, 128, 255])
