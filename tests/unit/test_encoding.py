"""What a network is shown, and the way back: inputs alone decide both."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.degrade.camera import camera_from_srgb, mosaic, pack, unprocess
from sfigf.degrade.raw import GUIDE_FACTS
from sfigf.encoding import Encoding, decode, encode
from sfigf.interface import Array, Sample
from tests.conftest import make_sample

GAINS = (2.1, 1.0, 1.7)


def clean_raw(photo: Array, guide: str = "mono") -> Sample:
    """A photo (3,H,W) as the camera sees it in good light: packed, white-balanced, without noise."""
    camera = unprocess(photo, GAINS)
    gains = np.array([GAINS[channel] for channel in (0, 1, 1, 2)]).reshape(4, 1, 1)
    meta = {"guide": GUIDE_FACTS[guide], "colour_matrix": np.linalg.inv(camera_from_srgb()).tolist()}
    target = np.clip(pack(mosaic(camera)) * gains, 0, 1).astype(np.float32)
    return Sample("s", target, pack(photo[:1]), truth=photo, meta=meta)


def smooth_photo(side: int = 32) -> Array:
    """Equal colours in each 2x2 quad, so that a mosaic of them holds the truth; no pixel near white."""
    rows, columns = np.mgrid[0:side:2, 0:side:2] / side
    planes = np.stack([0.2 + 0.5 * rows, 0.3 + 0.3 * columns, 0.25 + 0.4 * rows * columns])
    return planes.repeat(2, axis=1).repeat(2, axis=2).astype(np.float32)


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_none_is_the_identity(task: str) -> None:
    sample = make_sample(task)
    assert encode(sample, "none") is sample
    assert decode(sample.target, sample, "none") is sample.target


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_detail_forgets_the_level_keeps_the_units_and_comes_back(seed: int) -> None:
    sample = make_sample("pan", side=32, seed=seed)
    lighter = dataclasses.replace(sample, target=sample.target + 2, guide=sample.guide + 1, truth=sample.truth + 2)
    encoded, again = encode(sample, "detail"), encode(lighter, "detail")
    for role in ("target", "guide", "truth"):
        np.testing.assert_allclose(getattr(encoded, role), getattr(again, role), atol=1e-4)
    np.testing.assert_allclose(encoded.truth - encoded.target, 10 * (sample.truth - sample.target), atol=1e-4)
    np.testing.assert_allclose(decode(encoded.truth, sample, "detail"), sample.truth, atol=1e-5)


def test_detail_of_two_alike_images_is_taken_from_what_they_share() -> None:
    sample = make_sample("focus")
    encoded = encode(sample, "detail")
    np.testing.assert_allclose(encoded.target - encoded.guide, 10 * (sample.target - sample.guide), atol=1e-4)


def test_develop_brings_a_clean_mosaic_close_to_the_truth() -> None:
    photo = smooth_photo()
    sample = clean_raw(photo)
    encoded = encode(sample, "develop")
    red, first, second, blue = encoded.target
    np.testing.assert_allclose(np.stack([red, first, blue]), photo[:, ::2, ::2], atol=2e-3)
    np.testing.assert_allclose(second, first, atol=1e-5)
    assert np.abs(sample.target[0] - photo[0, ::2, ::2]).mean() > 0.05, "or there was nothing to develop"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["mono", "red-oracle"]))
def test_develop_comes_back(seed: int, guide: str) -> None:
    sample = make_sample("raw", side=32, seed=seed)
    sample = dataclasses.replace(sample, meta={**sample.meta, "guide": GUIDE_FACTS[guide]})
    back = decode(encode(sample, "develop").truth, sample, "develop")
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, sample.truth, atol=1e-6)


@pytest.mark.parametrize("kind", ["centre", "develop"])
def test_the_truth_is_never_looked_at(kind: Encoding) -> None:
    sample = make_sample("pan" if kind == "centre" else "raw")
    unseen = dataclasses.replace(sample, truth=None)
    shown, hidden = encode(sample, kind), encode(unseen, kind)
    assert hidden.truth is None
    assert np.array_equal(hidden.target, shown.target)
    assert np.array_equal(hidden.guide, shown.guide)
    assert np.array_equal(decode(shown.truth, unseen, kind), decode(shown.truth, sample, kind))


def test_a_network_that_answers_zero_already_shows_the_guide_in_colour() -> None:
    photo = smooth_photo()
    sample = clean_raw(photo)
    start = decode(np.zeros_like(photo), sample, "develop")
    assert start.min() >= 0
    assert start.max() <= 1
    assert np.abs(start - photo).mean() < 0.5 * np.abs(photo - photo.mean(axis=(1, 2), keepdims=True)).mean()


def test_develop_keeps_what_tells_the_two_greens_apart() -> None:
    sample = clean_raw(smooth_photo())
    sample.target[1] += 0.05
    first, second = encode(sample, "develop").target[1:3]
    assert (first - second).min() > 0.02


def test_develop_shows_a_linear_guide_and_leaves_a_displayed_one() -> None:
    photo = smooth_photo()
    displayed = clean_raw(photo, "red-oracle")
    assert encode(displayed, "develop").guide is displayed.guide
    mono = encode(clean_raw(photo), "develop").guide
    assert mono.mean() > displayed.guide.mean() + 0.05


def test_released_packing_swaps_blue_and_the_second_green_and_takes_the_gains_off():
    planes = np.arange(4, dtype=np.float32)[:, None, None] + np.ones((4, 2, 2), np.float32)
    sample = Sample("s", planes, planes, meta={"white_balance": [2.0, 1.0, 4.0]})
    shown = encode(sample, "released-packing")
    assert shown.target[:, 0, 0].tolist() == [0.5, 2, 1, 3]
    assert shown.guide[:, 0, 0].tolist() == [1, 2, 4, 3]
    assert decode(planes, sample, "released-packing") is planes
