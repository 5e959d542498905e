"""PSNR and SSIM against Octave: ``ssim_index.m`` of Wang and image 2.14 ``psnr``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sfigf.metrics.display import psnr, psnr_band_mean, ssim
from sfigf.metrics.fusion import to_gray

METRICS = {"SSIM_wang_ssim_index": ssim, "PSNR": psnr, "PSNR_octave_image_psnr": psnr}


def test_equals_the_reference(reference: Path) -> None:
    arrays = np.load(reference / "metrics" / "ssim_psnr.npz")
    with (reference / "metrics" / "expected.csv").open() as stream:
        table = [row for row in csv.DictReader(stream) if row["set"] == "ssim_psnr" and row["metric"] in METRICS]
    for row in table:
        names, options = row["options"].split(";")
        pair = [arrays[name].astype(np.float64).transpose(2, 0, 1) for name in names.split("/")]
        metric, peak = METRICS[row["metric"]], 255.0
        if options.startswith("gray"):
            pair = [to_gray(image) for image in pair]
        if "L=1" in options:
            pair, peak = [image / 255 for image in pair], 1.0
        if "mean of channel PSNR" in options:
            metric = psnr_band_mean
        assert metric(*pair, peak) == pytest.approx(float(row["value"]), abs=float(row["tolerance"]), rel=0), row
    assert len(table) == 21
