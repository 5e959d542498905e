"""Tiled restoration: the same image as from one piece, memory that the tile sets, nothing left behind."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sfigf.interface import UserError
from sfigf.nets.sfigf import build_sfigf
from sfigf.nets.tiled import restore_tiled
from sfigf.nets.tiled.planes import Plane, Store
from sfigf.regions import Region, regions

BANDS = {"depth": (1, 3), "pan": (4, 1), "focus": (3, 3), "raw-red": (4, 4), "raw-mono": (1,)}
CASES = [
    ("depth", (97, 131), 60, {}),
    ("depth", (101, 63), 60, {}),
    ("depth", (5, 150), 60, {}),
    ("depth", (70, 62), 60, {"branches": "image-only"}),
    ("depth", (100, 61), 60, {"branches": "feature-only", "residual": True}),
    ("depth", (66, 80), 60, {"attention": "conv"}),
    ("depth", (64, 80), 22, {"levels": 2, "kernel": 3, "dilation": 1}),
    ("pan", (45, 70), 22, {}),
    ("focus", (45, 70), 22, {"residual": True}),
    ("raw-red", (100, 90), 60, {"attention": "self", "residual": True}),
    ("raw-mono", (97, 140), 64, {}),
    ("raw-mono", (200, 333), 64, {"levels": 2}),
]


def busy_network(variant, **options):
    """A network whose every part matters: no weight is near zero, gates of NAF blocks included."""
    torch.manual_seed(0)
    network = build_sfigf(variant, **{"width": 8, **({"bands": 4} if variant == "pan" else {}), **options})
    for parameter in network.parameters():
        scale = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim == 4 else 0.5
        nn.init.normal_(parameter, std=scale)
    return network.double().eval()


def inputs_of(variant, size):
    rng = torch.Generator().manual_seed(1)
    return tuple(torch.rand(1, bands, *size, generator=rng, dtype=torch.float64) for bands in BANDS[variant])


def tiled(network, inputs, expected, **options):
    restored = torch.full_like(expected, torch.nan)

    def write(region, values):
        assert region.of(restored).isnan().all(), "a pixel was written twice"
        region.of(restored).copy_(values)

    read = lambda region: tuple(region.of(values) for values in inputs)  # noqa: E731
    restore_tiled(network, tuple(inputs[0].shape[-2:]), read, write, **options)
    return restored


def whole(network, inputs):
    with torch.no_grad():
        restored = network(*inputs)
    return restored[-1] if isinstance(restored, tuple) else restored


def error(restored, expected):
    return float((restored - expected).abs().max() / (expected.max() - expected.min()))


@pytest.mark.parametrize(("variant", "size", "tile", "options"), CASES)
def test_tiles_give_what_the_whole_image_gives(variant, size, tile, options):
    network, inputs = busy_network(variant, **options), inputs_of(variant, size)
    expected = whole(network, inputs)
    assert error(tiled(network, inputs, expected, tile=tile), expected) < 1e-10


@given(st.integers(1, 110), st.integers(61, 140), st.integers(30, 45))
@settings(max_examples=12, deadline=None)
def test_any_size_and_tile(height, width, half_tile):
    network, inputs = busy_network("depth", width=4), inputs_of("depth", (height, width))
    expected = whole(network, inputs)
    assert error(tiled(network, inputs, expected, tile=2 * half_tile), expected) < 1e-10


def test_float32_and_a_folder_of_planes_change_rounding_only(tmp_path):
    network, inputs = busy_network("depth"), inputs_of("depth", (97, 131))
    expected = whole(network, inputs)
    network, inputs = network.float(), tuple(values.float() for values in inputs)
    from_disk = tiled(network, inputs, expected.float(), tile=60, scratch=tmp_path)
    assert error(from_disk, expected) < 1e-4
    assert torch.equal(from_disk, tiled(network, inputs, expected.float(), tile=60))
    assert list(tmp_path.iterdir()) == []


def test_pooling_over_a_tile_alone_would_differ():
    """Or the tests above would prove nothing about layers that pool."""
    network, inputs = busy_network("depth"), inputs_of("depth", (64, 128))
    expected = whole(network, inputs)
    left = whole(network, [values[..., :96] for values in inputs])
    assert error(left[..., :20], expected[..., :20]) > 1e-3


def test_bfloat16_is_kept_on_disk(tmp_path):
    network, inputs = busy_network("pan").bfloat16(), [v.bfloat16() for v in inputs_of("pan", (40, 50))]
    expected = whole(network, inputs).float()
    assert error(tiled(network, inputs, expected, tile=22, scratch=tmp_path), expected) < 0.05


def test_an_interrupted_restoration_leaves_nothing(tmp_path):
    network, inputs = busy_network("depth"), inputs_of("depth", (64, 80))

    def write(region, values):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read = lambda region: tuple(region.of(values) for values in inputs)  # noqa: E731
        restore_tiled(network, (64, 80), read, write, tile=60, scratch=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("options", "least"), [({}, 60), ({"levels": 1}, 22), ({"kernel": 5, "dilation": 2}, 30)])
def test_a_tile_below_the_receptive_field_is_refused_with_both_numbers(options, least):
    network, inputs = busy_network("depth", **options), inputs_of("depth", (100, 100))
    with pytest.raises(UserError, match=rf"tile of {least - 1} px is too small.* {least}"):
        tiled(network, inputs, inputs[0], tile=least - 1)
    tiled(network, inputs, inputs[0], tile=least)


@pytest.mark.parametrize("variant", ["depth", "focus", "raw-mono"])
def test_progress_goes_from_zero_to_one(variant):
    network, inputs = busy_network(variant, width=4), inputs_of(variant, (100, 140))
    shares = []
    tiled(network, inputs, whole(network, inputs), tile=64, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 10
    assert shares[0] < 0.1
    assert 0.9 < shares[-2] <= shares[-1] == 1.0


class Near(nn.Module):
    """Looks 20 pixels around, and doubles the grid."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(2, 2, 5, padding=20, dilation=10, padding_mode="reflect")
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, target, guide):
        return self.up(self.mix(torch.cat([target, guide], dim=1)))


class Far(nn.Module):
    """Adds a ramp that begins where its input does: no two tiles agree."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, target, guide):
        return target * 0 + torch.linspace(0, 1, target.shape[-1], dtype=target.dtype) * self.scale


def test_another_network_that_looks_nearby_is_exact():
    network = Near().double().eval()
    inputs = tuple(torch.rand(1, 1, 150, 200, dtype=torch.float64) for _ in range(2))
    expected = whole(network, inputs)
    assert error(tiled(network, inputs, expected, tile=64), expected) < 1e-12


def test_tiles_of_another_network_fade_into_each_other():
    inputs = tuple(torch.rand(1, 1, 64, 400, dtype=torch.float64) for _ in range(2))
    restored = tiled(Far().double(), inputs, inputs[0], tile=100)
    steps = restored[0, 0, 0].diff().abs()
    assert steps.max() < 0.05, "a hard seam would jump by about a half"


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_regions_cover_every_pixel_once(height, width, side):
    counts = np.zeros((height, width), int)
    for region in regions(height, width, side):
        region.of(counts)[:] += 1
        assert max(region.height, region.width) <= side
    assert (counts == 1).all()


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_region_arithmetic(start, length, margin):
    region = Region(start, start, start + length, start + length)
    outer = region.grown(margin, 60, 60)
    values = np.arange(60 * 60).reshape(60, 60)
    assert np.array_equal(region.inside(outer).of(outer.of(values)), region.of(values))
    assert region.times(3).over(3) == region.times(3).under(3) == region
    assert region.joined(outer) == outer


def test_a_plane_gives_back_what_was_written_and_its_mean(tmp_path):
    values = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    for scratch, channels in itertools.product((None, tmp_path), (1, 3)):
        with Store(values, scratch) as store:
            plane: Plane = store.plane(channels, (20, 30))
            for region in regions(20, 30, 7):
                plane.write(region, region.of(values[:, :channels]))
            cut = Region(3, 2, 17, 29)
            assert torch.equal(plane.read(cut), cut.of(values[:, :channels]))
            torch.testing.assert_close(plane.mean, values[:, :channels].mean(dim=(-2, -1), keepdim=True))
