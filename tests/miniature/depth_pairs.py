"""Middlebury 30 and the NYU samples, small: their cards list every file, and so say what to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sfigf.cards import load_card

CARDS = Path(__file__).parents[2] / "config" / "datasets"


def write(folder: Path, name: str = "middlebury-30") -> None:
    """Write 8-bit grey PNG, or metres in ``.npy``, and colour of one size for every pair of the card."""
    rng = np.random.default_rng(3)
    for role, member in load_card(CARDS / f"{name}.yaml").members.items():
        path = folder / member.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if role.endswith("-rgb"):
            Image.fromarray(rng.integers(0, 256, (64, 80, 3), np.uint8)).save(path)
        elif path.suffix == ".npy":
            np.save(path, rng.uniform(1, 9, (64, 80)).astype(np.float32))
        else:
            Image.fromarray(rng.integers(0, 256, (64, 80), np.uint8)).save(path)
