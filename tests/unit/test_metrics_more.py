"""The other registered focus and pan metrics: what they state, what they refuse, which way is better."""

from __future__ import annotations

import numpy as np
import pytest

from sfigf.interface import Sample, UserError
from sfigf.metrics import (
    focus_more,
    focus_tang,
    fusion_errors,
    fusion_features,
    fusion_fidelity,
    fusion_similarity,
    fusion_wavelets,
)
from sfigf.metrics.fusion_artefacts import fusion_artefacts
from sfigf.metrics.fusion_correlation import correlation, sum_of_correlations_of_differences
from sfigf.metrics.fusion_information import cross_entropy, mutual_information_bits
from sfigf.registry import lookup
from tests.unit.test_metrics import pan_sample

OF_FUSED = {"en", "sd", "ag", "sf", "sf-tang", "ei"}
LOWER = {"ce", "nabf", "rmse-vifb", "mse-tang"}
HIGHER = {
    "mi", "mi-tang", "q-ncie", "ssim-sum", "ms-ssim", "vif", "vif-wavelets", "scd", "cc", "fmi-none", "fmi-gradient",
    "fmi-dct", "psnr-vifb", "psnr-tang",
}  # fmt: skip


def scene(side: int = 120) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:side, 0:side] / 7.0
    smooth = 0.5 + 0.3 * np.sin(rows) * np.cos(columns)
    return np.clip(smooth + rng.normal(0, 0.08, (3, side, side)), 0, 1).astype(np.float32)


def blurred(image: np.ndarray) -> np.ndarray:
    return np.mean([np.roll(image, (i, j), (1, 2)) for i in range(-2, 3) for j in range(-2, 3)], axis=0)


def pair() -> Sample:
    """A is sharp on the left, B on the right."""
    sharp = scene()
    left = np.arange(sharp.shape[2]) < sharp.shape[2] // 2
    first, second = np.where(left, sharp, blurred(sharp)), np.where(left, blurred(sharp), sharp)
    return Sample("f", first.astype(np.float32), second.astype(np.float32))


def levels() -> list[np.ndarray]:
    sample = pair()
    return [np.floor(image * 255.0 + 0.5) for image in (sample.target, sample.guide, scene())]


@pytest.mark.parametrize("name", sorted(OF_FUSED | LOWER | HIGHER))
def test_every_metric_states_what_it_is_and_refuses_nan(name: str) -> None:
    cls = lookup("metric", name)
    assert cls.name == name
    assert cls.__module__ in {focus_more.__name__, focus_tang.__name__}
    assert cls.tasks == ("focus",)
    assert cls.needs_truth is False
    assert cls.higher_is_better is (name not in LOWER)
    assert cls.reference
    broken = scene()
    broken[0, 0, 0] = np.nan
    with pytest.raises(UserError, match=r"image 'f': 1 of .* NaN or infinite"):
        cls()(broken, pair())


@pytest.mark.parametrize("name", sorted(LOWER | HIGHER))
def test_an_image_from_elsewhere_scores_worse(name: str) -> None:
    cls, sample = lookup("metric", name), pair()
    elsewhere = np.clip(scene()[:, ::-1] ** 2 + np.random.default_rng(3).normal(0, 0.1, scene().shape), 0, 1)
    good, bad = cls()(scene(), sample), cls()(elsewhere.astype(np.float32), sample)
    assert (good > bad) is cls.higher_is_better


@pytest.mark.parametrize("name", sorted(OF_FUSED))
def test_a_sharper_image_scores_higher(name: str) -> None:
    cls = lookup("metric", name)
    assert cls()(scene(), pair()) > cls()(blurred(scene()).astype(np.float32), pair())


def test_an_image_equal_to_both_sources_scores_at_the_bound() -> None:
    image = levels()[2]
    trio = image, image, image
    assert fusion_similarity.structural_similarity_sum(*trio) == pytest.approx(2)
    assert fusion_similarity.multi_scale_structure(*trio) == pytest.approx(1, abs=1e-6)
    assert fusion_fidelity.visual_information_sum(*trio) == pytest.approx(2, abs=1e-6)
    assert fusion_wavelets.wavelet_information_sum(*trio) == pytest.approx(2, abs=1e-6)
    assert fusion_features.feature_mutual_information(*trio) == 1
    assert correlation(*trio) == pytest.approx(1)
    assert cross_entropy(*trio) == fusion_artefacts(*trio) == fusion_errors.rmse_vifb(*trio) == 0
    assert fusion_errors.psnr_tang(*trio) == fusion_errors.psnr_vifb(*trio) == np.inf


def test_flat_images_give_numbers() -> None:
    flat, image = np.full((1, 120, 120), 7.0), levels()[2][:1]
    for trio in ((flat, flat, flat), (flat, flat, image), (image, image, flat)):
        for measure in (
            fusion_similarity.multi_scale_structure,
            fusion_fidelity.visual_information_sum,
            fusion_wavelets.wavelet_information_sum,
            fusion_features.feature_mutual_information,
            correlation,
            sum_of_correlations_of_differences,
            fusion_artefacts,
            cross_entropy,
            mutual_information_bits,
        ):
            assert np.isfinite(measure(*trio)), (measure.__name__, trio[0][0, 0, 0])


def test_brightest_levels_are_merged_in_the_joint_histogram_alone() -> None:
    image = np.repeat([254.0, 255.0], 50).reshape(1, 10, 10)
    assert mutual_information_bits(image, image, image) == pytest.approx(4)


def test_odd_errors_are_what_their_names_hide() -> None:
    first, fused = np.zeros((1, 100, 100)), np.full((1, 100, 100), 10.0)
    assert fusion_errors.rmse_vifb(first, first, fused) == pytest.approx(10 / 100)
    assert fusion_errors.psnr_vifb(first, first, fused) == pytest.approx(20 * np.log10(255 / np.sqrt(0.1)))
    honest = 20 * np.log10(255 / 10)
    assert fusion_errors.psnr_tang(first, first, fused) - honest == pytest.approx(20 * np.log10(255))


@pytest.mark.parametrize(
    ("measure", "side"),
    [
        (fusion_similarity.multi_scale_structure, 43),
        (fusion_fidelity.visual_information_sum, 95),
        (fusion_wavelets.wavelet_information_sum, 71),
    ],
)
def test_images_too_small_are_refused_with_their_size(measure, side: int) -> None:
    small = levels()[2][:, :side, :side]
    with pytest.raises(UserError, match=rf"{side}x{side} px.*{side + 1} px a side"):
        measure(small, small, small)
    large = levels()[2][:, : side + 1, : side + 1]
    assert np.isfinite(measure(large, large, large))


def test_an_unknown_feature_is_refused() -> None:
    image = levels()[2]
    with pytest.raises(UserError, match="unknown feature 'edge' of FMI; known: none, gradient, dct"):
        fusion_features.feature_mutual_information(image, image, image, "edge")


@pytest.mark.parametrize(
    "name", ["sam", "ergas", "q2n", "q4", "scc", "q", "d-lambda", "d-s", "qnr", "d-lambda-k", "hqnr"]
)
def test_a_study_can_ask_for_every_pan_metric(name: str) -> None:
    sample = pan_sample()
    assert np.isfinite(lookup("metric", name)()(sample.target, sample))


def test_hqnr_is_made_of_its_two_distortions() -> None:
    sample = pan_sample()
    parts = {
        name: lookup("metric", name)()(sample.target, sample) for name in ("d-lambda-k", "d-s", "hqnr", "q4", "q2n")
    }
    assert parts["hqnr"] == pytest.approx((1 - parts["d-lambda-k"]) * (1 - parts["d-s"]))
    assert parts["q2n"] == parts["q4"]
