"""The other focus metrics of VIFB and of Tang's collection against that code run in Octave, and MATLAB numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfigf.calibration import read_rows
from sfigf.calibration.focus import LIU, METRICS, TANG, VIFB
from tests.parity.calibrated import equal_rows

MORE_VIFB = {"VIFB.Cross_entropy", "VIFB.Edge_intensity", "VIFB.Psnr", "VIFB.Rmse", "VIFB.Ssim"}
MORE_TANG = {
    "LT.CC",
    "LT.MI",
    "LT.MSE",
    "LT.MS_SSIM_MEF",
    "LT.Nabf",
    "LT.Nabf_as_called",
    "LT.PSNR",
    "LT.SCD",
    "LT.SF",
    "LT.VIFp_A",
    "LT.VIFp_sum",
    "LT.VIFvec_sum",
}
FMI = {"LT.FMI_none", "LT.FMI_gradient", "LT.FMI_dct"}


@pytest.mark.parametrize("name", ["mff_stand_01", "mff_savic_01", "mff_newspaper"])
def test_equals_the_reference(reference: Path, name: str) -> None:
    results = equal_rows(reference, name, MORE_VIFB | MORE_TANG)
    assert len(results) == 3 * (len(MORE_VIFB) + len(MORE_TANG))


def test_equals_the_numbers_stored_by_the_authors_of_vifb(reference: Path) -> None:
    assert len(equal_rows(reference, "vifb_walking2", MORE_VIFB)) == 4 * len(MORE_VIFB)


def test_feature_mutual_information_of_a_cut_out(reference: Path) -> None:
    assert len(equal_rows(reference, "mff_savic_01", FMI)) == 2 * len(FMI)


@pytest.mark.parametrize("name", ["mff_stand_01", "mff_savic_01", "mff_newspaper", "vifb_walking2"])
def test_no_row_of_the_fusion_sets_is_left_out(reference: Path, name: str) -> None:
    metrics = {row.metric for row in read_rows(reference / "metrics") if row.set == name}
    assert metrics <= set(METRICS) == set(VIFB) | set(LIU) | set(TANG)
