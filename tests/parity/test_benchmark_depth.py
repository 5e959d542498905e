"""Middlebury 30, image by image: our reader, condition and metrics against the reference's bicubic."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sfigf.cards import load_card
from sfigf.datasets.members import open_members
from sfigf.datasets.prepare import read_card
from sfigf.degrade.depth import DepthSuperResolution
from sfigf.interface import Sample
from sfigf.registry import lookup
from sfigf.tasks import degradation

MEANS = {4: (2.281, 2.2965), 8: (3.983, 3.9996), 16: (6.374, 6.3448)}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list:
    root = Path(__file__).parents[2]
    mirror = root.parent / "shared" / "data" / "middlebury"
    if not mirror.is_dir():
        pytest.skip("real pictures not present: ../shared/data/middlebury")
    card = load_card(root / "config" / "datasets" / "middlebury-30.yaml")
    found = list(read_card(card, open_members(card, None, mirror, tmp_path_factory.mktemp("members"))))
    assert len(found) == 30
    return found


def table_of(reference: Path, factor: int) -> list[dict[str, str]]:
    with (reference / "metrics" / "depth_bicubic.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["scale"] == str(factor) and row["file"] != "MEAN"]
    return sorted(rows, key=lambda row: row["file"])


def errors(samples: list[Sample], metric: str, clip: bool = False) -> list[float]:
    values = []
    for sample in samples:
        restored = sample.target
        if clip:
            restored = np.clip(restored, sample.truth.min(), sample.truth.max())
        values.append(lookup("metric", metric)()(restored, sample))
    return values


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_bicubic_is_the_reference_s(scenes: list, reference: Path, factor: int) -> None:
    table = table_of(reference, factor)
    samples = [degradation("depth", f"x{factor}")(scene, np.random.default_rng(0)) for scene in scenes]
    for metric, column, clip in (
        ("rmse", "rmse_full", False),
        ("rmse-crop6", "rmse_crop6", False),
        ("mae", "mae_full", False),
        ("mae-crop6", "mae_crop6", False),
        ("rmse", "rmse_full_clip", True),
        ("rmse-crop6", "rmse_crop6_clip", True),
    ):
        assert errors(samples, metric, clip) == pytest.approx([float(row[column]) for row in table], abs=1e-4), column
    means = [np.mean(errors(samples, metric)) for metric in ("rmse", "rmse-crop6")]
    assert means == pytest.approx(MEANS[factor], abs=5e-4)
    assert {lookup("metric", "rmse")().unit_of(sample) for sample in samples} == {"8-bit disparity"}


@pytest.mark.parametrize("factor", [4, 8, 16])
@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (("rmse_full_uint8LR", "rmse_crop6_uint8LR"), {"quantised": True}),
        (("rmse_full_nearestRB", "rmse_crop6_nearestRB"), {"sampling": "nearest-right-bottom"}),
    ],
)
def test_other_ways_to_coarsen(
    scenes: list, reference: Path, factor: int, columns: tuple[str, str], options: dict
) -> None:
    table = table_of(reference, factor)
    lower = DepthSuperResolution(factor, **options)
    samples = [lower(scene, np.random.default_rng(0)) for scene in scenes]
    for metric, column in zip(("rmse", "rmse-crop6"), columns, strict=True):
        assert errors(samples, metric) == pytest.approx([float(row[column]) for row in table], abs=1e-4), column


def test_no_pixel_is_left_out(scenes: list) -> None:
    sample = DepthSuperResolution(4)(scenes[0], np.random.default_rng(0))
    assert sample.valid.all()
    assert scenes[0].arrays["disparity"].min() == 0
    everywhere = dataclasses.replace(sample, valid=None)
    assert errors([sample], "rmse") == errors([everywhere], "rmse")


def test_places_are_those_of_our_own_cards(scenes: list) -> None:
    places = {scene.name: scene.place for scene in scenes}
    assert (places["middlebury-01"], places["middlebury-13"]) == ("middlebury-aloe", "middlebury-cones")
    assert len(set(places.values())) == 20
    assert {scene.part for scene in scenes} == {"test"}


def test_nyu_samples_are_centimetres() -> None:
    root = Path(__file__).parents[2]
    mirror = root.parent / "shared" / "data" / "nyuv2-sample"
    if not mirror.is_dir():
        pytest.skip("real pictures not present: ../shared/data/nyuv2-sample")
    card = load_card(root / "config" / "datasets" / "nyu-sample.yaml")
    found = list(read_card(card, open_members(card, None, mirror, mirror)))
    assert [scene.name for scene in found] == ["nyu-sample-1000", "nyu-sample-1001", "nyu-sample-1002"]
    assert found[0].arrays["disparity"].max() == pytest.approx(401.679, abs=1e-3)
    sample = DepthSuperResolution(8)(found[0], np.random.default_rng(0))
    assert lookup("metric", "rmse")().unit_of(sample) == "cm"
    assert {scene.meta["farther"] for scene in found} == {"larger"}
