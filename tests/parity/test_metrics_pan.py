"""The pan-sharpening metrics against DLPan-Toolbox run in Octave, row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sfigf.degrade.mtf import NYQUIST_GAINS, mtf_kernels
from sfigf.metrics import pan_full, pan_reduced
from sfigf.metrics.display import psnr, psnr_band_mean
from sfigf.metrics.hypercomplex import q2n

REDUCED = {
    "Q2n": q2n,
    "Qavg": pan_reduced.quality_index,
    "SAM": pan_reduced.spectral_angle,
    "ERGAS": pan_reduced.ergas,
    "SCC": pan_reduced.spatial_correlation,
    "Q2n_swapped": lambda truth, restored: q2n(restored, truth),
    "ERGAS_swapped": lambda truth, restored: pan_reduced.ergas(restored, truth),
    "PSNR_bandmean": lambda truth, restored: psnr_band_mean(truth, restored, 2047),
    "PSNR_joint": lambda truth, restored: psnr(truth, restored, 2047),
}


def rows(reference: Path, name: str) -> list[dict[str, str]]:
    with (reference / "metrics" / "expected.csv").open() as stream:
        return [row for row in csv.DictReader(stream) if row["set"] == name]


def bands(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64).transpose(2, 0, 1)


def test_reduced_resolution(reference: Path) -> None:
    arrays = np.load(reference / "metrics" / "pan_wv2_rr.npz")
    table = rows(reference, "pan_wv2_rr")
    for row in table:
        kind, *options = row["options"].split(";")
        pair = bands(arrays["gt"]), bands(arrays[kind])
        if "th=1" in options:
            pair = pair[0], np.clip(pair[1], 0, 2048)
        if "cut=1" in options:
            pair = pan_reduced.cut(*pair)
        if "drop last row and column" in options:
            pair = pair[0][:, :-1, :-1], pair[1][:, :-1, :-1]
        expected, tolerance = float(row["value"]), float(row["tolerance"])
        assert REDUCED[row["metric"]](*pair) == pytest.approx(expected, abs=tolerance, rel=0), row
    assert len(table) == 77


def test_full_resolution(reference: Path) -> None:
    folder = reference / "metrics"
    arrays = {**np.load(folder / "pan_wv2_fr.npz"), **np.load(folder / "pan_wv2_fr_exp.npz")}
    arrays |= dict(np.load(folder / "pan_wv2_fr_noisy.npz"))
    upsampled, pan = bands(arrays["exp"]), arrays["pan"][None].astype(np.float64)
    kernels = mtf_kernels(NYQUIST_GAINS["worldview2"], 4)
    metrics = {
        "D_lambda": lambda restored: pan_full.d_lambda(restored, upsampled),
        "D_s": lambda restored: pan_full.d_s(restored, upsampled, pan),
        "QNR": lambda restored: pan_full.qnr(restored, upsampled, pan),
        "D_lambda_K": lambda restored: pan_full.d_lambda_k(restored, upsampled, kernels),
        "HQNR": lambda restored: pan_full.hqnr(restored, upsampled, pan, kernels),
    }
    table = rows(reference, "pan_wv2_fr")
    for row in table:
        value = metrics[row["metric"]](bands(arrays[row["options"]]))
        assert value == pytest.approx(float(row["value"]), abs=float(row["tolerance"]), rel=0), row
    assert len(table) == 15


def test_metrics_stored_with_the_classical_methods(reference: Path) -> None:
    arrays = np.load(reference / "baselines" / "pan_classic.npz")
    ours = [REDUCED[name] for name in ("Q2n", "Qavg", "SAM", "ERGAS", "SCC")]
    for method, expected in zip(arrays["methods"], arrays["metrics_Q2n_Q_SAM_ERGAS_SCC"], strict=True):
        pair = bands(arrays["gt"]), bands(arrays[f"out_{method}"])
        # The outputs were stored in single precision after the metrics were taken.
        np.testing.assert_allclose([metric(*pair) for metric in ours], expected, atol=2e-5, err_msg=method)
