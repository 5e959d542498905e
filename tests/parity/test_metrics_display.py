"""PSNR and SSIM against Octave: ``ssim_index.m`` of Wang and image 2.14 ``psnr``."""

from __future__ import annotations

from pathlib import Path

from sfigf.calibration import Verdict, calibrate, read_rows
from sfigf.calibration.display import METRICS, OTHERS
from tests.parity.calibrated import equal_rows


def test_equals_the_reference(reference: Path) -> None:
    assert len(equal_rows(reference, "ssim_psnr", METRICS)) == 21


def test_other_kinds_of_ssim_are_named_with_the_reason(reference: Path) -> None:
    folder = reference / "metrics"
    rows = [row for row in read_rows(folder) if row.set == "ssim_psnr" and row.metric not in METRICS]
    results = list(calibrate(rows, folder))
    assert len(results) == 12
    assert all(result.verdict is Verdict.NOT_OURS and result.why == OTHERS[result.row.metric] for result in results)
