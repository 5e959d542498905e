"""What surfaces are painted with: crops of photos and procedural patterns, in one table of texture pyramids."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image

from sfigf.interface import Array

SIDE = 256
LEVELS = 9
_LEVEL_SIZES = SIDE >> np.arange(LEVELS)
_LEVEL_STARTS = np.concatenate([[0], np.cumsum(_LEVEL_SIZES**2)])
PHOTO_SHARE = 0.75
PHOTO_SHARE_OF_WALLS = 0.4


@dataclasses.dataclass(frozen=True)
class Palette:
    """All materials of a scene, by number.

    Attributes:
        texels: (m * pyramid, 3) float32 linear light, the pyramids one after the other.
        extent: (m,) side of one texture in metres.
        gloss: (m,) strength of the highlight.
        shine: (m,) exponent of the highlight.
    """

    texels: Array
    extent: Array
    gloss: Array
    shine: Array

    def colours(self, material: Array, coordinates: Array, spacing: Array) -> Array:
        """Look up linear light (n,3) at surface coordinates (n,2) in metres; ``spacing`` (n,) is metres per sample."""
        scale = SIDE / self.extent[material]
        level = np.clip(np.rint(np.log2(np.maximum(spacing * scale, 1e-6)) - 0.2), 0, LEVELS - 1).astype(np.int32)
        size = _LEVEL_SIZES[level].astype(np.int32)
        start = (material * _LEVEL_STARTS[-1] + _LEVEL_STARTS[level]).astype(np.int32)
        position = coordinates * (scale / SIDE * size)[:, None] - 0.5
        corner = np.floor(position)
        fraction = (position - corner).astype(np.float32)
        left, top = (_mirrored(corner[:, axis].astype(np.int32), size) for axis in (0, 1))
        right, bottom = (_mirrored(corner[:, axis].astype(np.int32) + 1, size) for axis in (0, 1))
        x, y = fraction[:, :1], fraction[:, 1:]
        upper = self.texels[start + top * size + left] * (1 - x) + self.texels[start + top * size + right] * x
        lower = self.texels[start + bottom * size + left] * (1 - x) + self.texels[start + bottom * size + right] * x
        return upper * (1 - y) + lower * y


def _mirrored(index: Array, size: Array) -> Array:
    folded = index % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def mix_palette(rng: np.random.Generator, count: int, large: int, photos: Sequence[Array]) -> Palette:
    """Draw ``count`` materials, crops of ``photos`` (3,H,W) uint8 or patterns; the first ``large`` are for walls."""
    share = np.where(np.arange(count) < large, PHOTO_SHARE_OF_WALLS, PHOTO_SHARE) * (len(photos) > 0)
    pictures = [_photo(rng, photos) if rng.random() < chance else _pattern(rng) for chance in share]
    extent = np.exp(rng.uniform(np.log(0.3), np.log(1.6), count)) * np.where(np.arange(count) < large, 2, 1)
    glossy = rng.random(count) < 0.4
    return Palette(
        np.concatenate([level.reshape(-1, 3) for picture in pictures for level in _pyramid(picture)]),
        extent.astype(np.float32),
        np.where(glossy, rng.uniform(0.05, 0.5, count), 0.0).astype(np.float32),
        np.exp(rng.uniform(np.log(8), np.log(120), count)).astype(np.float32),
    )


def _pyramid(picture: Array) -> list[Array]:
    """Return every level of a (SIDE,SIDE,3) picture, halved down to one texel."""
    levels = [picture.astype(np.float32)]
    for _ in range(LEVELS - 1):
        rows = levels[-1][::2] + levels[-1][1::2]
        levels.append((rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25))
    return levels


def _photo(rng: np.random.Generator, photos: Sequence[Array]) -> Array:
    """Crop a photo, turn and tint it; linear light."""
    photo = photos[int(rng.integers(len(photos)))]
    side = int(min(photo.shape[1:]) * rng.uniform(0.25, 1))
    top, left = (int(rng.integers(0, extent - side + 1)) for extent in photo.shape[1:])
    stride = max(1, side // (2 * SIDE))
    crop = photo[:, top : top + side : stride, left : left + side : stride]
    image = Image.fromarray(np.ascontiguousarray(crop.transpose(1, 2, 0)))
    display = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    light = np.rot90(display**2.2, int(rng.integers(4)))
    return np.clip(light * np.exp(rng.normal(0, 0.15, 3)) * np.exp(rng.normal(0, 0.25)), 0.004, 0.95)


def _pattern(rng: np.random.Generator) -> Array:
    """Paint two or three colours by a procedural field; linear light."""
    field = [_plain, _noise, _stripes, _checks, _grain, _speckles][rng.integers(6)](rng)
    first, second = _colour(rng), _colour(rng)
    if rng.random() < 0.35:
        second = first * rng.uniform(0.5, 1.5)
    light = first + field[..., None] * (second - first)
    return np.clip(light * (1 + 0.15 * (_noise(rng)[..., None] - 0.5)), 0.004, 0.95)


def _colour(rng: np.random.Generator) -> Array:
    """Draw a linear colour: mostly muted, sometimes strong, from dark to near white."""
    grey = np.full(3, rng.beta(1.3, 1.6))
    return np.clip(grey + rng.choice([0.05, 0.3]) * rng.uniform(-1, 1, 3) * (0.3 + grey), 0.01, 0.9)


def _plain(rng: np.random.Generator) -> Array:
    return np.zeros((SIDE, SIDE)) + 0.05 * rng.random()


def _noise(rng: np.random.Generator) -> Array:
    """Sum octaves of smooth noise into [0,1]."""
    total, weight, persistence = np.zeros((SIDE, SIDE), dtype=np.float32), 1.0, rng.uniform(0.25, 0.65)
    for cells in 2 ** np.arange(rng.integers(1, 4), 9, 2):
        grid = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
        total += weight * (np.asarray(grid.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) - 0.5)
        weight *= persistence
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def _phase(rng: np.random.Generator) -> Array:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    return (x * np.cos(angle) + y * np.sin(angle)) * rng.integers(3, 20)


def _stripes(rng: np.random.Generator) -> Array:
    wave = np.sin(2 * np.pi * _phase(rng))
    return np.clip(0.5 + wave * rng.choice([0.5, 8]), 0, 1)


def _checks(rng: np.random.Generator) -> Array:
    cells = np.mgrid[:SIDE, :SIDE] * int(rng.integers(2, 13)) // SIDE
    return (cells.sum(0) % 2).astype(float)


def _grain(rng: np.random.Generator) -> Array:
    """Wood: stripes bent by noise."""
    return 0.5 + 0.5 * np.sin(2 * np.pi * (_phase(rng) + 2.5 * _noise(rng)))


def _speckles(rng: np.random.Generator) -> Array:
    """Random rectangles, like print on a label."""
    field = np.zeros((SIDE, SIDE))
    for _ in range(rng.integers(10, 60)):
        top, left = rng.integers(0, SIDE, 2)
        field[top : top + rng.integers(3, 40), left : left + rng.integers(3, 90)] = rng.random()
    return field
