"""Made-up ground for the pan-sharpening miniatures: patches and edges, in [0, 1]."""

from __future__ import annotations

import numpy as np


def ground(seed: int, side_px: int) -> np.ndarray:
    """(side, side) of blocks of 6 px and of 2 px, mixed."""
    rng = np.random.default_rng(seed)
    layers = [(0.7, 6), (0.3, 2)]
    blocks = [share * np.kron(rng.uniform(size=(-(-side_px // px),) * 2), np.ones((px, px))) for share, px in layers]
    return sum(block[:side_px, :side_px] for block in blocks)


def band_gains(count: int) -> np.ndarray:
    """(count,) brightness of each band, every one different."""
    return np.linspace(0.3, 0.95, count)


def mean_of(image: np.ndarray, ratio: int) -> np.ndarray:
    """Mean over blocks of ``ratio`` pixels a side."""
    height, width = image.shape
    return image.reshape(height // ratio, ratio, width // ratio, ratio).mean(axis=(1, 3))
