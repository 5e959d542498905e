"""Six small pictures named as Lu's are, the publisher's misspelling included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write(folder: Path, count: int = 6) -> None:
    """Write ``Depth/RGBD_01_output_depth.png`` (8-bit grey) and ``RGB/RGBD_01_ouput_color.png``, and so on."""
    rng = np.random.default_rng(2014)
    for name in ("Depth", "RGB"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        levels = rng.integers(40, 230, (5, 6), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
        colour = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(levels).save(folder / "Depth" / f"RGBD_{number:02d}_output_depth.png")
        Image.fromarray(colour).save(folder / "RGB" / f"RGBD_{number:02d}_ouput_color.png")
