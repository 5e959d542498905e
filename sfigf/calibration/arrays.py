"""The arrays that the reference values were taken of, channels first and in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfigf.interface import Array, UserError


def load_arrays(folder: Path, *names: str) -> dict[str, Array]:
    """Read every array of ``NAME.npz``, one file after the other, as stored.

    Raises:
        UserError: If a file is missing or no NumPy archive.
    """
    arrays: dict[str, Array] = {}
    for name in names:
        path = folder / f"{name}.npz"
        try:
            with np.load(path) as stored:
                arrays |= dict(stored)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: missing or no NumPy archive; its rows cannot be computed, restore it") from error
    return arrays


def channels_first(image: Array) -> Array:
    """Turn (H, W) or (H, W, C) of any type into (C, H, W) float64."""
    image = np.asarray(image, dtype=np.float64)
    return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
