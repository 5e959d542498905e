"""Kernels, interpolation, reduction and Wald's protocol against DLPan-Toolbox run in Octave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfigf.degrade.exp import decimate, interp23tap, reduce_bicubic
from sfigf.degrade.mtf import NYQUIST_GAINS, binomial_low_pass, filter_bands, gaussian_kernel, mtf_kernels

STORED = {"QB": "quickbird", "IKONOS": "ikonos", "GeoEye1": "geoeye1", "WV2": "worldview2", "WV3": "worldview3"}
# Half a unit in the last place of single precision on 0..2047, for stored inputs and outputs.
SINGLE = 2e-4


def bands(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64).transpose(2, 0, 1)


def error(ours: np.ndarray, expected: np.ndarray) -> float:
    assert ours.shape == expected.shape
    return float(np.abs(ours - expected).max())


def test_mtf_kernels(reference: Path) -> None:
    kernels = np.load(reference / "baselines" / "pan_mtf_kernels.npz")
    for name, sensor in STORED.items():
        assert error(mtf_kernels(NYQUIST_GAINS[sensor], 4), bands(kernels[f"h_{name}"])) < 1e-15, sensor
    assert error(mtf_kernels([0.3] * 4, 4), bands(kernels["h_none"])) < 1e-15
    second = np.load(reference / "metrics" / "pan_wv2_kernels.npz")["mtf"]
    assert error(mtf_kernels(NYQUIST_GAINS["worldview2"], 4), second.transpose(2, 0, 1)) < 1e-15


def test_interpolation_reduction_and_decimation(reference: Path) -> None:
    arrays = np.load(reference / "metrics" / "pan_wv2_kernels.npz")
    assert error(interp23tap(arrays["interp23_in"], 4), arrays["interp23_out"]) < 1e-11
    assert error(reduce_bicubic(arrays["imresize_in"], 4), arrays["imresize_out"]) < 1e-11
    kernel = mtf_kernels(NYQUIST_GAINS["worldview2"][:1], 4)
    assert error(decimate(filter_bands(arrays["wald_in"][None], kernel), 4)[0], arrays["wald_out"]) < 1e-9


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_reduction_is_matlabs_imresize(reference: Path, factor: int) -> None:
    arrays = np.load(reference / "metrics" / "resize.npz")
    assert error(reduce_bicubic(arrays["x"], factor), arrays[f"matlab_down{factor}"]) < 1e-10


def test_wald_protocol(reference: Path) -> None:
    arrays = np.load(reference / "baselines" / "pan_wald.npz")
    kernels = mtf_kernels(NYQUIST_GAINS["worldview2"], 4)
    assert error(decimate(filter_bands(bands(arrays["ms_hr"]), kernels), 4), bands(arrays["ms_lr"])) < 1e-9
    assert error(reduce_bicubic(arrays["pan_hr"], 4), arrays["pan_lr"]) < 1e-9


def test_filters_of_the_classical_methods(reference: Path) -> None:
    arrays = np.load(reference / "baselines" / "pan_classic.npz")
    pan = arrays["pan"].astype(np.float64)
    low = binomial_low_pass(pan, 4)
    gaussian = filter_bands(pan[None], gaussian_kernel(4)[None])[0]
    blurred = filter_bands(bands(arrays["lms"]), mtf_kernels(NYQUIST_GAINS["worldview2"], 4))
    assert error(low, arrays["aux_LPfilter_pan"]) < SINGLE
    assert error(decimate(low, 4), arrays["aux_LPfilterPlusDec_pan"]) < SINGLE
    assert error(gaussian, arrays["aux_LPfilterGauss_pan"]) < SINGLE
    assert error(blurred, bands(arrays["aux_MTF_lms"])) < SINGLE
    assert error(filter_bands(pan[None], mtf_kernels([0.11], 4))[0], arrays["aux_MTF_PAN_pan"]) < SINGLE
    assert error(interp23tap(bands(arrays["ms"]), 4), bands(arrays["lms"])) < SINGLE
