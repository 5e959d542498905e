"""Robustness: the nominal rows are the ordinary scores, wrong settings are named, the commands measure and draw."""

import csv
import dataclasses

import numpy as np
import pytest
import yaml
from PIL import Image

from sfigf.cli import main
from sfigf.config import kept, load_settings, read_yaml
from sfigf.degrade.depth import DepthSuperResolution
from sfigf.figures.robustness import spread
from sfigf.interface import UserError
from sfigf.robustness.curves import COLUMNS, cut, images, measure, middle
from sfigf.robustness.settings import Robustness
from sfigf.score import score_sample
from sfigf.store import SampleFile, write_samples
from sfigf.tables.robustness import mean_curves, read_curves
from tests.conftest import make_sample
from tests.unit.test_robustness_perturbations import made


def test_a_window_cuts_every_array_alike():
    sample = make_sample("raw", side=200)
    window = middle(sample, 100)
    assert window == (slice(32, 128), slice(32, 128))
    part = cut(sample, window)
    assert np.array_equal(part.truth, sample.truth[:, 32:128, 32:128])
    assert np.array_equal(part.guide, sample.guide[:, 16:64, 16:64])
    depth = made("depth")[0]
    assert cut(depth, middle(depth, 64)).coarse.shape == (1, 8, 8)
    assert cut(depth, middle(depth, None)) is depth


@pytest.fixture
def stored(tmp_path):
    sample = made("depth")[0]
    samples = [dataclasses.replace(sample, name=f"a{i}", truth=None if i == 2 else sample.truth) for i in range(6)]
    samples.append(dataclasses.replace(sample, name="b", meta={**sample.meta, "dataset": "other"}))
    write_samples(tmp_path / "test.safetensors", samples)
    return SampleFile(tmp_path / "test.safetensors")


def test_images_are_evenly_chosen_among_those_with_a_truth(stored, tmp_path):
    assert [stored.records.names[index] for index in images(stored, 2)] == ["a1", "a4", "b"]
    assert len(images(stored, 99)) == 6
    write_samples(tmp_path / "blind.safetensors", [dataclasses.replace(stored[0], truth=None)])
    with pytest.raises(UserError, match="robustness: null"):
        images(SampleFile(tmp_path / "blind.safetensors"), 1)


def test_the_nominal_rows_are_the_ordinary_scores(stored):
    settings = Robustness(perturbations={"guide-shift": [2.0], "scale": [4.0]}, images=9, crop_px=None)
    runs = [
        ({"method": name}, restore) for name, restore in (("a", lambda s: s.target), ("b", lambda s: s.target * 0.9))
    ]
    score = lambda image, sample: score_sample(image, sample, ["rmse", "mae"])  # noqa: E731
    rows = list(measure(settings, "depth", DepthSuperResolution(8), stored, runs, score))
    assert {(row["perturbation"], row["level"], row["nominal"]) for row in rows} == {
        ("guide-shift", 0.0, True), ("guide-shift", 2.0, False), ("scale", 4.0, False), ("scale", 8.0, True),
    }  # fmt: skip
    ordinary = {(row["metric"], row["value"]) for row in score(stored[0].target, stored[0])}
    found = {(r["metric"], r["value"]) for r in rows if r["nominal"] and r["method"] == "a" and r["image"] == "a0"}
    assert found == ordinary
    worse = [r["value"] for r in rows if r["perturbation"] == "scale" and r["metric"] == "rmse" and r["method"] == "a"]
    assert worse[0] < worse[1]


def test_a_task_without_perturbation_says_so(stored):
    settings = Robustness(perturbations={"mtf": [0.5]}, images=1, crop_px=None)
    with pytest.raises(UserError, match="none of mtf is for depth"):
        list(measure(settings, "depth", None, stored, [], None))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"perturbations": {"guide-shft": [1]}}, "unknown perturbation 'guide-shft', did you mean 'guide-shift'"),
        ({"perturbations": {"scale": [5]}}, "2, 4, 8, 16 or 32, not 5"),
        ({"perturbations": {"guide-noise": [-0.1]}}, "guide-noise: a level is a number >= 0"),
        ({"perturbations": {"mtf": [9]}}, "mtf: a level multiplies the gain"),
        ({"perturbations": {"mtf": []}}, "mtf: give one or more levels"),
        ({"imges": 1}, "unknown key 'imges', did you mean 'images'"),
        ({"images": 0}, "robustness.images"),
    ],
)
def test_wrong_settings_are_named(root, changes, says):
    settings = read_yaml(root / "config/default.yaml")
    settings["robustness"] = settings["robustness"] | changes
    with pytest.raises(UserError) as caught:
        load_settings(settings)
    assert says in str(caught.value)


def test_a_perturbation_or_all_of_them_can_be_left_out(root):
    settings = read_yaml(root / "config/default.yaml")
    settings["robustness"]["perturbations"]["scale"] = None
    study = load_settings(kept(settings))
    assert set(study.robustness.of("depth")) == {"guide-shift", "guide-noise", "target-noise"}
    assert set(study.robustness.of("focus")) == {"guide-shift"}
    assert load_settings(settings | {"robustness": None}).robustness is None


def command(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


@pytest.fixture
def table(root, tmp_path, stored):
    """The table of two classical methods, by way of the commands."""
    settings = read_yaml(root / "config/default.yaml")
    settings["robustness"] = {"images": 1, "crop_px": 64, "perturbations": {"guide-shift": [1, 4], "scale": [4, 16]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    given = ("--config", tmp_path / "config.yaml", "--task", "depth", "--condition", "x8", "--samples")
    given += (stored.records.path, "--output", tmp_path / "x8.csv")
    assert command("robustness", *given, "--run", "bicubic/full/seed0", "--run", "guided-filter/full/seed0") == 0
    made = ("--curves", tmp_path / "x8.csv", "--csv", tmp_path / "depth-robustness.csv")
    assert command("tabulate-robustness", "--task", "depth", *made) == 0
    return tmp_path / "depth-robustness.csv"


def test_the_commands_measure_gather_and_draw(table, tmp_path):
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert {row["metric"] for row in rows} == {"rmse", "rmse-crop6"}
    means = mean_curves(read_curves([table]), "rmse")
    assert set(means["dataset"]) == {"all"}
    blind = means[(means["method"] == "bicubic") & (means["perturbation"] == "guide-shift")]
    assert blind["mean"].nunique() == 1, "bicubic does not look at the guide"
    filtered = means[(means["method"] == "guided-filter") & (means["perturbation"] == "guide-shift")]
    assert filtered["mean"].nunique() == 3
    for name in ("first.png", "again.png"):
        figure = ("--curves", table, "--output", tmp_path / name)
        assert command("draw", "robustness", "--task", "depth", "--condition", "x8", *figure) == 0
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert np.asarray(Image.open(tmp_path / "first.png")).std() > 5


def test_wrong_runs_and_tables_are_named(table, tmp_path, stored, capsys):
    given = ("--config", tmp_path / "config.yaml", "--task", "depth", "--condition", "x8")
    given += ("--samples", stored.records.path, "--output", tmp_path / "no.csv")
    assert command("robustness", *given, "--run", "bicubic") == 2
    assert "is not METHOD/VARIANT/seedN" in capsys.readouterr().err
    assert command("robustness", *given, "--run", "sfigf/full/seed0") == 2
    assert "needs --weights" in capsys.readouterr().err
    assert not (tmp_path / "no.csv").exists()
    with pytest.raises(UserError, match="more than once"):
        read_curves([table, table])
    with pytest.raises(UserError, match="holds curves of depth, not of pan"):
        read_curves([table], "pan")
    draw = ("draw", "robustness", "--task", "depth", "--condition", "x4", "--curves", table, "--output")
    assert command(*draw, tmp_path / "no.png") == 2
    assert "nothing to draw" in capsys.readouterr().err


def test_names_are_spread_in_their_order():
    moved = spread(np.array([0.5, 0.52, 0.1, 0.51, 0.99]), 0.1, 0, 1)
    order = np.argsort(moved)
    assert list(order) == [2, 0, 3, 1, 4]
    assert np.diff(moved[order]).min() >= 0.1 - 1e-9
    assert moved[2] == pytest.approx(0.1)
    assert moved.min() >= 0
