"""Where things stand: a closed room, a camera inside it, and some hundred primitives in its view."""

from __future__ import annotations

import dataclasses

import numpy as np

from sfigf.interface import Array
from sfigf.render.props import PROPS, Part, about_x, about_z
from sfigf.render.surfaces import Surface, box, unit

WALL_GROUPS = 5
"""Floor, three kinds of wall and ceiling take the first material groups."""
NEAREST_M = 0.55
"""No primitive comes nearer to the camera than this, so that disparities keep a plausible range."""


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole. ``axes`` (3,3) has the rows right, down and forward; ``focal`` is in widths of the image."""

    position: Array
    axes: Array
    focal: float

    def rays(self, height: int, width: int) -> Array:
        """Return directions (height*width, 3) float32 of the pixel centres; one unit long along the optical axis."""
        x = (np.arange(width) + 0.5 - width / 2) / (self.focal * width)
        y = (np.arange(height) + 0.5 - height / 2) / (self.focal * width)
        across, down = np.meshgrid(x, y)
        local = np.stack([across, down, np.ones_like(across)], -1).reshape(-1, 3)
        return (local @ self.axes).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Room:
    """The empty box (3,) metres, x and y centred on zero and z from zero up."""

    size: Array

    def walls(self, rng: np.random.Generator) -> list[Part]:
        """Return floor, ceiling and four walls as slabs that overlap at the corners, and pictures on the walls."""
        parts: list[Part] = []
        for axis in range(3):
            for sign in (-1, 1):
                extent = self.size + 0.4
                extent[axis] = 0.2
                centre = sign * (self.size + 0.2) / 2 * np.eye(3)[axis] + np.array([0, 0, self.size[2] / 2])
                group = {0: 1 + (sign > 0), 1: 3, 2: 0 if sign < 0 else 4}[axis]
                parts.append((box(extent).moved(centre - np.array([0, 0, extent[2] / 2])), group))
        return parts + [(self._picture(rng), WALL_GROUPS + i) for i in range(rng.integers(1, 6))]

    def _picture(self, rng: np.random.Generator) -> Surface:
        board = box(np.array([rng.uniform(0.3, 1.4), 0.03, rng.uniform(0.3, 1.2)]))
        side = rng.choice([-1, 0, 0, 1])
        height = rng.uniform(0.1, 0.55) * self.size[2]
        if side == 0:
            return board.moved(np.array([rng.uniform(-0.4, 0.4) * self.size[0], self.size[1] / 2 - 0.02, height]))
        place = np.array([side * (self.size[0] / 2 - 0.02), rng.uniform(-0.1, 0.4) * self.size[1], height])
        return board.moved(place, about_z(np.pi / 2))


def furnish(rng: np.random.Generator) -> tuple[Camera, Room, list[Part]]:
    """Draw a room, a camera and the things in view; material groups are distinct between things."""
    room = Room(rng.uniform([2.4, 2.4, 2.2], [4.6, 4.6, 3.0]))
    camera = _camera(rng, room)
    parts = room.walls(rng)
    weights = np.array(list(PROPS.values())) * rng.gamma(1.2, 1.0, len(PROPS))
    wanted = len(parts) + int(rng.integers(70, 131))
    groups, taken = max(group for _, group in parts) + 1, np.zeros((0, 3))
    while len(parts) < wanted:
        thing = list(PROPS)[rng.choice(len(PROPS), p=weights / weights.sum())](
            rng, np.exp(rng.uniform(np.log(0.2), np.log(0.75)))
        )
        thing, taken = _placed(rng, thing, camera, room, taken)
        parts += [(surface, groups + group) for surface, group in thing]
        groups += max((group for _, group in thing), default=-1) + 1
    return camera, room, parts


def _camera(rng: np.random.Generator, room: Room) -> Camera:
    position = np.array(
        [rng.uniform(-0.2, 0.2) * room.size[0], -0.42 * room.size[1], rng.uniform(0.35, 0.7) * room.size[2]]
    )
    target = np.array(
        [rng.uniform(-0.25, 0.25) * room.size[0], 0.25 * room.size[1], rng.uniform(0.05, 0.4) * room.size[2]]
    )
    forward = unit(target - position)
    right = unit(np.cross(forward, [0, 0, 1]))
    roll = rng.normal(0, 0.05)
    down = np.cross(forward, right)
    axes = np.stack([np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right, forward])
    return Camera(position, axes, float(0.5 / np.tan(np.deg2rad(rng.uniform(45, 65)) / 2)))


def _placed(
    rng: np.random.Generator, thing: list[Part], camera: Camera, room: Room, taken: Array
) -> tuple[list[Part], Array]:
    """Move a thing to where it overlaps least with what stands already; drop what comes too near to the camera."""
    vertices = np.concatenate([surface.vertices for surface, _ in thing])
    reach = float(np.linalg.norm(vertices[:, :2], axis=1).max())
    floating = rng.random() < 0.35
    tries = [_place(rng, camera, room, float(np.ptp(vertices[:, 2])), floating) for _ in range(6)]
    crowding = [_crowding(place, reach, taken) for place in tries]
    place = tries[int(np.argmin(crowding))]
    turn = about_z(rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.normal(0, 0.35))
    if floating:
        turn = turn @ about_x(rng.normal(0, 0.8))
    moved = [(surface.moved(place, turn), group) for surface, group in thing]
    kept = [(surface, group) for surface, group in moved if _far_enough(surface, camera)]
    return kept, np.concatenate([taken, [[*place[:2], reach]]])


def _place(rng: np.random.Generator, camera: Camera, room: Room, tall: float, floating: bool) -> Array:
    """Draw a spot in view: hanging anywhere along the ray of a random pixel, or on the floor below it."""
    across, down = rng.uniform(-0.5, 0.5) / camera.focal, rng.uniform(-0.37, 0.37) / camera.focal
    ray = np.array([across, down, 1]) @ camera.axes
    far = 0.9 * room.size[1]
    depth = 1 / rng.uniform(1 / far, 1 / 1.1) if floating else rng.uniform(1.0, far)
    place = camera.position + depth * ray
    place[:2] = np.clip(place[:2], -0.46 * room.size[:2], 0.46 * room.size[:2])
    place[2] = np.clip(place[2] - tall / 2, 0.02, room.size[2]) if floating else 0.0
    return place


def _crowding(place: Array, reach: float, taken: Array) -> float:
    distance = np.linalg.norm(taken[:, :2] - place[:2], axis=1)
    return float(np.maximum(0, reach + taken[:, 2] - distance).max(initial=0.0))


def _far_enough(surface: Surface, camera: Camera) -> bool:
    offsets = surface.vertices - camera.position
    return bool((offsets @ camera.axes[2]).min() > NEAREST_M or np.linalg.norm(offsets, axis=1).min() > 2 * NEAREST_M)
