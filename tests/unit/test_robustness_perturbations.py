"""Perturbations: the nominal level is the very sample, every other one is what a user would really have."""

import dataclasses
import json

import numpy as np
import pytest

from sfigf.degrade.depth import DepthSuperResolution
from sfigf.degrade.focus import ThinLensDefocus
from sfigf.degrade.pan import WaldProtocol
from sfigf.degrade.raw import LowLightRaw
from sfigf.interface import Scene
from sfigf.robustness.curves import seeded
from sfigf.robustness.guides import shifted
from sfigf.robustness.perturbations import PERTURBATIONS
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


def test_draws_do_not_depend_on_anything_but_names():
    states = [seeded("guide-noise", name).bit_generator.state for name in ("a", "a", "b")]
    assert json.dumps(states[0], default=str) == json.dumps(states[1], default=str)
    assert json.dumps(states[0], default=str) != json.dumps(states[2], default=str)
