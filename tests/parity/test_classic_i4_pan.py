"""The classical methods of pan-sharpening: against their originals where values exist, else against their own rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sfigf.degrade.mtf import NYQUIST_GAINS, filter_bands, gains_of, gaussian_kernel, mtf_kernels
from sfigf.degrade.pan import WaldProtocol
from sfigf.interface import Sample, Scene, UserError
from sfigf.methods.classic import pan_multiresolution, pan_statistics, pan_substitution
from tests.parity.test_classic_i4 import PAN, made_up, restore

TOLERANCE_DN = 3e-4  # inputs and outputs were stored in single precision


@pytest.fixture
def oracle(reference: Path) -> dict[str, np.ndarray]:
    stored = np.load(reference / "baselines" / "pan_classic.npz")
    arrays = {name: stored[name].astype(np.float64) for name in stored if stored[name].dtype.kind == "f"}
    return {name: array.transpose(2, 0, 1) if array.ndim == 3 else array[None] for name, array in arrays.items()}


def fused(name: str, arrays: dict[str, np.ndarray], bands: int = 8) -> np.ndarray:
    """Run a method's function in digital numbers, float64, on the first bands."""
    upsampled, pan = arrays["lms"][:bands], arrays["pan"]
    kernels = mtf_kernels(NYQUIST_GAINS["worldview2"][:bands], 4)
    if name == "gs":
        return pan_substitution.gram_schmidt(upsampled, pan)
    if name == "bt-h":
        return pan_substitution.brovey_without_haze(upsampled, pan, 4)
    if name == "bdsd-pc":
        return pan_substitution.band_dependent_detail(upsampled, pan, kernels, mtf_kernels([0.11], 4), 4)
    if name == "sfim":
        return pan_multiresolution.smoothing_filter_modulation(upsampled / 2047, pan / 2047, 4) * 2047
    if name == "mtf-glp-fs":
        return pan_multiresolution.laplacian_pyramid_regressed(upsampled, pan, kernels, 4)
    return pan_multiresolution.laplacian_pyramid_modulated(upsampled, pan, kernels, 4)


def stored_name(name: str) -> str:
    return "py_SFIM" if name == "sfim" else "out_" + name.upper().replace("-", "_")


@pytest.mark.parametrize("name", PAN)
def test_pan_methods_equal_the_originals(oracle: dict[str, np.ndarray], name: str) -> None:
    assert np.abs(fused(name, oracle) - oracle[stored_name(name)]).max() < TOLERANCE_DN


@pytest.mark.parametrize("name", ["sfim", "mtf-glp-fs", "mtf-glp-hpm"])
def test_four_bands_give_the_first_four_of_eight(oracle: dict[str, np.ndarray], name: str) -> None:
    assert np.abs(fused(name, oracle, bands=4) - oracle[stored_name(name)][:4]).max() < TOLERANCE_DN


@pytest.mark.parametrize("name", PAN)
def test_the_card_runs_the_function_with_the_samples_own_facts(oracle: dict[str, np.ndarray], name: str) -> None:
    target, guide = ((oracle[role] / 2047).astype(np.float32) for role in ("lms", "pan"))
    facts = {"factor": 4, "sensor": "worldview2", "gains": list(gains_of("worldview2", 8))}
    restored = restore(name, Sample("wv2", target, guide, scale=2047.0, meta=facts)) * 2047.0
    assert np.abs(restored - oracle[stored_name(name)]).max() < 4 * TOLERANCE_DN


def test_haze_of_four_bands_is_a_share_of_the_first_percentile(oracle: dict[str, np.ndarray]) -> None:
    bands, pan = oracle["lms"][:4], oracle["pan"][0]
    blurred = filter_bands(pan[None], gaussian_kernel(4)[None])[0]
    haze = []
    for band, share in zip(bands, (0.95, 0.45, 0.4, 0.05), strict=True):
        ordered, place = np.sort(band.ravel()), 0.01 * band.size - 0.5
        below = int(place)
        haze.append(share * (ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])))
    shares = np.linalg.lstsq(np.stack([band.ravel() for band in bands], axis=1), blurred.ravel(), rcond=None)[0]
    intensity = sum(share * (band - low) for share, band, low in zip(shares, bands, haze, strict=True))
    sharp = (pan - blurred.mean()) * intensity.std(ddof=1) / blurred.std(ddof=1) + intensity.mean()
    by_hand = [np.maximum(band - low, 0) * sharp / intensity + low for band, low in zip(bands, haze, strict=True)]
    assert np.abs(fused("bt-h", oracle, bands=4) - np.stack(by_hand)).max() < 1e-6


def test_bdsd_shares_keep_their_signs() -> None:
    rng = np.random.default_rng(0)
    bands, kernels = rng.random((4, 32, 32)), mtf_kernels([0.3] * 4, 4)

    def added(pan: np.ndarray) -> np.ndarray:
        return pan_substitution.band_dependent_detail(bands, pan, kernels, kernels[:1], 4) - bands

    assert np.abs(added(np.zeros((1, 32, 32)))).max() > 0
    inverted = 1 - bands.mean(axis=0, keepdims=True)
    shares = np.linalg.lstsq(np.concatenate([inverted, bands]).reshape(5, -1).T, added(inverted).reshape(4, -1).T)[0]
    assert shares[0].min() > -1e-9
    assert shares[1:].max() < 1e-9


def wald_scene() -> Scene:
    rng = np.random.default_rng(1)
    fields = np.kron(rng.random((4, 7, 7)) + 2 * rng.random((1, 7, 7)), np.ones((41, 41)))[:, :264, :248]
    fine = (500 + 800 * fields + 20 * rng.standard_normal(fields.shape)).astype(np.float32)
    bands = filter_bands(fine, mtf_kernels([0.3] * 4, 4))[:, 2::4, 2::4].astype(np.float32)
    arrays = {"multispectral": bands, "pan": fine.mean(axis=0, keepdims=True)}
    return Scene("field", "field", "test", arrays, {"peak": 4000, "sensor": "geoeye1"})


@pytest.mark.parametrize("name", PAN)
def test_reduced_samples_come_nearer_the_truth_and_full_ones_keep_the_size_of_pan(name: str) -> None:
    reduced, full = WaldProtocol().samples(wald_scene(), np.random.default_rng(0))
    before, after = (float(np.mean((image - reduced.truth) ** 2)) for image in (reduced.target, restore(name, reduced)))
    assert after < before
    restored = restore(name, full)
    assert full.truth is None
    assert restored.shape == (4, *full.guide.shape[1:])
    assert np.isfinite(restored).all()
    sharper = np.abs(np.diff(restored, axis=2)).mean() / np.abs(np.diff(full.target, axis=2)).mean()
    assert sharper > 1.02


def test_pan_methods_ask_for_the_ratio_and_know_the_sensors() -> None:
    sample = dataclasses.replace(made_up("pan", 8, 8), meta={})
    for name in ("sfim", "bt-h", "mtf-glp-fs", "mtf-glp-hpm", "bdsd-pc"):
        with pytest.raises(UserError, match="factor"):
            restore(name, sample)
    named = dataclasses.replace(made_up("pan", 8, 8), meta={"factor": 4, "sensor": "quickbird"})
    assert np.array_equal(pan_statistics.kernels_of(named), mtf_kernels(NYQUIST_GAINS["quickbird"], 4))
    assert np.array_equal(pan_statistics.pan_kernel_of(named), mtf_kernels([0.15], 4))


@pytest.mark.parametrize("name", PAN)
@pytest.mark.parametrize("flat", ["pan", "bands", "both"])
def test_flat_images_leave_the_bands_nearly_alone(name: str, flat: str) -> None:
    sample = made_up("pan", 24, 20)
    target = np.full_like(sample.target, 0.3) if flat != "pan" else 0.4 + 0.2 * sample.target
    guide = np.full_like(sample.guide, 0.6) if flat != "bands" else sample.guide
    restored = restore(name, dataclasses.replace(sample, target=target, guide=guide))
    assert np.isfinite(restored).all()
    if flat == "both":
        assert np.allclose(restored, target, atol=0.01)
    else:
        assert np.abs(restored).max() < 2
