"""Procedural rooms with exact depth: the training scenes for guided depth super-resolution and for defocus."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from sfigf.interface import Array, Scene, UserError
from sfigf.render.layout import WALL_GROUPS, furnish
from sfigf.render.props import Part
from sfigf.render.shading import World, hang_lamps, shade
from sfigf.render.surfaces import joined
from sfigf.render.textures import mix_palette

SUPERSAMPLING = 2
DISPARITY_PX = (8.0, 120.0)


def render_scene(seed: int, part: str, index: int, height: int, width: int, textures: Sequence[Array]) -> Scene:
    """Render one room full of things; the same arguments give the same scene.

    Depth is taken by one ray through each pixel's centre, so no pixel lies between two surfaces; colour is the mean
    of 2x2 rays, so its edges are as soft as a camera's.

    Args:
        seed: Of the whole set.
        part: ``train`` or ``validation``; they never share a room.
        index: Of the scene within its part.
        height: Rows, at least 16.
        width: Columns, at least 16.
        textures: Photos (3,H,W) uint8 to paint about 70 % of the surfaces with; none makes all of them procedural.

    Returns:
        ``rgb`` (3,H,W) uint8, ``disparity`` (1,H,W) float32 in pixels, within 8 to 120, and ``valid``, all ones.

    Raises:
        UserError: If a side is below 16 pixels.
    """
    if min(height, width) < 16:
        raise UserError(f"a scene of {height}x{width} is too small to render; both sides need at least 16 pixels")
    rng = np.random.default_rng([seed, zlib.crc32(part.encode()), index])
    camera, room, parts = furnish(rng)
    material = _materials(rng, parts)
    palette = mix_palette(rng, int(material.max()) + 1, WALL_GROUPS, textures)
    world = World(joined([surface for surface, _ in parts]))
    view = world.view(camera, SUPERSAMPLING * height, SUPERSAMPLING * width)
    paint = material[view.face]
    colours = palette.colours(paint, view.coordinates, view.spacing)
    light = shade(rng, world, view, hang_lamps(rng, room), colours, palette.gloss[paint], palette.shine[paint])
    light = light.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 3).mean((1, 3))
    disparity = _disparity(rng, world.depth(camera, height, width))
    name = f"rendered-{part}-{index:04d}"
    arrays = {"rgb": _developed(rng, light), "disparity": disparity, "valid": np.ones_like(disparity, dtype=np.uint8)}
    return Scene(name, name, part, arrays, {"unit": "px", "seed": seed})


def _materials(rng: np.random.Generator, parts: list[Part]) -> Array:
    """Return the material of each face; some things take another's, so that depth edges come without colour edges."""
    count = max(group for _, group in parts) + 1
    chosen = np.arange(count)
    borrowed = rng.random(count) < 0.25
    chosen[borrowed] = rng.integers(0, count, borrowed.sum())
    _, chosen = np.unique(chosen, return_inverse=True)
    return np.concatenate([np.full(len(surface.faces), chosen[group]) for surface, group in parts])


def _disparity(rng: np.random.Generator, depth: Array) -> Array:
    """Turn metres into disparities (1,H,W) of a stereo rig whose baseline suits the room."""
    lowest, highest = DISPARITY_PX
    ratio = float(depth.max() / depth.min())
    nearest = rng.uniform(min(max(55.0, lowest * ratio), highest), highest)
    disparity = nearest * depth.min() / depth
    # A thousandth of a pixel hides the last-bit differences that ray tracing shows between processors.
    return (np.round(disparity * 1024) / 1024).astype(np.float32)[None]


def _developed(rng: np.random.Generator, light: Array) -> Array:
    """Expose, add photon and read noise, apply a tone curve; (H,W,3) light to (3,H,W) uint8."""
    exposure = rng.uniform(0.6, 0.95) / max(float(np.quantile(light, 0.95)), 1e-6)
    light = light * exposure
    photons, read = rng.uniform(1500, 10000), rng.uniform(0.0005, 0.002)
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    light = np.clip(light + noise * np.sqrt(light / photons + read**2), 0, None)
    display = np.clip(light, 0, 1) ** (1 / rng.uniform(1.9, 2.4))
    return np.rint(display * 255).astype(np.uint8).transpose(2, 0, 1).copy()
