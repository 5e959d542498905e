"""Parametric surfaces as triangle meshes that carry smooth normals and texture coordinates in metres."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from sfigf.interface import Array


@dataclasses.dataclass(frozen=True)
class Surface:
    """A triangle mesh.

    Attributes:
        vertices: (n,3) metres.
        normals: (n,3) unit length; which side they point to does not matter, shading turns them to the viewer.
        coordinates: (n,2) position along the surface in metres, for textures.
        faces: (m,3) vertex indices.
    """

    vertices: Array
    normals: Array
    coordinates: Array
    faces: Array

    def moved(self, shift: Array, rotation: Array | None = None) -> Surface:
        """Return the surface rotated by a (3,3) matrix, then shifted by a (3,) vector."""
        turn = np.eye(3) if rotation is None else rotation
        return dataclasses.replace(self, vertices=self.vertices @ turn.T + shift, normals=self.normals @ turn.T)


def joined(surfaces: list[Surface]) -> Surface:
    """Return one surface made of several."""
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces[:-1])])
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate([surface.normals for surface in surfaces]),
        np.concatenate([surface.coordinates for surface in surfaces]),
        np.concatenate([surface.faces + start for surface, start in zip(surfaces, starts, strict=True)]),
    )


def sheet(points: Array, normals: Array, coordinates: Array) -> Surface:
    """Triangulate a grid of points (r,c,3) with normals of the same shape and coordinates (r,c,2)."""
    rows, columns = points.shape[:2]
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    right, below, across = corner + 1, corner + columns, corner + columns + 1
    faces = np.concatenate([np.stack([corner, right, across], 1), np.stack([corner, across, below], 1)])
    return Surface(points.reshape(-1, 3), normals.reshape(-1, 3), coordinates.reshape(-1, 2), faces)


def bent(points: Array) -> Surface:
    """Triangulate a grid of points (r,c,3); normals and arc-length coordinates come from the points."""
    along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
    lengths = [np.linalg.norm(np.diff(points, axis=axis), axis=-1).mean(1 - axis) for axis in (0, 1)]
    rows, columns = (np.concatenate([[0.0], np.cumsum(length)]) for length in lengths)
    return sheet(points, unit(np.cross(along, across)), np.stack(np.meshgrid(columns, rows), -1))


def box(size: Array) -> Surface:
    """Return a box (3,) metres long, standing on z = 0 and centred on the z axis."""
    sides = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            points = np.zeros((2, 2, 3))
            points[..., axis] = sign * size[axis] / 2
            points[..., first] = np.array([[-1, -1], [1, 1]]) * size[first] / 2
            points[..., second] = np.array([[-1, 1], [-1, 1]]) * size[second] / 2
            normals = np.broadcast_to(sign * np.eye(3)[axis], points.shape)
            sides.append(sheet(points, normals, points[..., [first, second]] + 7.3 * axis))
    return joined(sides).moved(np.array([0, 0, size[2] / 2]))


def lathe(profile: Array, smooth: bool, segments: int = 36) -> Surface:
    """Turn a profile (k,2) of radius and height about the z axis; a profile that is not smooth keeps its edges."""
    if not smooth:
        pieces = [np.stack([start, end]) for start, end in itertools.pairwise(profile)]
        return joined([lathe(piece, True, segments) for piece in pieces])
    slope = np.gradient(profile, axis=0)
    outward = unit(np.stack([slope[:, 1], -slope[:, 0]], -1))
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    turn = np.stack([np.cos(angle), np.sin(angle), np.ones_like(angle)], -1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    coordinates = np.stack(np.meshgrid(angle * profile[:, 0].max(), length), -1)
    return sheet(profile[:, None, [0, 0, 1]] * turn, outward[:, None, [0, 0, 1]] * turn, coordinates)


def cylinder(radius: float, height: float, top: float | None = None, segments: int = 36) -> Surface:
    """Return an upright closed cylinder, or the frustum of a cone when ``top`` gives another upper radius."""
    upper = radius if top is None else top
    return lathe(np.array([[1e-4, 0], [radius, 0], [upper, height], [1e-4, height]]), smooth=False, segments=segments)


def torus(radius: float, thickness: float) -> Surface:
    """Return a ring of the given radius and tube radius, lying on z = 0."""
    angle = np.linspace(0, 2 * np.pi, 25)
    profile = np.stack([radius + thickness * np.cos(angle), thickness * (1 + np.sin(angle))], -1)
    return lathe(profile, smooth=True, segments=48)


def superellipsoid(radii: Array, vertical: float, horizontal: float) -> Surface:
    """Return |x/a|^(2/h) ... : exponents 1, 1 make an ellipsoid, towards 0 a box, towards 2 an octahedron.

    Source: Barr, Superquadrics and angle-preserving transformations, IEEE CG&A 1981.
    """
    latitude, longitude = np.linspace(-np.pi / 2, np.pi / 2, 29)[:, None], np.linspace(0, 2 * np.pi, 49)[None]

    def direction(v: float, h: float) -> Array:
        flat, lift = _power(np.cos(latitude), v), _power(np.sin(latitude), v)
        x, y = flat * _power(np.cos(longitude), h), flat * _power(np.sin(longitude), h)
        return np.stack(np.broadcast_arrays(x, y, lift), -1)

    points = radii * direction(vertical, horizontal)
    normals = unit(direction(2 - vertical, 2 - horizontal) / radii)
    spread = np.broadcast_arrays(longitude * radii[0], latitude * radii[2])
    return sheet(points + np.array([0, 0, radii[2]]), normals, np.stack(spread, -1))


def tube(path: Array, radii: Array, segments: int = 10) -> Surface:
    """Sweep a circle of changing radius (k,) along a path (k,3)."""
    forward = unit(np.gradient(path, axis=0))
    reference = np.eye(3)[np.argmin(np.abs(forward).max(axis=0))]
    side = unit(np.cross(forward, reference))
    other = np.cross(forward, side)
    angle = np.linspace(0, 2 * np.pi, segments + 1)[None, :, None]
    normals = np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    coordinates = np.stack(np.meshgrid(angle.ravel() * radii.max(), length), -1)
    return sheet(path[:, None] + radii[:, None, None] * normals, normals, coordinates)


def rod(start: Array, end: Array, radius: float) -> Surface:
    """Return a straight thin rod between two points."""
    return tube(np.stack([start, (start + end) / 2, end]), np.full(3, radius), segments=8)


def unit(vectors: Array) -> Array:
    """Scale vectors along the last axis to length one; zero vectors stay zero."""
    return vectors / np.maximum(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)), 1e-12)[..., None]


def _power(values: Array, exponent: float) -> Array:
    return np.sign(values) * np.abs(values) ** exponent
