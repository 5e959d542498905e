"""The focus metrics against VIFB, Liu's and Tang's code run in Octave, and VIFB's own MATLAB numbers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sfigf.metrics import fusion
from sfigf.metrics.display import ssim

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def of_fused(metric: Callable[[np.ndarray], float]) -> Metric:
    return lambda first, second, fused: metric(fused)


def ssim_sum(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    return sum(ssim(np.broadcast_to(source, fused.shape), fused, 255) for source in (first, second))


METRICS: dict[str, Metric] = {
    "VIFB.Qabf": fusion.q_abf,
    "VIFB.Mutinf": fusion.mutual_information,
    "VIFB.Entropy": of_fused(fusion.entropy),
    "VIFB.Variance": of_fused(fusion.standard_deviation),
    "VIFB.Avg_gradient": of_fused(fusion.average_gradient),
    "VIFB.Spatial_frequency": of_fused(fusion.spatial_frequency),
    "VIFB.Ssim": ssim_sum,
    "Liu.Q_MI": fusion.q_mi,
    "Liu.Q_NCIE": fusion.q_ncie,
    "LT.Qabf": fusion.q_abf,
    "LT.EN": of_fused(fusion.entropy),
    "LT.SD": of_fused(fusion.standard_deviation),
    "LT.AG": of_fused(fusion.average_gradient),
}


def channels_first(image: np.ndarray) -> np.ndarray:
    image = image.astype(np.float64)
    return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("name", "count"), [("mff_stand_01", 39), ("mff_savic_01", 45), ("mff_newspaper", 45), ("vifb_walking2", 28)]
)
def test_equals_the_reference(reference: Path, name: str, count: int) -> None:
    arrays = {key: channels_first(image) for key, image in np.load(reference / "metrics" / f"{name}.npz").items()}
    with (reference / "metrics" / "expected.csv").open() as stream:
        table = [row for row in csv.DictReader(stream) if row["set"] == name and row["metric"] in METRICS]
    for row in table:
        method, colour = (option.strip() for option in row["options"].split(";")[:2])
        trio = [arrays.get("A", arrays.get("VI")), arrays.get("B", arrays.get("IR")), arrays[f"F_{method}"]]
        if colour == "gray":
            trio = [fusion.to_gray(image) for image in trio]
        value = METRICS[row["metric"]](*trio)
        assert value == pytest.approx(float(row["value"]), abs=float(row["tolerance"]), rel=0), row
    assert len(table) == count
