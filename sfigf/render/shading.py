"""Rays and light: what a camera sees, soft shadows, ambient occlusion and highlights."""

from __future__ import annotations

import dataclasses

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from sfigf.interface import Array
from sfigf.render.layout import Camera, Room
from sfigf.render.surfaces import Surface, unit

_TILE = 4
"""Neighbouring samples try different points of a lamp; the pattern repeats every 4x4, and a 4x4 mean joins them."""
_CLEARANCE_M = 2e-3
_SKY_REACH_M = 0.9
_SKY_RAYS = 2


@dataclasses.dataclass(frozen=True)
class View:
    """What a camera sees at each of (H,W) samples; flat arrays of n = H*W.

    Attributes:
        shape: (H,W).
        depth: (n,) metres along the optical axis.
        face: (n,) triangle met.
        points: (n,3) where, in metres.
        towards: (n,3) unit direction back to the camera.
        facing: (n,3) normal of the triangle, turned to the camera.
        normals: (n,3) smooth normal, turned to the camera.
        coordinates: (n,2) along the surface, in metres.
        spacing: (n,) distance of neighbouring samples on the surface, in metres.
    """

    shape: tuple[int, int]
    depth: Array
    face: Array
    points: Array
    towards: Array
    facing: Array
    normals: Array
    coordinates: Array
    spacing: Array


@dataclasses.dataclass(frozen=True)
class Lamp:
    """A glowing ball: ``position`` (3,), ``radius`` in metres, ``colour`` (3,) as irradiance at distance ``reach``."""

    position: Array
    radius: float
    colour: Array
    reach: float


class World:
    """All surfaces in one ray-tracing structure."""

    def __init__(self, surface: Surface) -> None:
        self._faces = surface.faces
        self._normals = surface.normals.astype(np.float32)
        self._coordinates = surface.coordinates.astype(np.float32)
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, surface.vertices.astype(np.float32), surface.faces.astype(np.int32))

    def depth(self, camera: Camera, height: int, width: int) -> Array:
        """Return (height,width) float32 metres along the optical axis, one ray through each pixel's centre."""
        return self._first_hits(camera, camera.rays(height, width))["tfar"].reshape(height, width)

    def view(self, camera: Camera, height: int, width: int) -> View:
        """Return what the camera sees on a grid of samples; the room is closed, so there is always something."""
        rays = camera.rays(height, width)
        found = self._first_hits(camera, rays)
        depth, face, u, v = (found[key] for key in ("tfar", "primID", "u", "v"))
        corners = self._faces[face]
        weights = np.stack([1 - u - v, u, v], -1)
        towards = -unit(rays)
        facing = _turned(unit(found["Ng"]), towards)
        cosine = np.maximum(np.einsum("ni,ni->n", facing, towards), 0.05)
        return View(
            shape=(height, width),
            depth=depth,
            face=face,
            points=camera.position.astype(np.float32) + depth[:, None] * rays,
            towards=towards,
            facing=facing,
            normals=_turned(unit(np.einsum("nij,ni->nj", self._normals[corners], weights)), towards),
            coordinates=np.einsum("nij,ni->nj", self._coordinates[corners], weights),
            spacing=depth / (camera.focal * width) / np.sqrt(cosine),
        )

    def clear(self, origins: Array, directions: Array, lengths: Array) -> Array:
        """Return (n,) bool: nothing lies within ``lengths`` (n,) along unit directions (n,3)."""
        return self._scene.run(origins, directions, lengths, query="OCCLUDED") < 0

    def _first_hits(self, camera: Camera, rays: Array) -> dict[str, Array]:
        origins = np.broadcast_to(camera.position.astype(np.float32), rays.shape).copy()
        found = self._scene.run(origins, rays, output=True)
        missed = found["primID"] < 0
        if missed.any():  # A ray may slip through the seam of two triangles; it takes what its neighbour met.
            neighbour = np.maximum.accumulate(np.where(missed, 0, np.arange(len(missed))))
            found = {key: values[neighbour] for key, values in found.items()}
        return found


def _turned(normals: Array, towards: Array) -> Array:
    """Flip the normals (n,3) that point away from ``towards`` (n,3)."""
    away = np.einsum("ni,ni->n", normals, towards) < 0
    return np.where(away[:, None], -normals, normals)


def hang_lamps(rng: np.random.Generator, room: Room) -> list[Lamp]:
    """Draw one to three lamps below the ceiling: the main one mostly on the camera's side, weaker ones anywhere."""
    middle = np.array([0, 0.1 * room.size[1], 0.3 * room.size[2]])
    lamps = []
    for index in range(rng.integers(1, 4)):
        place = rng.uniform([-0.45, -0.45, 0.75], [0.45, 0.4, 0.95]) * room.size
        if index == 0 and rng.random() < 0.75:
            place[1] = rng.uniform(-0.45, -0.1) * room.size[1]
        warmth = np.exp(rng.normal(0, 0.12) * np.array([1, 0.1, -1]))
        strength = 1.0 if index == 0 else rng.uniform(0.15, 0.6)
        lamps.append(Lamp(place, rng.uniform(0.04, 0.3), strength * warmth, float(np.linalg.norm(place - middle))))
    return lamps


def shade(
    rng: np.random.Generator, world: World, view: View, lamps: list[Lamp], colours: Array, gloss: Array, shine: Array
) -> Array:
    """Return the light (n,3) that leaves each sample towards the camera.

    Args:
        rng: Draws the sampling patterns and the strength of the ambient light.
        world: What casts shadows.
        view: The samples.
        lamps: The lights.
        colours: (n,3) diffuse reflectance.
        gloss: (n,) strength of the highlight.
        shine: (n,) exponent of the highlight.

    Source: Lambert and Blinn-Phong reflection; interleaved sampling, Keller and Heidrich, EGWR 2001.
    """
    reached = np.stack([_reached(rng, world, view, lamp) for lamp in lamps] + [_open(rng, world, view)])
    reached = _joined(reached.reshape(-1, *view.shape), view).reshape(len(reached), -1)
    light = _ambient(rng, view, lamps, colours) * reached[-1][:, None]
    for lamp, clear in zip(lamps, reached, strict=False):
        away, distance = _from(lamp.position, view.points)
        fall = clear * np.clip((lamp.reach / distance) ** 2, 0.3, 3)
        diffuse = fall * np.maximum(np.einsum("ni,ni->n", view.normals, away), 0)
        half = np.maximum(np.einsum("ni,ni->n", view.normals, unit(away + view.towards)), 1e-3)
        highlight = fall * gloss * half**shine
        light += (diffuse[:, None] * colours + highlight[:, None]) * lamp.colour.astype(np.float32)
    return light


def _ambient(rng: np.random.Generator, view: View, lamps: list[Lamp], colours: Array) -> Array:
    """Light from everywhere: the lamps' mean colour from above, the room's mean reflection from below."""
    sky = rng.uniform(0.15, 0.5) * sum(lamp.colour for lamp in lamps)
    ground = sky * (0.3 + colours.mean(0))
    up = (0.5 + 0.5 * view.normals[:, 2:]).astype(np.float32)
    return colours * (up * sky + (1 - up) * ground).astype(np.float32)


def _reached(rng: np.random.Generator, world: World, view: View, lamp: Lamp) -> Array:
    """Return (n,) 1 where a point of the lamp, another one for each sample of a tile, sees the sample."""
    spots = lamp.position + lamp.radius * unit(rng.normal(size=(_TILE**2, 3)))
    away, distance = _from(_tiled(spots, view.shape), view.points)
    lit = np.flatnonzero(np.einsum("ni,ni->n", away, view.facing) > 0)
    origins = view.points[lit] + _CLEARANCE_M * view.facing[lit]
    reached = np.zeros(len(away), dtype=np.float32)
    reached[lit] = world.clear(origins, away[lit], distance[lit])
    return reached


def _open(rng: np.random.Generator, world: World, view: View) -> Array:
    """Return (n,) the share of short cosine-distributed rays that leave the sample unhindered."""
    ball = unit(rng.normal(size=(_SKY_RAYS, _TILE**2, 3)))
    origins = view.points + _CLEARANCE_M * view.facing
    lengths = np.full(len(origins), _SKY_REACH_M, dtype=np.float32)
    rays = [unit(view.facing * np.float32(1.01) + _tiled(spots, view.shape)) for spots in ball]
    clear = np.stack([world.clear(origins, ray, lengths) for ray in rays])
    return clear.mean(axis=0, dtype=np.float32)


def _from(position: Array, points: Array) -> tuple[Array, Array]:
    """Return unit directions (n,3) and distances (n,) from the points to a position."""
    away = position.astype(np.float32) - points
    distance = np.sqrt(np.einsum("ni,ni->n", away, away))
    return away / distance[:, None], distance


def _tiled(table: Array, shape: tuple[int, int]) -> Array:
    """Repeat a table (16,3) in 4x4 tiles over (H,W) samples; returns (H*W,3)."""
    repeats = [-(-side // _TILE) for side in shape]
    grid = np.tile(table.astype(np.float32).reshape(_TILE, _TILE, 3), (*repeats, 1))
    return grid[: shape[0], : shape[1]].reshape(-1, 3)


def _joined(values: Array, view: View) -> Array:
    """Average (k,H,W) over 4x4 windows, only across samples of a like normal on the same plane or rounding."""
    height, width = view.shape
    normals = view.normals.reshape(height, width, 3).transpose(2, 0, 1)
    inverse = (1 / view.depth).reshape(1, height, width)
    stacked = np.concatenate([values, normals, inverse])
    padded = np.pad(stacked, ((0, 0), (2, 1), (2, 1)), mode="reflect")
    total, weight = np.zeros_like(values), np.zeros((height, width), dtype=np.float32)
    for down in range(_TILE):
        for across in range(_TILE):
            near = padded[:, down : down + height, across : across + width]
            alike = np.einsum("cij,cij->ij", near[-4:-1], normals) > 0.9
            alike &= np.abs(near[-1] - inverse[0]) < 0.02 * inverse[0]
            total += alike * near[:-4]
            weight += alike
    return total / weight
