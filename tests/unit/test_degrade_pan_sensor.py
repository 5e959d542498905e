"""One sensor's samples: its real scenes as Wald has them, other real scenes not, Sentinel-2 seen through its bands."""

from __future__ import annotations

import numpy as np
import pytest

from sfigf.cards import load_card
from sfigf.datasets.prepare import read_card
from sfigf.degrade.mtf import filter_bands, gains_of, mtf_kernels
from sfigf.degrade.pan import WaldProtocol
from sfigf.degrade.pan_sensor import CENTRES_NM, PEAKS, SensorProtocol, interpolation, pan_mix
from sfigf.interface import Scene, UserError
from sfigf.registry import lookup
from tests.miniature import pan_mat

SENSORS = ["worldview2", "geoeye1"]


def rng(seed=0):
    return np.random.default_rng(seed)


def sentinel2(bands=4, **facts):
    detail = np.kron(rng(1).uniform(300, 1500, (32, 32)), np.ones((4, 4)))
    arrays = {"multispectral": np.stack([gain * detail for gain in (0.8, 1.0, 1.1, 2.5, 1.0)[:bands]])}
    return Scene("north", "shore", "train", arrays, {"sensor": "sentinel2", "peak": 5000, **facts})


def real(tmp_path, name):
    pan_mat.write(tmp_path, name)
    return lookup("dataset", name)().read({"scene": tmp_path / pan_mat.FILES[name]})[0]


def test_a_scene_of_the_sensor_gives_what_wald_gives(tmp_path):
    scene = real(tmp_path, "worldview2")
    samples = SensorProtocol("worldview2").samples(scene, rng())
    for ours, wald in zip(samples, WaldProtocol().samples(scene, rng()), strict=True):
        assert (ours.name, ours.meta) == (wald.name, wald.meta)
        np.testing.assert_array_equal(ours.target, wald.target)
    assert SensorProtocol("worldview2")(scene, rng()).name == "worldview2-reduced"


def test_a_real_scene_of_another_sensor_gives_none(tmp_path):
    scene = real(tmp_path, "geoeye1")
    assert SensorProtocol("worldview2").samples(scene, rng()) == []
    with pytest.raises(UserError, match="a real one of 'geoeye1', not of worldview2"):
        SensorProtocol("worldview2")(scene, rng())


@pytest.mark.parametrize("sensor", SENSORS)
def test_sentinel2_gives_a_training_sample_in_the_bands_of_the_sensor(sensor):
    (sample,) = SensorProtocol(sensor).samples(sentinel2(), rng())
    bands = len(CENTRES_NM[sensor])
    assert sample.truth.shape == sample.target.shape == (bands, 128, 128)
    assert (sample.guide.shape, sample.coarse.shape) == ((1, 128, 128), (bands, 32, 32))
    assert (sample.scale, sample.meta["sensor"], sample.meta["pan"]) == (PEAKS[sensor], sensor, "simulated")
    assert sample.meta["gains"] == list(gains_of(sensor, bands))
    assert sample.meta["bands"] == "interpolated in wavelength from Sentinel-2"
    filtered = filter_bands(sample.truth, mtf_kernels(gains_of(sensor, bands), 4))
    np.testing.assert_allclose(sample.coarse, filtered[:, 2::4, 2::4], atol=1e-5)
    quiet = SensorProtocol(sensor, noise_share=0).samples(sentinel2(), rng())[0]
    np.testing.assert_allclose(quiet.guide[0], np.tensordot(pan_mix(sensor), quiet.truth, 1), atol=1e-3)
    assert np.std(sample.guide - quiet.guide) == pytest.approx(0.002, rel=0.05)


@pytest.mark.parametrize("sensor", SENSORS)
def test_bright_ground_meets_the_peak_whatever_the_unit(sensor):
    plain, doubled = (
        SensorProtocol(sensor)(
            Scene("n", "p", "train", {"multispectral": times * ground}, {"sensor": "sentinel2"}), rng()
        )
        for ground in [sentinel2().arrays["multispectral"]]
        for times in (1, 2)
    )
    assert np.quantile(plain.truth, 0.999) == pytest.approx(1, abs=1e-3)
    assert plain.truth.max() <= 1
    np.testing.assert_allclose(plain.truth, doubled.truth, atol=1e-6)


def test_spectra_are_linear_in_wavelength_and_constant_beyond_the_ends():
    centres = np.array(CENTRES_NM["sentinel2"])
    wanted = CENTRES_NM["worldview2"]
    matrix = interpolation(centres, wanted)
    np.testing.assert_allclose(matrix @ centres, np.clip(wanted, 490, 842))
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    assert matrix.min() >= 0
    with pytest.raises(ValueError, match="ascend"):
        interpolation([2, 1], [1.5])


@pytest.mark.parametrize("sensor", SENSORS)
def test_pan_sees_no_band_beyond_its_pass_band(sensor):
    mix = pan_mix(sensor)
    assert sum(mix) == pytest.approx(1, abs=1e-3)
    assert min(mix) >= 0
    assert mix[-1] < mix[-2]
    assert len(mix) == len(CENTRES_NM[sensor])


def test_a_scene_may_bring_its_own_mix():
    only_red = {"pan_mix": [0, 0, 1, 0]}
    sample = WaldProtocol(simulated_noise_dn=0)(sentinel2(**only_red), rng())
    np.testing.assert_allclose(sample.guide[0], sample.truth[2], atol=1e-6)
    assert sample.meta["pan_mix"] == [0, 0, 1, 0]
    with pytest.raises(UserError, match=r"PAN mix \(1, 1\) does not fit 4 bands"):
        WaldProtocol()(sentinel2(pan_mix=[1, 1]), rng())


def test_what_is_not_known_is_refused():
    with pytest.raises(UserError, match=r"no protocol for sensor 'worldview'.*worldview2"):
        SensorProtocol("worldview")
    with pytest.raises(UserError, match="5 bands of sensor 'sentinel2' are not known"):
        SensorProtocol("geoeye1")(sentinel2(bands=5), rng())
    with pytest.raises(UserError, match="sensor 'landsat8' are not known"):
        SensorProtocol("geoeye1")(sentinel2(sensor="landsat8"), rng())


@pytest.mark.parametrize(("name", "bands"), [("worldview2", 8), ("geoeye1", 4)])
def test_the_real_scene_is_scored_as_the_field_does(root, name, bands):
    """Bounds about the values of EXP measured once; GSA and Brovey must use PAN to some good."""
    path = root.parent / "shared" / "data" / name / pan_mat.FILES[name]
    if not path.is_file():
        pytest.skip(f"the real file is not here: {path}")
    (scene,) = read_card(load_card(root / "config" / "datasets" / f"{name}.yaml"), {"scene": path})
    reduced, full = SensorProtocol(name).samples(scene, rng())
    assert reduced.truth.shape == (bands, 320, 320)
    assert reduced.guide.shape == (1, 320, 320)
    assert (full.target.shape, full.coarse.shape) == ((bands, 1280, 1280), (bands, 320, 320))
    ergas, sharp = lookup("metric", "ergas")(), lookup("method", "gsa")().restore(reduced)
    floor = lookup("method", "exp")().restore(reduced)
    assert ergas(sharp, reduced) < ergas(floor, reduced) < 12
    assert lookup("method", "brovey")().restore(reduced).shape == floor.shape
    exp = lookup("method", "exp")().restore(full)
    assert lookup("metric", "d-lambda")()(exp, full) < 1e-4
    assert 0.5 < lookup("metric", "hqnr")()(exp, full) < 1
