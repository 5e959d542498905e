"""The first focus metrics against VIFB, Liu's and Tang's code run in Octave, and VIFB's own MATLAB numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.calibrated import equal_rows

METRICS = {
    "VIFB.Qabf",
    "VIFB.Mutinf",
    "VIFB.Entropy",
    "VIFB.Variance",
    "VIFB.Avg_gradient",
    "VIFB.Spatial_frequency",
    "VIFB.Ssim",
    "Liu.Q_MI",
    "Liu.Q_NCIE",
    "LT.Qabf",
    "LT.EN",
    "LT.SD",
    "LT.AG",
}


@pytest.mark.parametrize(
    ("name", "count"), [("mff_stand_01", 39), ("mff_savic_01", 45), ("mff_newspaper", 45), ("vifb_walking2", 28)]
)
def test_equals_the_reference(reference: Path, name: str, count: int) -> None:
    assert len(equal_rows(reference, name, METRICS)) == count
