"""Samples of real raw captures: what the networks are given of them, under each condition."""

from __future__ import annotations

import numpy as np
import pytest

from sfigf.degrade.camera import camera_from_srgb, develop, unpack
from sfigf.degrade.raw import LowLightRaw
from sfigf.degrade.raw_real import RealCapture
from sfigf.interface import Scene, Signature, UserError
from sfigf.store import SampleFile, write_samples
from sfigf.tasks import signature
from tests.miniature import low_light
from tests.unit.test_datasets_raw import by_name, originals, read

__all__ = ["originals"]

RNG = np.random.default_rng(0)


def test_the_oracle_condition_is_as_released(originals):
    scene = by_name(read(originals, "sid"))["00001-00-40ms"]
    sample = LowLightRaw("red-oracle")(scene, RNG)
    amplified = np.maximum(scene.arrays["mosaic"] - 512.0, 0) / (16383 - 512) * 250
    assert np.allclose(unpack(sample.target), np.minimum(amplified, 1), atol=1e-6)
    assert np.array_equal(unpack(sample.guide), sample.truth[:1])
    assert np.allclose(sample.truth, scene.arrays["sharp"] / 65535, atol=1e-6)
    assert sample.meta["guide"] == "red-oracle, taken from the ground truth"
    assert signature("raw", sample) == Signature(4, 4, 3, 2)


def test_a_real_capture_can_be_developed(originals):
    scene = by_name(read(originals, "sid"))["00001-00-100ms"]
    sample = LowLightRaw("red-oracle")(scene, RNG)
    photo = low_light.place(1, 128, 160)
    error = np.mean((develop(sample.target, sample.meta) - photo) ** 2)
    assert -10 * np.log10(error) > 22
    assert np.allclose(np.sum(np.linalg.inv(camera_from_srgb()), axis=1), 1)


def test_the_estimated_condition_has_no_guide_and_two_truths(originals, tmp_path):
    scene = by_name(read(originals, "mcr"))["00001-0x1fff"]
    [sample] = RealCapture("mono-estimated").samples(scene, RNG)
    assert sample.guide.shape == (0, 64, 80)
    assert np.allclose(unpack(sample.target), scene.arrays["mosaic"] / 255 * 0x2FFF / 0x1FFF, atol=1e-6)
    assert np.allclose(sample.mono, scene.arrays["mono"] / 255, atol=1e-6)
    assert signature("raw", sample) == Signature(4, 0, 3, 2)
    write_samples(tmp_path / "raw.safetensors", [sample])
    stored = SampleFile(tmp_path / "raw.safetensors")[0]
    for role in ("target", "guide", "truth", "mono"):
        assert np.array_equal(getattr(stored, role), getattr(sample, role))


def test_only_the_oracle_condition_is_clipped(originals):
    scene = by_name(read(originals, "mcr"))["00001-0x1fff"]
    bright = Scene("b", "b", "test", {**scene.arrays, "mosaic": np.full((1, 128, 160), 250, np.uint16)}, scene.meta)
    assert RealCapture("mono-estimated")(bright, RNG).target.max() > 1.4
    assert RealCapture("red-oracle")(bright, RNG).target.max() == 1


def test_without_a_monochrome_camera_the_luma_is_the_second_truth(originals):
    scene = by_name(read(originals, "sid"))["10003-00-100ms"]
    sample = RealCapture("mono-estimated")(scene, RNG)
    assert np.allclose(sample.mono[0], np.tensordot([0.2989, 0.5870, 0.1140], sample.truth, 1), atol=1e-5)
    assert sample.meta["mono"] == "luma of the truth"


def test_the_network_that_estimates_its_guide_restores_such_a_sample(originals):
    import torch

    from sfigf.inference import restore_sample
    from sfigf.methods.sfigf_method import Sfigf

    sample = RealCapture("mono-estimated")(by_name(read(originals, "mcr"))["00002-0x03ff"], RNG)
    network = Sfigf(width=8, levels=2, self_heads=1, cross_heads=1).build(signature("raw", sample), "full").eval()
    with torch.inference_mode():
        mono, rgb = network(torch.from_numpy(unpack(sample.target))[None])
    assert (mono.shape[1:], rgb.shape[1:]) == (sample.mono.shape, sample.truth.shape)
    assert np.allclose(restore_sample(network, sample, torch.device("cpu")), rgb[0].numpy(), atol=1e-6)


def test_photos_and_real_captures_do_not_mix_up(originals):
    photo = Scene("photo", "there", "train", {"rgb": np.zeros((3, 8, 8), np.uint8)})
    assert RealCapture().samples(photo, RNG) == []
    with pytest.raises(UserError, match="needs mosaic, sharp, black, white, ratio, pattern"):
        RealCapture()(photo, RNG)
    scene = read(originals, "sid-0p1s")[0]
    with pytest.raises(UserError, match=r"no guide 'mono'.*choose red-oracle or mono-estimated"):
        LowLightRaw("mono")(scene, RNG)


@pytest.mark.parametrize(
    ("arrays", "meta", "says"),
    [
        ({}, {"pattern": "GRBG"}, "the mosaic is GRBG"),
        ({"sharp": np.zeros((3, 4, 4), np.uint8)}, {}, r"truth \(3, 4, 4\)"),
        ({"mono": np.zeros((1, 4, 4), np.uint8)}, {}, r"monochrome truth is \(1, 4, 4\)"),
    ],
)
def test_a_wrong_real_capture_is_named(arrays, meta, says):
    whole = {"mosaic": np.zeros((1, 8, 8), np.uint16), "sharp": np.zeros((3, 8, 8), np.uint8)}
    facts = {"black": 0, "white": 255, "ratio": 2, "pattern": "RGGB"}
    with pytest.raises(UserError, match=f"scene 'x': .*{says}"):
        RealCapture()(Scene("x", "x", "all", whole | arrays, facts | meta), RNG)


def test_odd_sides_are_cut(originals):
    whole = {"mosaic": np.ones((1, 7, 9), np.uint16), "sharp": np.ones((3, 7, 9), np.uint8)}
    facts = {"black": 0, "white": 255, "ratio": 2, "pattern": "RGGB"}
    sample = RealCapture()(Scene("x", "x", "all", whole, facts), RNG)
    assert (sample.target.shape, sample.truth.shape, sample.mono.shape) == ((4, 3, 4), (3, 6, 8), (1, 6, 8))
