"""Bicubic resizing and the depth degradation against stored Pillow results and the field's bicubic error table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfigf.degrade.depth import DepthSuperResolution
from sfigf.degrade.resample import resize_bicubic
from sfigf.interface import Scene

FACTORS = (4, 8, 16)


@pytest.mark.parametrize("factor", FACTORS)
def test_down(reference: Path, factor: int) -> None:
    stored = np.load(reference / "metrics" / "resize.npz")
    image = stored["x"][None]
    coarse = resize_bicubic(image, image.shape[1] // factor, image.shape[2] // factor)
    np.testing.assert_allclose(coarse[0], stored[f"pil_down{factor}"], atol=5e-5)


def test_up(reference: Path) -> None:
    stored = np.load(reference / "metrics" / "resize.npz")
    again = resize_bicubic(stored["pil_down4"][None], *stored["x"].shape)
    np.testing.assert_allclose(again[0, ::3, ::3], stored["pil_up4"], atol=3e-5)


def test_differs_from_matlab_at_borders_only(reference: Path) -> None:
    stored = np.load(reference / "metrics" / "resize.npz")
    coarse = resize_bicubic(stored["x"][None], *stored["matlab_down4"].shape)[0]
    difference = np.abs(coarse - stored["matlab_down4"])
    assert difference[2:-2, 2:-2].max() < 2e-5
    assert difference.max() > 1


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", ["midd01", "lu01"])
def test_degraded_target(reference: Path, name: str, factor: int) -> None:
    stored = np.load(reference / "metrics" / "depth_sample.npz")
    disparity = stored[name][None].astype(np.float32)
    scene = Scene(name, name, "test", {"rgb": np.zeros((3, *disparity.shape[1:]), np.uint8), "disparity": disparity})
    sample = DepthSuperResolution(factor)(scene, np.random.default_rng(0))
    upsampled = sample.to_units(sample.target)
    np.testing.assert_allclose(upsampled[0, ::4, ::4], stored[f"{name}_up_x{factor}"], atol=1e-4)


def test_table_of_bicubic_errors(reference: Path) -> None:
    folder = reference.parent / "data" / "middlebury" / "Depth"
    if not folder.is_dir():
        pytest.skip("reference values not present: ../shared/data/middlebury")
    with (reference / "metrics" / "depth_bicubic.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == "Middlebury" and row["file"] != "MEAN"]
    assert len(rows) == 90
    for row in rows:
        disparity = np.asarray(Image.open(folder / row["file"]))[None].astype(np.float32)
        colour = np.zeros((3, *disparity.shape[1:]), np.uint8)
        sample = DepthSuperResolution(int(row["scale"]))(
            Scene("image", "image", "test", {"rgb": colour, "disparity": disparity}), np.random.default_rng(0)
        )
        assert sample.target.shape[1:] == (int(row["h"]), int(row["w"]))
        error = sample.to_units(sample.target) - sample.to_units(sample.truth)
        assert np.sqrt(np.mean(error**2)) == pytest.approx(float(row["rmse_full"]), abs=1e-4)
        assert np.abs(error).mean() == pytest.approx(float(row["mae_full"]), abs=1e-4)
