"""The thin-lens degradation: energy, sharp planes, no dark seams, order of the two images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.degrade.colour import to_display, to_linear
from sfigf.degrade.focus import ThinLensDefocus, defocused, depth_layers, disc
from sfigf.interface import Array, Scene, UserError


def made_scene(colour: Array, disparity: Array) -> Scene:
    return Scene("made", "made", "test", {"rgb": colour, "disparity": disparity.astype(np.float32)})


def two_planes(height: int = 60, width: int = 80) -> Scene:
    """Fine texture; the left half lies far, the right half near."""
    colour = np.random.default_rng(0).integers(40, 216, (3, height, width), dtype=np.uint8)
    disparity = np.where(np.arange(width) < width // 2, 10.0, 50.0) * np.ones((1, height, 1))
    return made_scene(colour, disparity)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(9, 41), st.integers(9, 41), st.floats(0.05, 1))
def test_a_constant_image_stays_constant(seed: int, height: int, width: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    disparity = rng.uniform(5, 80, (1, height, width))
    disparity[rng.random(disparity.shape) < 0.2] = np.inf
    disparity[0, 0, 0] = 20
    colour = np.full((3, height, width), level, dtype=np.float32)
    sample = ThinLensDefocus()(made_scene(colour, disparity), rng)
    for image in (sample.target, sample.guide):
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, colour, atol=2e-5)
    assert np.array_equal(sample.truth, colour)


def test_each_image_is_sharp_on_its_plane_and_blurred_on_the_other() -> None:
    scene = two_planes()
    sample = ThinLensDefocus((6.0, 6.0))(scene, np.random.default_rng(0))
    far, near = np.s_[:, 8:-8, 8:30], np.s_[:, 8:-8, 50:-8]
    pairs = dict(zip(sample.meta["focus_disparity"], (sample.target, sample.guide), strict=True))
    assert sorted(pairs) == [10, 50]
    for plane, sharp, blurred in ((10, far, near), (50, near, far)):
        np.testing.assert_allclose(pairs[plane][sharp], sample.truth[sharp], atol=2e-5)
        assert pairs[plane][blurred].std() < 0.35 * sample.truth[blurred].std()


def test_no_dark_halo_at_a_depth_edge() -> None:
    scene = two_planes()
    bright = made_scene(np.full((3, 60, 80), 200, np.uint8), scene.arrays["disparity"])
    bright.arrays["rgb"][:, :, 40:] = 180
    sample = ThinLensDefocus((10.0, 10.0))(bright, np.random.default_rng(0))
    for image in (sample.target, sample.guide):
        assert image.min() >= 180 / 255 - 1e-4
        assert image.max() <= 200 / 255 + 1e-4


def test_a_slanted_plane_shows_no_seams_between_layers() -> None:
    rows = np.linspace(10, 60, 96)[:, None] * np.ones((1, 96))
    ramp = np.linspace(0.2, 0.8, 96, dtype=np.float32)[:, None] * np.ones((3, 1, 96), dtype=np.float32)
    sample = ThinLensDefocus((8.0, 8.0))(made_scene(ramp, rows[None]), np.random.default_rng(0))
    for image in (sample.target, sample.guide):
        assert np.abs(image - sample.truth)[:, 8:-8].max() < 0.01


def test_blur_grows_with_the_aperture_and_stays_in_range() -> None:
    scene = two_planes()
    errors = []
    for blur in (2.0, 5.0, 10.0):
        sample = ThinLensDefocus((blur, blur))(scene, np.random.default_rng(0))
        errors.append(float(np.abs(sample.target - sample.truth).mean()))
    assert errors == sorted(errors)
    drawn = [ThinLensDefocus()(scene, np.random.default_rng(seed)).meta["blur_px"] for seed in range(8)]
    assert 4 <= min(drawn) < max(drawn) <= 10


def test_order_is_random_and_the_generator_decides() -> None:
    scene = two_planes(30, 30)
    nearer_first = []
    for seed in range(12):
        sample, again = (ThinLensDefocus()(scene, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(sample.target, again.target)
        nearer_first.append(sample.meta["focus_disparity"][0] == 50)
    assert 0 < sum(nearer_first) < 12


def test_constant_depth_leaves_both_images_sharp() -> None:
    colour = two_planes().arrays["rgb"]
    sample = ThinLensDefocus()(made_scene(colour, np.full((1, 60, 80), 30.0)), np.random.default_rng(0))
    np.testing.assert_allclose(sample.target, sample.truth, atol=2e-5)
    np.testing.assert_allclose(sample.guide, sample.truth, atol=2e-5)


def test_blur_mixes_linear_light() -> None:
    """A black and white chequer of one pixel blurs to half the light: 0.735 of the display range, not 0.5."""
    chequer = (np.indices((60, 80)).sum(0) % 2).astype(np.float32) * np.ones((3, 1, 1), dtype=np.float32)
    sample = ThinLensDefocus((10.0, 10.0))(
        made_scene(chequer, two_planes().arrays["disparity"]), np.random.default_rng(0)
    )
    first_is_near = sample.meta["focus_disparity"][0] == 50
    blurred = (sample.target if first_is_near else sample.guide)[:, 10:-10, 10:28]
    assert blurred.mean() == pytest.approx(to_display(np.array(0.5)), abs=0.01)


def test_real_brackets_pass_through() -> None:
    arrays = {role: np.full((3, 8, 8), value, np.uint8) for role, value in (("focus-a", 51), ("focus-b", 255))}
    sample = ThinLensDefocus()(Scene("bracket", "bracket", "test", arrays), np.random.default_rng(0))
    assert sample.truth is None
    np.testing.assert_allclose([sample.target.max(), sample.guide.max()], [0.2, 1.0], rtol=1e-6)


@pytest.mark.parametrize("diameter", [0.0, 0.7, 1.0, 2.3, 5.0, 9.9])
def test_discs(diameter: float) -> None:
    kernel = disc(diameter)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert np.array_equal(kernel, kernel.T)
    assert kernel.shape[0] % 2 == 1
    assert (np.count_nonzero(kernel) == 1) == (diameter <= 1)
    if diameter > 2:
        assert 1 / kernel.max() == pytest.approx(np.pi * diameter**2 / 4, rel=0.03)


def test_blurring_one_layer_keeps_the_light() -> None:
    light = np.zeros((3, 41, 41), np.float32)
    light[:, 20, 20] = 7
    picture = defocused(light, np.zeros((41, 41), dtype=int), np.array([9.0]))
    np.testing.assert_allclose(picture.sum((1, 2)), 7, rtol=1e-5)


def test_layers_are_ordered_and_equally_full() -> None:
    disparity = np.random.default_rng(0).uniform(5, 90, (50, 60)).astype(np.float32)
    labels, centres = depth_layers(disparity, 24)
    assert len(centres) == 24
    assert (np.diff(centres) > 0).all()
    assert np.bincount(labels.ravel()).min() > 0.8 * labels.size / 24
    assert disparity[labels == 3].max() <= disparity[labels == 4].min()


def test_transfer_curves_undo_each_other() -> None:
    values = np.linspace(0, 1, 500, dtype=np.float32)
    np.testing.assert_allclose(to_display(to_linear(values)), values, atol=2e-6)
    assert to_linear(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)


def test_bad_options_and_scenes_are_refused() -> None:
    with pytest.raises(UserError, match="blur_px"):
        ThinLensDefocus((5.0, 4.0))
    with pytest.raises(UserError, match="no disparity"):
        ThinLensDefocus()(Scene("s", "s", "test", {"rgb": np.zeros((3, 9, 9))}), np.random.default_rng(0))
