"""Which row of the pan-sharpening sets is which function of ours (DLPan-Toolbox run in Octave)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sfigf.calibration.arrays import channels_first, load_arrays
from sfigf.calibration.rows import Evaluator, Row, ours
from sfigf.degrade.mtf import NYQUIST_GAINS, mtf_kernels
from sfigf.interface import Array
from sfigf.metrics import pan_full, pan_reduced
from sfigf.metrics.display import psnr, psnr_band_mean
from sfigf.metrics.hypercomplex import q2n

_PEAK = 2047

REDUCED: dict[str, Callable[[Array, Array], float]] = {
    "Q2n": q2n,
    "Qavg": pan_reduced.quality_index,
    "SAM": pan_reduced.spectral_angle,
    "ERGAS": pan_reduced.ergas,
    "SCC": pan_reduced.spatial_correlation,
    "Q2n_swapped": lambda truth, restored: q2n(restored, truth),
    "ERGAS_swapped": lambda truth, restored: pan_reduced.ergas(restored, truth),
    "PSNR_bandmean": lambda truth, restored: psnr_band_mean(truth, restored, _PEAK),
    "PSNR_joint": lambda truth, restored: psnr(truth, restored, _PEAK),
}


def reduced(folder: Path, data: Path | None) -> Evaluator:
    """Reduced resolution, eight bands: ``options`` say which image, whether it is clipped and how it is cut."""
    arrays = load_arrays(folder, "pan_wv2_rr")

    def evaluate(row: Row) -> float:
        kind, *options = row.options.split(";")
        truth, restored = channels_first(arrays["gt"]), channels_first(ours(arrays, kind))
        if "th=1" in options:
            restored = np.clip(restored, 0, 2048)
        if "cut=1" in options:
            truth, restored = pan_reduced.cut(truth, restored)
        if "drop last row and column" in options:
            truth, restored = truth[:, :-1, :-1], restored[:, :-1, :-1]
        return ours(REDUCED, row.metric)(truth, restored)

    return evaluate


def full(folder: Path, data: Path | None) -> Evaluator:
    """Full resolution, eight bands of WorldView-2: no truth."""
    arrays = load_arrays(folder, "pan_wv2_fr", "pan_wv2_fr_exp", "pan_wv2_fr_noisy")
    upsampled, pan = channels_first(arrays["exp"]), channels_first(arrays["pan"])
    kernels = mtf_kernels(NYQUIST_GAINS["worldview2"], 4)
    metrics: dict[str, Callable[[Array], float]] = {
        "D_lambda": lambda restored: pan_full.d_lambda(restored, upsampled),
        "D_s": lambda restored: pan_full.d_s(restored, upsampled, pan),
        "QNR": lambda restored: pan_full.qnr(restored, upsampled, pan),
        "D_lambda_K": lambda restored: pan_full.d_lambda_k(restored, upsampled, kernels),
        "HQNR": lambda restored: pan_full.hqnr(restored, upsampled, pan, kernels),
    }
    return lambda row: ours(metrics, row.metric)(channels_first(ours(arrays, row.options)))
