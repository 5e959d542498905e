"""RMSE and MAE against the numbers of the field's bicubic protocol (Pillow, single precision)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfigf.metrics.depth import mae, rmse


def bicubic_round_trip(depth: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    height, width = (size // factor * factor for size in depth.shape)
    depth = depth[:height, :width].astype(np.float32)
    small = Image.fromarray(depth).resize((width // factor, height // factor), Image.Resampling.BICUBIC)
    return depth[None], np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))[None]


def test_stored_images(reference: Path) -> None:
    arrays = np.load(reference / "metrics" / "depth_sample.npz")
    with (reference / "metrics" / "expected.csv").open() as stream:
        table = [row for row in csv.DictReader(stream) if row["set"] == "depth_sample"]
    for row in table:
        name, scale, border = row["options"].split(";")
        pair = bicubic_round_trip(arrays[name], int(scale.split("x")[1]))
        if border == "crop6":
            pair = tuple(image[:, 6:-6, 6:-6] for image in pair)
        value = {"RMSE": rmse, "MAE": mae}[row["metric"]](*pair)
        assert value == pytest.approx(float(row["value"]), abs=float(row["tolerance"]), rel=0), row
    assert len(table) == 24


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_middlebury_image_by_image(reference: Path, factor: int) -> None:
    folder = reference.parent / "data" / "middlebury" / "Depth"
    if not folder.is_dir():
        pytest.skip("reference images not present: ../shared/data/middlebury")
    with (reference / "metrics" / "depth_bicubic.csv").open() as stream:
        table = [
            row for row in csv.DictReader(stream) if row["dataset"] == "Middlebury" and row["scale"] == str(factor)
        ]
    values = []
    for row in table:
        if row["file"] == "MEAN":
            value = np.mean(values, axis=0)
        else:
            pair = bicubic_round_trip(np.asarray(Image.open(folder / row["file"])), factor)
            value = [rmse(*pair), mae(*pair)]
            values.append(value)
        assert value == pytest.approx([float(row["rmse_full"]), float(row["mae_full"])], abs=1e-4, rel=0), row
    assert len(values) == 30
