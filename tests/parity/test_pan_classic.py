"""The classical methods against DLPan-Toolbox run in Octave and py_pansharpening; digital numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfigf.degrade.exp import interp23tap
from sfigf.methods.classic import pan as classic

# Inputs and outputs were stored in single precision: about 1e-7 of 2047 each.
TOLERANCE_DN = 3e-4


@pytest.fixture
def arrays(reference: Path) -> dict[str, np.ndarray]:
    stored = np.load(reference / "baselines" / "pan_classic.npz")
    wide = {name: stored[name].astype(np.float64) for name in ("lms", "ms", "out_EXP", "out_GSA", "py_Brovey")}
    return {name: array.transpose(2, 0, 1) for name, array in wide.items()} | {"pan": stored["pan"][None]}


def error(ours: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(ours - expected).max())


def test_exp(arrays: dict[str, np.ndarray]) -> None:
    assert error(interp23tap(arrays["ms"], 4), arrays["out_EXP"]) < TOLERANCE_DN


def test_brovey(arrays: dict[str, np.ndarray]) -> None:
    restored = classic.brovey(arrays["lms"] / 2047, arrays["pan"].astype(np.float64) / 2047) * 2047
    assert error(restored, arrays["py_Brovey"]) < TOLERANCE_DN


def test_gsa(arrays: dict[str, np.ndarray]) -> None:
    restored = classic.gram_schmidt_adaptive(arrays["lms"], arrays["pan"], arrays["ms"])
    assert error(restored, arrays["out_GSA"]) < TOLERANCE_DN
