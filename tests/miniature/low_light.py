"""What the miniatures of the raw sets have in common: smooth coloured places, and what a sensor makes of them."""

from __future__ import annotations

import numpy as np

from sfigf.degrade.camera import mosaic, unprocess

WHITE_BALANCE = (2.0, 1.0, 5 / 3)


def place(seed: int, height: int, width: int) -> np.ndarray:
    """A display-referred photo (3,H,W) in [0,1]: coloured tiles and waves, unlike those of any other seed."""
    rng = np.random.default_rng(seed)
    tiles = rng.uniform(-0.2, 0.2, (1, -(-height // 16), -(-width // 16))).repeat(16, 1).repeat(16, 2)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = rng.uniform(2, 20, (3, 4, 2)), rng.uniform(0, 6, (3, 4))
    planes = [
        sum(np.sin(fy * y + fx * x + p) for (fy, fx), p in zip(*pair, strict=True)) for pair in zip(*waves, strict=True)
    ]
    return (0.5 + 0.05 * np.stack(planes) + tiles[:, :height, :width]).clip(0.02, 0.95).astype(np.float32)


def sensor(photo: np.ndarray) -> np.ndarray:
    """The clean RGGB mosaic (H,W) in [0,1]."""
    return mosaic(unprocess(photo, WHITE_BALANCE))[0]
