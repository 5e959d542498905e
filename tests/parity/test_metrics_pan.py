"""The pan-sharpening metrics against DLPan-Toolbox run in Octave, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfigf.calibration.arrays import channels_first
from sfigf.calibration.pan import REDUCED
from tests.parity.calibrated import equal_rows


def test_reduced_resolution(reference: Path) -> None:
    results = equal_rows(reference, "pan_wv2_rr")
    assert len(results) == 77
    assert {result.row.metric for result in results} == set(REDUCED)


def test_full_resolution(reference: Path) -> None:
    results = equal_rows(reference, "pan_wv2_fr")
    assert len(results) == 15
    assert {result.row.metric for result in results} == {"D_lambda", "D_s", "QNR", "D_lambda_K", "HQNR"}


def test_metrics_stored_with_the_classical_methods(reference: Path) -> None:
    arrays = np.load(reference / "baselines" / "pan_classic.npz")
    ours = [REDUCED[name] for name in ("Q2n", "Qavg", "SAM", "ERGAS", "SCC")]
    for method, expected in zip(arrays["methods"], arrays["metrics_Q2n_Q_SAM_ERGAS_SCC"], strict=True):
        pair = channels_first(arrays["gt"]), channels_first(arrays[f"out_{method}"])
        # The outputs were stored in single precision after the metrics were taken.
        np.testing.assert_allclose([metric(*pair) for metric in ours], expected, atol=2e-5, err_msg=method)
