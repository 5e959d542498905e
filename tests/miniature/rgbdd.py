"""A few small pairs of RGB-D-D: millimetres in 16-bit PNG beside JPEG, under stamps of real test pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

STAMPS = ("20200509113453", "20200517162221", "20200518160708", "20200601110010")


def write(folder: Path) -> None:
    """Write ``Depth/<stamp>_HR_gt.png`` and ``RGB/<stamp>_RGB.jpg``."""
    rng = np.random.default_rng(2021)
    for name in ("Depth", "RGB"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for stamp in STAMPS:
        millimetres = rng.integers(600, 3000, (4, 5), dtype=np.uint16).repeat(16, 0).repeat(16, 1)
        colour = rng.integers(0, 256, (16, 20, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(millimetres).save(folder / "Depth" / f"{stamp}_HR_gt.png")
        Image.fromarray(colour).save(folder / "RGB" / f"{stamp}_RGB.jpg", quality=95)
