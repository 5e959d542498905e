"""The camera's way back and forth, and the low-light degradation: physics, guides, odd input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sfigf.degrade import camera
from sfigf.degrade.raw import LowLightRaw, SensorNoise
from sfigf.interface import Scene, UserError
from sfigf.store import SampleFile, write_samples

WHITE_BALANCE = (2.1, 1.0, 1.7)
META = {"colour_matrix": np.linalg.inv(camera.camera_from_srgb()).tolist()}


def scene(photo: np.ndarray) -> Scene:
    return Scene("photo", "somewhere", "train", {"rgb": photo})


def smooth_photo(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([0.2 + 0.6 * x, 0.5 + 0.3 * np.sin(4 * y), 0.7 - 0.5 * x * y]).astype(np.float32)


def psnr(restored: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((restored.astype(np.float64) - truth) ** 2)))


def developed_without_noise(photo: np.ndarray) -> np.ndarray:
    gains = np.array(WHITE_BALANCE)[[0, 1, 1, 2]].reshape(4, 1, 1)
    packed = camera.pack(camera.mosaic(camera.unprocess(photo, WHITE_BALANCE)))
    return camera.develop(np.clip(packed * gains, 0, 1), META)


@pytest.fixture
def almost_noiseless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SensorNoise, "draw", classmethod(lambda cls, rng: cls(1e-4, 0.0, 0.0)))


def test_packing_order_is_the_pixel_unshuffle_order() -> None:
    plane = np.arange(24.0).reshape(1, 4, 6)
    packed = camera.pack(plane)
    assert [packed[phase, 0, 0] for phase in range(4)] == [0, 1, 6, 7]
    assert np.array_equal(camera.unpack(packed), plane)


def test_mosaic_is_rggb() -> None:
    colours = np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1) * np.ones((3, 4, 6))
    assert camera.pack(camera.mosaic(colours))[:, 0, 0].tolist() == [1, 2, 2, 3]


@pytest.mark.parametrize("shape", [(2, 2), (2, 10), (12, 8)])
def test_demosaic_is_exact_on_flat_colours_and_keeps_what_was_measured(shape: tuple[int, int]) -> None:
    colours = np.array([0.9, 0.4, 0.2]).reshape(3, 1, 1) * np.ones((3, *shape))
    assert np.allclose(camera.demosaic(camera.mosaic(colours)), colours)
    plane = np.random.default_rng(0).random((1, *shape))
    assert np.array_equal(camera.mosaic(camera.demosaic(plane)), plane)


def test_demosaic_is_exact_on_a_grey_ramp() -> None:
    y, x = np.mgrid[:12, :16]
    ramp = (0.01 * x + 0.02 * y)[None]
    inner = np.s_[:, 2:-2, 2:-2]
    assert np.allclose(camera.demosaic(ramp)[inner], np.repeat(ramp, 3, axis=0)[inner])


def test_developing_a_clean_mosaic_returns_the_photo() -> None:
    skimage_data = pytest.importorskip("skimage.data")
    chelsea = skimage_data.chelsea()[:, :450].transpose(2, 0, 1).astype(np.float32) / 255
    assert psnr(developed_without_noise(chelsea), chelsea) > 33
    smooth = smooth_photo(60, 80)
    assert psnr(developed_without_noise(smooth), smooth) > 50


@pytest.mark.parametrize("value", [0.0, 0.02, 0.5, 0.97, 1.0])
def test_a_flat_grey_comes_back_exactly_highlights_too(value: float) -> None:
    grey = np.full((3, 4, 4), value, dtype=np.float32)
    assert np.allclose(developed_without_noise(grey), grey, atol=2e-4)


@pytest.mark.parametrize(("noise", "signal"), [(SensorNoise(0.1, 1.2, 0.4), 40.0), (SensorNoise(5.0, 9.0, 1.5), 120.0)])
def test_noise_follows_its_law(noise: SensorNoise, signal: float) -> None:
    numbers = noise.read_out(np.full((1, 2000, 500), signal), np.random.default_rng(1)) - camera.BLACK_LEVEL
    assert np.array_equal(numbers, np.rint(numbers))
    pixel_variance = noise.system_gain * signal + noise.read_noise**2 + 1 / 12
    row_means = numbers[0].mean(axis=1)
    assert numbers.mean() == pytest.approx(signal, abs=5 * noise.row_noise / np.sqrt(2000))
    assert numbers[0].var(axis=1, ddof=1).mean() == pytest.approx(pixel_variance, rel=0.01)
    assert row_means.var() == pytest.approx(noise.row_noise**2 + pixel_variance / 500, rel=0.15)


def test_noise_parameters_follow_the_calibration() -> None:
    rng = np.random.default_rng(2)
    draws = [SensorNoise.draw(rng) for _ in range(4000)]
    gain, read, row = np.log([[d.system_gain, d.read_noise, d.row_noise] for d in draws]).T
    assert gain.min() >= np.log(0.0939)
    assert gain.max() <= np.log(6.011)
    assert gain.std() == pytest.approx(np.log(6.011 / 0.0939) / np.sqrt(12), rel=0.03)
    for values, slope, offset, spread in ((read, 0.5407, 1.2182, 0.2675), (row, 0.5275, -0.5917, 0.2943)):
        residual = values - (slope * gain + offset)
        assert residual.mean() == pytest.approx(0, abs=0.02)
        assert residual.std() == pytest.approx(spread, rel=0.05)


def test_amplified_noise_has_the_physical_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = SensorNoise(0.1, 1.0, 0.0)
    monkeypatch.setattr(SensorNoise, "draw", classmethod(lambda cls, rng: noise))
    sample = LowLightRaw(ratios=(100,))(scene(np.full((3, 400, 400), 0.5, np.float32)), np.random.default_rng(0))
    to_unit = 100 / (16383 - 512)
    linear = camera.unprocess(np.full((3, 1, 1), 0.5), (1, 1, 1))[1, 0, 0]
    for plane, gain in zip(sample.target, np.array(sample.meta["white_balance"])[[0, 1, 1, 2]], strict=True):
        variance = 0.1 * linear / gain / to_unit + 1.0 + 1 / 12
        assert plane.mean() == pytest.approx(linear, rel=0.01)
        assert plane.var() == pytest.approx(variance * (to_unit * gain) ** 2, rel=0.03)


@pytest.mark.usefixtures("almost_noiseless")
def test_the_mono_guide_is_the_scaled_channel_sum() -> None:
    sample = LowLightRaw("mono", ratios=(1,))(scene(smooth_photo(20, 30) * 0.7), np.random.default_rng(3))
    gains = sample.meta["white_balance"]
    total = camera.unprocess(sample.truth, tuple(gains)).sum(axis=0, keepdims=True)
    expected = camera.pack(total) / sum(1 / gain for gain in gains)
    assert np.allclose(sample.guide, np.clip(expected, 0, 1), atol=2e-3)


def test_the_mono_guide_is_less_noisy_than_the_target() -> None:
    grey = scene(np.full((3, 200, 200), 0.5, np.float32))
    sample = LowLightRaw("mono")(grey, np.random.default_rng(5))
    assert sample.guide.std() / sample.guide.mean() < 0.7 * sample.target[1].std() / sample.target[1].mean()


def test_the_oracle_guide_is_the_red_of_the_truth_and_says_so() -> None:
    sample = LowLightRaw("red-oracle")(scene(smooth_photo(9, 12)), np.random.default_rng(0))
    assert np.array_equal(camera.unpack(sample.guide), sample.truth[:1])
    assert sample.meta["guide"] == "red-oracle, taken from the ground truth"


@pytest.mark.parametrize("guide", ["mono", "red-oracle"])
@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5), (21, 16)])
def test_shapes_ranges_and_odd_sizes(guide: str, height: int, width: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)
    sample = LowLightRaw(guide)(scene(photo), np.random.default_rng(0))
    assert sample.truth.shape == (3, height // 2 * 2, width // 2 * 2)
    assert sample.target.shape == sample.guide.shape == (4, height // 2, width // 2)
    for array in (sample.target, sample.guide, sample.truth):
        assert array.dtype == np.float32
        assert array.min() >= 0
        assert array.max() <= 1
    as_float = LowLightRaw(guide)(scene((photo / 255).astype(np.float32)), np.random.default_rng(0))
    assert np.allclose(as_float.truth, sample.truth)


def test_same_seed_same_bytes_and_the_meta_survives_the_store(tmp_path) -> None:
    first, second, other = (LowLightRaw()(scene(smooth_photo(16, 16)), np.random.default_rng(n)) for n in (7, 7, 8))
    assert first.target.tobytes() == second.target.tobytes()
    assert first.guide.tobytes() == second.guide.tobytes()
    assert first.target.tobytes() != other.target.tobytes()
    write_samples(tmp_path / "raw.safetensors", [first])
    read = SampleFile(tmp_path / "raw.safetensors")[0]
    assert read.meta == json.loads(json.dumps(first.meta))
    assert np.array_equal(camera.develop(read.target, read.meta), camera.develop(first.target, first.meta))


def test_ratio_is_drawn_from_the_list() -> None:
    ratios = {LowLightRaw()(scene(smooth_photo(4, 4)), np.random.default_rng(n)).meta["ratio"] for n in range(30)}
    assert ratios == {100.0, 250.0, 300.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: LowLightRaw("colour"), "choose mono or red-oracle"),
        (lambda: LowLightRaw(ratios=()), "one or more numbers"),
        (lambda: LowLightRaw(ratios=(0.5,)), ">= 1"),
        (lambda: LowLightRaw()(Scene("x", "x", "all", {}), np.random.default_rng(0)), "'rgb' array"),
        (lambda: LowLightRaw()(scene(np.zeros((3, 1, 8))), np.random.default_rng(0)), r"\(3, 1, 8\)"),
        (lambda: camera.develop(np.zeros((3, 4, 4)), META), r"\(3, 4, 4\)"),
        (lambda: camera.develop(np.zeros((4, 4, 4)), {}), "colour_matrix"),
    ],
)
def test_bad_input_is_named(wrong, message: str) -> None:
    with pytest.raises(UserError, match=message):
        wrong()
