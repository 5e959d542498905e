"""RMSE and MAE against the numbers of the field's bicubic protocol (Pillow, single precision)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfigf.calibration import Verdict, calibrate, read_rows
from sfigf.metrics.depth import mae, rmse
from tests.parity.calibrated import equal_rows


def bicubic_round_trip(depth: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    height, width = (size // factor * factor for size in depth.shape)
    depth = depth[:height, :width].astype(np.float32)
    small = Image.fromarray(depth).resize((width // factor, height // factor), Image.Resampling.BICUBIC)
    return depth[None], np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))[None]


@pytest.fixture
def data(reference: Path) -> Path:
    folder = reference.parent / "data"
    if not (folder / "middlebury" / "Depth").is_dir():
        pytest.skip("reference images not present: ../shared/data/middlebury")
    return folder


def test_stored_images(reference: Path) -> None:
    assert len(equal_rows(reference, "depth_sample")) == 24


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_middlebury_image_by_image(reference: Path, data: Path, factor: int) -> None:
    folder = data / "middlebury" / "Depth"
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


def test_means_over_middlebury_of_every_variant_of_the_protocol(reference: Path, data: Path) -> None:
    folder = reference / "metrics"
    rows = [row for row in read_rows(folder) if row.set == "depth_bicubic.csv" and row.options.startswith("Midd")]
    results = list(calibrate(rows, folder, data))
    assert [result for result in results if result.verdict is not Verdict.EQUAL] == []
    assert len(results) == 24
