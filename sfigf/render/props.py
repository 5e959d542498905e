"""Things to put in a room: each function builds one from primitives, standing on z = 0 about the z axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sfigf.interface import Array
from sfigf.render.surfaces import (
    Surface,
    bent,
    box,
    cylinder,
    lathe,
    rod,
    superellipsoid,
    torus,
    tube,
)

Part = tuple[Surface, int]
"""A surface and its material group: parts of a thing with equal groups share a material."""


def solid(rng: np.random.Generator, size: float) -> Surface:
    """Return one random solid primitive about ``size`` metres large."""
    kind = rng.integers(6)
    radius = 0.5 * size * rng.uniform(0.5, 1)
    if kind == 0:
        return box(size * rng.uniform(0.3, 1, 3))
    if kind == 1:
        return cylinder(radius * rng.uniform(0.4, 1), size * rng.uniform(0.5, 1.4))
    if kind == 2:
        return cylinder(radius, size * rng.uniform(0.7, 1.3), top=radius * rng.uniform(0.01, 0.7))
    if kind == 3:
        return torus(radius, radius * rng.uniform(0.1, 0.4))
    if kind == 4:
        return superellipsoid(np.full(3, radius), 1.0, 1.0)
    return superellipsoid(0.5 * size * rng.uniform(0.4, 1, 3), *rng.uniform(0.2, 1.8, 2))


def single(rng: np.random.Generator, size: float) -> list[Part]:
    """One solid."""
    return [(solid(rng, size), 0)]


def stack(rng: np.random.Generator, size: float) -> list[Part]:
    """Boxes or discs on top of each other, like books and plates."""
    parts, height, flat = [], 0.0, rng.uniform(0.06, 0.35)
    for layer in range(rng.integers(3, 7)):
        thickness = size * flat * rng.uniform(0.5, 1.3)
        extent = size * rng.uniform(0.5, 1, 2)
        round_one = rng.random() < 0.25
        piece = cylinder(extent[0] / 2, thickness) if round_one else box(np.array([*extent, thickness]))
        shift = np.array([*rng.uniform(-0.06, 0.06, 2) * size, height])
        parts.append((piece.moved(shift, about_z(rng.uniform(-0.5, 0.5))), layer))
        height += thickness
    return parts


def row(rng: np.random.Generator, size: float) -> list[Part]:
    """The same solid several times in a line; either all alike or in two alternating materials."""
    count, pattern = int(rng.integers(3, 7)), int(rng.integers(1, 3))
    model = solid(rng, size * rng.uniform(0.4, 0.7))
    step = np.ptp(model.vertices[:, 0]) * rng.uniform(1.02, 1.8)
    return [(model.moved(np.array([(i - count / 2) * step, 0, 0])), i % pattern) for i in range(count)]


def fence(rng: np.random.Generator, size: float) -> list[Part]:
    """Thin upright rods between two rails: fine depth edges with the scene showing through."""
    count, width, height = int(rng.integers(5, 13)), size * rng.uniform(1, 2), size * rng.uniform(0.8, 2)
    thin = rng.uniform(0.004, 0.014)
    places = np.linspace(-width / 2, width / 2, count)
    lean = rng.uniform(-0.2, 0.2) * height
    bars = [rod(np.array([x, 0, 0]), np.array([x + lean, 0, height]), thin) for x in places]
    ends = [
        (np.array([-width / 2 + lean * s, 0, height * s]), np.array([width / 2 + lean * s, 0, height * s]))
        for s in (0.12, 0.9)
    ]
    return [(bar, 0) for bar in bars] + [(rod(start, end, 1.3 * thin), 1) for start, end in ends]


def plant(rng: np.random.Generator, size: float) -> list[Part]:
    """A pot with bent, tapering leaves."""
    pot_height, radius = size * rng.uniform(0.3, 0.5), size * rng.uniform(0.15, 0.3)
    parts: list[Part] = [(cylinder(radius * rng.uniform(0.6, 0.95), pot_height, top=radius), 0)]
    along = np.linspace(0, 1, 12)[:, None]
    for angle in rng.uniform(0, 2 * np.pi, rng.integers(6, 13)):
        reach, rise = size * rng.uniform(0.3, 1), size * rng.uniform(0.6, 1.5)
        out, sideways = np.array([np.cos(angle), np.sin(angle), 0]), np.array([-np.sin(angle), np.cos(angle), 0])
        spine = along**1.6 * reach * out + (rise * along - rng.uniform(0, 0.8) * rise * along**3) * np.array([0, 0, 1])
        breadth = size * rng.uniform(0.03, 0.1) * np.sin(np.pi * np.clip(along * 0.92 + 0.08, 0, 1)) + 1e-3
        leaf = np.stack([spine - breadth * sideways, spine - 0.2 * breadth * out, spine + breadth * sideways], 1)
        parts.append((bent(leaf + np.array([0, 0, 0.8 * pot_height])), 1))
    return parts


def table(rng: np.random.Generator, size: float) -> list[Part]:
    """A board on four thin legs, with one to three solids on it."""
    width, depth, height = size * rng.uniform(1, 2), size * rng.uniform(0.7, 1.2), size * rng.uniform(0.7, 1.2)
    board = size * rng.uniform(0.04, 0.1)
    parts: list[Part] = [(box(np.array([width, depth, board])).moved(np.array([0, 0, height])), 0)]
    for x in (-0.45, 0.45):
        for y in (-0.45, 0.45):
            foot = np.array([x * width, y * depth, 0])
            parts.append((rod(foot, foot + np.array([0, 0, height]), size * 0.03), 1))
    for item in range(rng.integers(1, 4)):
        place = np.array([*rng.uniform(-0.35, 0.35, 2) * (width, depth), height + board])
        parts.append((solid(rng, size * rng.uniform(0.3, 0.6)).moved(place, about_z(rng.uniform(0, 6.3))), 2 + item))
    return parts


def lamp(rng: np.random.Generator, size: float) -> list[Part]:
    """A foot, a thin pole and an open shade."""
    height, shade = size * rng.uniform(1.2, 2.4), size * rng.uniform(0.25, 0.5)
    hood = lathe(np.array([[shade, 0], [shade * rng.uniform(0.3, 0.8), shade * rng.uniform(0.6, 1.2)]]), smooth=False)
    pole = rod(np.zeros(3), np.array([0, 0, height]), rng.uniform(0.005, 0.015))
    return [(cylinder(0.6 * shade, 0.03 * size), 0), (pole, 0), (hood.moved(np.array([0, 0, height - 0.1 * shade])), 1)]


def wheel(rng: np.random.Generator, size: float) -> list[Part]:
    """An upright ring with thin spokes."""
    radius = 0.5 * size * rng.uniform(0.7, 1.4)
    thickness = radius * rng.uniform(0.04, 0.16)
    count, thin = int(rng.integers(3, 13)), rng.uniform(0.003, 0.012)
    angles = np.arange(count) * 2 * np.pi / count
    spokes = [rod(np.zeros(3), radius * np.array([np.cos(a), np.sin(a), 0]), thin) for a in angles]
    upright = about_x(np.pi / 2 + rng.uniform(-0.3, 0.3))
    centre = np.array([0, 0, radius + thickness])
    ring = torus(radius, thickness).moved(np.array([0, 0, -thickness])).moved(centre, upright)
    return [(ring, 0), *((spoke.moved(centre, upright), 1) for spoke in spokes)]


def vase(rng: np.random.Generator, size: float) -> list[Part]:
    """A turned shape with a random smooth profile."""
    height = size * rng.uniform(0.6, 1.6)
    knots, along = np.linspace(0, 1, 6), np.linspace(0, 1, 40)
    radius = np.interp(along, knots, size * rng.uniform(0.1, 0.4, 6))
    radius = np.convolve(np.pad(radius, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    return [(lathe(np.stack([radius, along * height], -1), smooth=True), 0)]


def wires(rng: np.random.Generator, size: float) -> list[Part]:
    """Bent cables and twigs of changing thickness."""
    parts: list[Part] = []
    for _ in range(rng.integers(2, 6)):
        knots = np.cumsum(rng.normal(0, 0.35 * size, (5, 3)), axis=0)
        knots[:, 2] += np.linspace(0, 1.5 * size, 5) - knots[:, 2].min()
        path = np.stack([np.interp(np.linspace(0, 4, 40), np.arange(5), knots[:, axis]) for axis in range(3)], 1)
        path = np.stack([np.convolve(path[:, axis], np.full(11, 1 / 11), mode="valid") for axis in range(3)], 1)
        parts.append((tube(path, np.linspace(1, rng.uniform(0.2, 1), len(path)) * rng.uniform(0.004, 0.02)), 0))
    return parts


def panel(rng: np.random.Generator, size: float) -> list[Part]:
    """A large thin board leaning backwards: a poster, a door, a screen."""
    board = box(np.array([size * rng.uniform(0.8, 2.2), rng.uniform(0.01, 0.04), size * rng.uniform(0.8, 2)]))
    return [(board.moved(np.zeros(3), about_x(rng.uniform(-0.5, 0.15))), 0)]


def cloth(rng: np.random.Generator, size: float) -> list[Part]:
    """A hanging, folded sheet: smoothly changing depth."""
    across, down = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(0, 1, 30))
    waves = sum(
        rng.uniform(0.02, 0.07) * np.sin(across * rng.uniform(2, 14) + down * rng.uniform(-3, 3) + rng.uniform(0, 6.3))
        for _ in range(4)
    )
    width, height = size * rng.uniform(0.5, 1.1), size * rng.uniform(1.2, 2.4)
    return [(bent(np.stack([across * width, waves * size * (0.4 + down), height * (1 - down)], -1)), 0)]


def shelf(rng: np.random.Generator, size: float) -> list[Part]:
    """An open case of planks with things on its boards."""
    width, depth, height, plank = (
        size * rng.uniform(1, 2),
        size * rng.uniform(0.3, 0.6),
        size * rng.uniform(1.2, 2.2),
        0.02,
    )
    parts: list[Part] = [
        (box(np.array([plank, depth, height])).moved(np.array([x, 0, 0])), 0) for x in (-width / 2, width / 2)
    ]
    levels = int(rng.integers(2, 5))
    for level in range(levels):
        board = height * level / levels
        parts.append((box(np.array([width, depth, plank])).moved(np.array([0, 0, board])), 0))
        for item in range(rng.integers(1, 4)):
            thing = solid(rng, 0.55 * min(height / levels, depth))
            place = np.array([rng.uniform(-0.4, 0.4) * width, rng.uniform(-0.1, 0.2) * depth, board + plank])
            parts.append((thing.moved(place, about_z(rng.uniform(0, 6.3))), 1 + (level + item) % 4))
    return parts


PROPS: dict[Callable[[np.random.Generator, float], list[Part]], float] = {
    single: 5.0,
    stack: 1.5,
    row: 1.2,
    fence: 0.9,
    plant: 1.0,
    table: 0.9,
    lamp: 0.7,
    wheel: 0.9,
    vase: 1.3,
    wires: 0.9,
    panel: 1.6,
    cloth: 0.7,
    shelf: 0.6,
}
"""Every prop with how often it comes, relatively."""


def about_z(angle: float) -> Array:
    """Return the rotation by ``angle`` radians about the vertical."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def about_x(angle: float) -> Array:
    """Return the rotation by ``angle`` radians about the x axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
