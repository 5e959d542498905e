"""Which row of the PSNR and SSIM set is which function of ours (Wang's code and ``psnr`` of Octave)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sfigf.calibration.arrays import channels_first, load_arrays
from sfigf.calibration.rows import Evaluator, NotOurs, Row, ours
from sfigf.interface import Array
from sfigf.metrics.display import psnr, psnr_band_mean, ssim
from sfigf.metrics.fusion import to_gray

METRICS: dict[str, Callable[[Array, Array, float], float]] = {
    "PSNR": psnr,
    "PSNR_octave_image_psnr": psnr,
    "SSIM_wang_ssim_index": ssim,
}
OTHERS = {
    "SSIM_matlab_builtin_style": "borders replicated instead of left out: up to 4e-3 from Wang's",
    "SSIM_skimage_uniform7": "7x7 box window and sample moments, scikit-image's default: 0.02 above Wang's",
    "SSIM_wang_ssim_auto_downsample": "images of 384 px and more are reduced first: 0.857 for 0.586",
}


def pairs(folder: Path, data: Path | None) -> Evaluator:
    """Pairs of colour images: ``options`` name the two, then gray or colour and the peak."""
    arrays = load_arrays(folder, "ssim_psnr")

    def evaluate(row: Row) -> float:
        if row.metric in OTHERS:
            raise NotOurs(OTHERS[row.metric])
        names, options = row.options.split(";")
        truth, restored = (channels_first(ours(arrays, name)) for name in names.split("/"))
        if options.startswith("gray"):
            truth, restored = to_gray(truth), to_gray(restored)
        metric = psnr_band_mean if "mean of channel PSNR" in options else ours(METRICS, row.metric)
        return metric(truth / 255, restored / 255, 1) if "L=1" in options else metric(truth, restored, 255)

    return evaluate
