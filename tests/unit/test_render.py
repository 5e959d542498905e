"""Rendered scenes: shapes and ranges, the same every time, honest depth, shadows, and the three verbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfigf.cli.render import gather, render, sheet
from sfigf.interface import Array, Scene, UserError
from sfigf.render.layout import Camera, furnish
from sfigf.render.props import PROPS
from sfigf.render.scene import render_scene
from sfigf.render.shading import Lamp, World, shade
from sfigf.render.sheet import contact_sheet
from sfigf.render.surfaces import Surface, box, cylinder, joined, superellipsoid, torus
from sfigf.render.textures import LEVELS, mix_palette
from sfigf.store import read_scenes, write_scenes

LOOKING_DOWN = Camera(np.array([0.0, 0.0, 4.0]), np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]]), 1.0)


def photos() -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (3, side, 90), dtype=np.uint8) for side in (70, 300)]


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [render_scene(0, "train", index, 48, 63, photos()) for index in range(4)]


def test_shapes_ranges_and_names(scenes: list[Scene]) -> None:
    for index, scene in enumerate(scenes):
        assert scene.name == scene.place == f"rendered-train-{index:04d}"
        assert scene.part == "train"
        rgb, disparity, valid = (scene.arrays[role] for role in ("rgb", "disparity", "valid"))
        assert (rgb.shape, rgb.dtype) == ((3, 48, 63), np.uint8)
        assert (disparity.shape, disparity.dtype) == ((1, 48, 63), np.float32)
        assert valid.dtype == np.uint8
        assert valid.all()
        assert 8 <= disparity.min() < disparity.max() <= 120
        assert rgb.std() > 15
        assert disparity.std() > 1


def test_same_arguments_same_bytes_and_every_argument_counts(scenes: list[Scene]) -> None:
    again = render_scene(0, "train", 0, 48, 63, photos())
    assert all(np.array_equal(again.arrays[role], scenes[0].arrays[role]) for role in again.arrays)
    others = [(1, "train", 0), (0, "validation", 0), (0, "train", 1)]
    for seed, part, index in others:
        other = render_scene(seed, part, index, 48, 63, photos())
        assert not np.array_equal(other.arrays["disparity"], scenes[0].arrays["disparity"])


def test_photos_are_optional() -> None:
    bare = render_scene(0, "train", 0, 32, 32, [])
    assert bare.arrays["rgb"].std() > 10


def test_rooms_are_closed_and_full() -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        camera, _, parts = furnish(rng)
        world = World(joined([surface for surface, _ in parts]))
        view = world.view(camera, 24, 32)
        assert len(parts) >= 60
        assert view.depth.max() < 10
        owner = np.repeat(np.arange(len(parts)), [len(surface.faces) for surface, _ in parts])
        assert len(np.unique(owner[view.face])) >= 12


def test_depth_is_exact_on_a_known_box() -> None:
    floor = box(np.array([20.0, 20.0, 1.0])).moved(np.array([0, 0, -1.0]))
    world = World(joined([floor, box(np.array([1.0, 1.0, 1.5]))]))
    depth = world.depth(LOOKING_DOWN, 40, 40)
    assert depth[20, 20] == pytest.approx(2.5, abs=1e-5)
    assert depth[0, 0] == pytest.approx(4.0, abs=1e-5)
    assert set(np.round(np.unique(depth), 3)) == {2.5, 4.0}, "a pixel between the two surfaces is a flying pixel"


def test_shadow_falls_away_from_the_lamp() -> None:
    floor = box(np.array([20.0, 20.0, 1.0])).moved(np.array([0, 0, -1.0]))
    world = World(joined([floor, box(np.array([0.6, 0.6, 1.0]))]))
    view = world.view(LOOKING_DOWN, 64, 64)
    lamp = Lamp(np.array([-3.0, 0.0, 3.0]), 0.05, np.ones(3), 3.0)
    count = len(view.face)
    light = shade(
        np.random.default_rng(0),
        world,
        view,
        [lamp],
        np.full((count, 3), 0.5, np.float32),
        np.zeros(count),
        np.ones(count),
    )
    image = light.mean(1).reshape(64, 64)
    assert image[32, 46] < 0.6 * image[32, 17]


@pytest.mark.parametrize("prop", list(PROPS), ids=lambda prop: prop.__name__)
def test_props_are_sound_meshes(prop) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        parts = prop(np.random.default_rng(seed), 0.5)
        assert parts
        for surface, group in parts:
            assert_sound(surface)
            assert group >= 0


def assert_sound(surface: Surface) -> None:
    assert np.isfinite(surface.vertices).all()
    assert np.isfinite(surface.coordinates).all()
    assert surface.faces.min() >= 0
    assert surface.faces.max() < len(surface.vertices)
    assert np.abs(surface.vertices).max() < 5
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "surface",
    [
        box(np.array([1, 2, 3.0])),
        cylinder(0.4, 1),
        cylinder(0.4, 1, top=0.1),
        torus(0.5, 0.1),
        superellipsoid(np.array([0.3, 0.4, 0.5]), 1, 1),
    ],
    ids=["box", "cylinder", "cone", "torus", "ellipsoid"],
)
def test_normals_agree_with_the_triangles(surface: Surface) -> None:
    corners = surface.vertices[surface.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(flat, axis=1)
    solid = area > 1e-7
    smooth = surface.normals[surface.faces[solid]].mean(1)
    cosine = np.einsum("ni,ni->n", flat[solid] / area[solid, None], smooth)
    assert np.abs(cosine).min() > 0.9
    assert surface.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)


def test_distant_textures_fade_to_their_mean() -> None:
    palette = mix_palette(np.random.default_rng(0), 3, 1, photos())
    coordinates = np.random.default_rng(1).uniform(-5, 5, (200, 2)).astype(np.float32)
    for material in range(3):
        chosen = np.full(200, material)
        far = palette.colours(chosen, coordinates, np.full(200, 100.0))
        mean = palette.texels.reshape(3, -1, 3)[material, : 4 ** (LEVELS - 1)].mean(0)
        np.testing.assert_allclose(far, np.broadcast_to(mean, far.shape), atol=2e-3)


def test_too_small_is_refused() -> None:
    with pytest.raises(UserError, match="too small"):
        render_scene(0, "train", 0, 8, 320, [])


def test_contact_sheet_places_every_scene(scenes: list[Scene]) -> None:
    page = contact_sheet(scenes[:3], columns=2)
    single = contact_sheet(scenes[:1], columns=2)
    assert page.dtype == np.uint8
    assert page.shape[:2] == (2 * single.shape[0], 2 * single.shape[1])
    assert np.array_equal(page[: single.shape[0], : single.shape[1]], single)
    assert (page[single.shape[0] :, single.shape[1] :] == 255).all()
    with pytest.raises(UserError, match="contact sheet"):
        contact_sheet([], 2)


def test_shards_gather_to_the_whole(tmp_path: Path) -> None:
    textures = tmp_path / "photos.safetensors"
    write_scenes(textures, [Scene("photo", "photo", "train", {"rgb": photos()[0]})])
    common = {"textures": textures, "part": "train", "scenes": 3, "seed": 5, "height": 24, "width": 32}
    render(output=tmp_path / "whole.safetensors", **common)
    pieces = [tmp_path / f"{shard}.safetensors" for shard in range(2)]
    for shard, piece in enumerate(pieces):
        render(output=piece, shard=shard, shards=2, **common)
    gather(input=pieces[::-1], output=tmp_path / "gathered.safetensors")
    assert (tmp_path / "gathered.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert [scene.name[-4:] for scene in read_scenes(tmp_path / "whole.safetensors")] == ["0000", "0001", "0002"]
    sheet(scenes=tmp_path / "whole.safetensors", output=tmp_path / "sheet.png", count=2, columns=2)
    assert Image.open(tmp_path / "sheet.png").width == 2 * 2 * (32 + 4)


def test_render_refuses_empty_shards_and_missing_photos(tmp_path: Path) -> None:
    textures = tmp_path / "photos.safetensors"
    write_scenes(textures, [Scene("photo", "photo", "test", {"rgb": photos()[0]})])
    with pytest.raises(UserError, match="no photo of part 'train'"):
        render(output=tmp_path / "x.safetensors", textures=textures)
    with pytest.raises(UserError, match="fewer shards"):
        render(output=tmp_path / "x.safetensors", textures=textures, scenes=2, shard=2, shards=3)
    assert not (tmp_path / "x.safetensors").exists()


def test_render_without_photos_paints_patterns(tmp_path: Path) -> None:
    render(output=tmp_path / "x.safetensors", scenes=1, height=16, width=20)
    (scene,) = read_scenes(tmp_path / "x.safetensors")
    assert np.array_equal(scene.arrays["rgb"], render_scene(0, "train", 0, 16, 20, []).arrays["rgb"])
