"""Which row of the depth sets is which function of ours: the field's bicubic protocol, degraded and scored by us."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sfigf.calibration.arrays import load_arrays
from sfigf.calibration.rows import Evaluator, NotOurs, Row, ours
from sfigf.degrade.depth import DepthSuperResolution
from sfigf.interface import Array, Scene
from sfigf.metrics.depth import mae, rmse

ERRORS: dict[str, Callable[[Array, Array], float]] = {"rmse": rmse, "mae": mae}
_BORDERS = {"full": 0, "crop6": 6}
_FOLDERS = {"Middlebury": "middlebury", "Lu": "lu"}
Pair = tuple[Array, Array]


def bicubic(depth: Array, degradation: DepthSuperResolution) -> Pair:
    """Return an 8-bit map (H, W), cut to whole blocks, and what bicubic makes of its degraded self: (1, H', W')."""
    arrays = {"rgb": np.zeros((3, *depth.shape), np.uint8), "disparity": depth[None].astype(np.float32)}
    scene = Scene("depth", "depth", "test", arrays, {"unit": "level"})
    sample = degradation(scene, np.random.default_rng(0))
    assert sample.truth is not None
    return sample.to_units(sample.truth), sample.to_units(sample.target)


def inner(pair: Pair, border_px: int) -> Pair:
    """Leave ``border_px`` out on every side."""
    inside = slice(border_px, -border_px or None)
    return pair[0][:, inside, inside], pair[1][:, inside, inside]


def samples(folder: Path, data: Path | None) -> Evaluator:
    """Two stored maps: ``options`` say which, the factor and the border."""
    arrays = load_arrays(folder, "depth_sample")

    def evaluate(row: Row) -> float:
        name, scale, border = row.options.split(";")
        pair = bicubic(ours(arrays, name), DepthSuperResolution(int(scale.split("x")[1])))
        return ours(ERRORS, row.metric.lower())(*inner(pair, _BORDERS[border]))

    return evaluate


def tables(folder: Path, data: Path | None) -> Evaluator:
    """Means over Middlebury and Lu, computed where their maps lie below ``data``, named like the sets' folders."""

    @functools.cache
    def maps(dataset: str) -> list[Array]:
        place = None if data is None else data / _FOLDERS[dataset] / "Depth"
        if place is None or not place.is_dir():
            raise NotOurs(f"the maps of {dataset} are not at hand; name the folder above {_FOLDERS[dataset]}/ (--data)")
        return [np.asarray(Image.open(place / name)) for name in _files(folder, dataset)]

    @functools.cache
    def pairs(dataset: str, degradation: DepthSuperResolution) -> list[Pair]:
        return [bicubic(depth, degradation) for depth in maps(dataset)]

    def evaluate(row: Row) -> float:
        error, border, *rest = row.metric.split("_")
        dataset, factor = row.options.split()[0], int(row.options.rsplit("x", 1)[1])
        degraded = pairs(dataset, _degradation(factor, rest))
        if "clip" in rest:
            degraded = [(truth, np.clip(up, truth.min(), truth.max())) for truth, up in degraded]
        return float(np.mean([ours(ERRORS, error)(*inner(pair, _BORDERS[border])) for pair in degraded]))

    return evaluate


def _degradation(factor: int, variant: list[str]) -> DepthSuperResolution:
    if "nearestRB" in variant:
        return DepthSuperResolution(factor, sampling="nearest-right-bottom")
    return DepthSuperResolution(factor, quantised="uint8LR" in variant)


def _files(folder: Path, dataset: str) -> list[str]:
    with (folder / "depth_bicubic.csv").open(encoding="utf-8", newline="") as stream:
        names = [row["file"] for row in csv.DictReader(stream) if row["dataset"] == dataset]
    return [name for name in dict.fromkeys(names) if name != "MEAN"]
