"""Robustness: the nominal level is the ordinary test, every other level is what a user would really have."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import yaml
from PIL import Image

from sfigf.cli import main
from sfigf.config import kept, load_settings, read_yaml
from sfigf.degrade.depth import DepthSuperResolution
from sfigf.degrade.focus import ThinLensDefocus
from sfigf.degrade.pan import WaldProtocol
from sfigf.degrade.raw import LowLightRaw
from sfigf.figures.robustness import spread
from sfigf.interface import Scene, UserError
from sfigf.robustness.curves import COLUMNS, cut, images, measure, middle, seeded
from sfigf.robustness.guides import shifted
from sfigf.robustness.perturbations import PERTURBATIONS
from sfigf.robustness.settings import Robustness
from sfigf.score import score_sample
from sfigf.store import SampleFile, write_samples
from sfigf.tables.robustness import mean_curves, read_curves
from tests.conftest import make_sample

LEVEL = {"guide-shift": 1, "guide-noise": 0.1, "scale": 16, "mtf": 0.5, "target-noise": 0.05, "under-exposure": 4}


def photo(height=96, width=128):
    return make_sample("focus", side=max(height, width)).truth[:, :height, :width]


def made(task, rng=7):
    """A sample as the study makes it, its scene and its forward model."""
    rng = np.random.default_rng(rng)
    if task == "pan":
        meta = {"peak": 5000.0, "sensor": "sentinel2"}
        scene = Scene("s", "p", "test", {"multispectral": 5000 * make_sample("pan", side=96).truth}, meta)
        model = WaldProtocol(4)
    else:
        disparity = 20 + 30 * photo()[:1]
        valid = np.ones((1, 96, 128), np.uint8)
        valid[:, 10:20, 30:40] = 0
        scene = Scene("s", "p", "test", {"rgb": photo(), "disparity": disparity, "valid": valid}, {"unit": "px"})
        model = {"depth": DepthSuperResolution(8), "focus": ThinLensDefocus(), "raw": LowLightRaw("mono")}[task]
    sample = model(scene, rng)
    return dataclasses.replace(sample, meta={**sample.meta, "dataset": "made-up"}), scene, model


CASES = [(name, task) for name, one in PERTURBATIONS.items() for task in one.tasks]


@pytest.mark.parametrize(("name", "task"), CASES)
def test_nominal_is_the_very_sample_and_other_levels_keep_the_contract(name, task):
    sample, _, model = made(task)
    one = PERTURBATIONS[name]
    assert one.fits(sample)
    assert one.apply(sample, one.nominal(sample), seeded(name, "s"), model) is sample
    before = {role: np.copy(getattr(sample, role)) for role in ("target", "guide", "truth")}
    changed = one.apply(sample, LEVEL[name], seeded(name, "s"), model)
    again = one.apply(sample, LEVEL[name], seeded(name, "s"), model)
    for role in ("target", "guide", "truth", "coarse", "valid"):
        was, now = getattr(sample, role), getattr(changed, role)
        assert (was is None) == (now is None)
        if was is not None:
            assert now.dtype == was.dtype
            assert np.isfinite(now).all()
            assert np.array_equal(now, getattr(again, role))
    assert changed.target.shape[1:] == changed.guide.shape[1:]
    assert changed.meta.keys() == sample.meta.keys()
    assert not (np.array_equal(changed.guide, sample.guide) and np.array_equal(changed.target, sample.target))
    assert all(np.array_equal(before[role], getattr(sample, role)) for role in before)
    assert np.allclose(changed.to_units(changed.truth), sample.to_units(sample.truth), atol=1e-4)


def test_whole_pixels_are_moved_exactly_and_edges_repeated():
    image = np.random.default_rng(0).random((2, 40, 50), dtype=np.float32)
    moved = shifted(image, 3, -2)
    assert np.allclose(moved[:, 3:, :-2], image[:, :-3, 2:], atol=1e-6)
    assert np.allclose(moved[:, :3, :-2], image[:, :1, 2:], atol=1e-6)


def test_fractions_of_a_pixel_are_accurate_and_do_not_smooth_noise():
    rows, columns = np.mgrid[0:64, 0:64].astype(np.float64)

    def wave(down, right):
        return (0.5 + 0.5 * np.sin(0.9 * (rows - down) + 1.3 * (columns - right)))[None]

    inner = np.s_[:, 16:-16, 16:-16]
    assert np.abs(shifted(wave(0, 0), 0.5, -0.3) - wave(0.5, -0.3))[inner].max() < 4e-3
    noise = np.random.default_rng(0).standard_normal((1, 128, 128))
    assert shifted(noise, 0.5, 0.0).std() > 0.95 * noise.std()


def test_a_raw_guide_moves_as_the_plane_of_its_sensor():
    from sfigf.degrade.camera import pack, unpack

    sample, _, model = made("raw")
    changed = PERTURBATIONS["guide-shift"].apply(sample, 2, seeded("guide-shift", "s"), model)
    angle = seeded("guide-shift", "s").uniform(0, 2 * np.pi)
    assert np.array_equal(changed.guide, pack(shifted(unpack(sample.guide), 2 * np.sin(angle), 2 * np.cos(angle))))


def test_noise_is_a_share_of_the_contrast():
    sample, _, model = made("pan")
    dark, bright = np.percentile(sample.guide, (1, 99))
    changed = PERTURBATIONS["guide-noise"].apply(sample, 0.02, seeded("guide-noise", "s"), model)
    assert np.std(changed.guide - sample.guide) == pytest.approx(0.02 * (bright - dark), rel=0.05)


def test_another_scale_is_what_the_forward_model_makes_of_the_scene():
    sample, scene, model = made("depth")
    changed = PERTURBATIONS["scale"].apply(sample, 4, seeded("scale", "s"), model)
    expected = DepthSuperResolution(4)(scene, np.random.default_rng())
    for role in ("target", "truth", "coarse", "guide"):
        assert np.allclose(getattr(changed, role), getattr(expected, role), atol=1e-5)
    assert np.array_equal(changed.valid, expected.valid)
    assert (changed.scale, changed.offset) == pytest.approx((expected.scale, expected.offset), rel=1e-5)
    assert changed.meta["factor"] == 4


def test_noise_on_a_depth_map_is_that_of_the_forward_model():
    sample, scene, model = made("depth")
    changed = PERTURBATIONS["target-noise"].apply(sample, 0.04, np.random.default_rng(3), model)
    expected = DepthSuperResolution(8, noise=0.04)(scene, np.random.default_rng(3))
    assert changed.scale == pytest.approx(expected.scale, rel=1e-5)
    assert changed.scale > sample.scale
    assert np.allclose(changed.target, expected.target, atol=1e-5)
    assert np.allclose(changed.truth, expected.truth, atol=1e-5)


def test_published_gains_give_the_sample_back_and_softer_sensors_blur():
    sample, _, model = made("pan")
    one = PERTURBATIONS["mtf"]
    same = one.changed(sample, 1.0, seeded("mtf", "s"), model)
    assert np.allclose(same.target, sample.target, atol=1e-6)
    assert np.allclose(same.coarse, sample.coarse, atol=1e-6)
    softer, sharper = (one.apply(sample, level, seeded("mtf", "s"), model) for level in (0.5, 1.5))
    assert softer.coarse.std() < sample.coarse.std() < sharper.coarse.std()
    assert softer.meta["gains"] == sample.meta["gains"]


@pytest.mark.parametrize("level", [0.5, 4])
def test_less_light_is_amplified_more_and_noisier(level):
    sample, _, model = made("raw")
    one = PERTURBATIONS["under-exposure"]
    same = one.changed(sample, 1.0, seeded("under-exposure", "s"), model)
    changed = one.apply(sample, level, seeded("under-exposure", "s"), model)
    assert changed.meta["ratio"] == sample.meta["ratio"] * level
    for role in ("target", "guide"):
        spread_then, spread_same, spread_now = (
            np.abs(np.diff(getattr(one, role), axis=2)).mean() for one in (sample, same, changed)
        )
        assert spread_same == pytest.approx(spread_then, rel=0.05)
        assert (spread_now > 1.1 * spread_then) == (level > 1)
    oracle = LowLightRaw("red-oracle")(made("raw")[1], np.random.default_rng(7))
    assert np.array_equal(one.apply(oracle, level, seeded("under-exposure", "s"), model).guide, oracle.guide)


def test_what_is_not_known_is_not_perturbed():
    raw = made("raw")[0]
    real = dataclasses.replace(raw, guide=raw.guide[:0], meta={"ratio": 100.0, "white_balance": [2, 1, 2]})
    assert not any(PERTURBATIONS[name].fits(real) for name in ("guide-shift", "guide-noise", "under-exposure"))
    assert not PERTURBATIONS["target-noise"].fits(dataclasses.replace(made("pan")[0], coarse=None))


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


def test_draws_do_not_depend_on_anything_but_names():
    states = [seeded("guide-noise", name).bit_generator.state for name in ("a", "a", "b")]
    assert json.dumps(states[0], default=str) == json.dumps(states[1], default=str)
    assert json.dumps(states[0], default=str) != json.dumps(states[2], default=str)
