"""SID Sony: Sony/short/IIIII_NN_Es.ARW and Sony/long/IIIII_00_Es.ARW.

The files are small DNGs under the real names, which LibRaw tells by their content; the real ones are of Sony's own
format, 2848x4256 px.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.miniature.low_light import WHITE_BALANCE, place, sensor
from tests.unit.test_images_camera import BLACK, WHITE, write_dng

# 10034 is one of the three misaligned places, which are in no split.
SCENES = (
    "00001-00-40ms", "00001-00-100ms", "00001-01-100ms", "00072-00-100ms", "00072-01-100ms", "00182-00-33ms",
    "00182-00-40ms", "00182-00-100ms", "10003-00-40ms", "10003-00-100ms", "10034-00-100ms", "10178-00-33ms",
    "10178-00-40ms", "10178-00-100ms", "20005-00-100ms", "20079-00-100ms", "20079-01-100ms",
)  # fmt: skip
PLACES = sorted({scene[:5] for scene in SCENES})
SHORT, LONG = Path("Sony/short"), Path("Sony/long")


def write(folder: Path, scenes: Iterable[str] = SCENES, height: int = 128, width: int = 160) -> None:
    """Write scenes, named as in the split files: the long exposure of each place, and dark noisy short ones."""
    for sub in (SHORT, LONG):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        name, number, milliseconds = scene.removesuffix("ms").split("-")
        long, short = seconds_of(name), int(milliseconds) / 1000
        rng = np.random.default_rng([int(name), int(number), int(milliseconds)])
        light = sensor(place(int(name), height, width)) * (WHITE - BLACK)
        save(folder / LONG / f"{name}_00_{long}s.ARW", light)
        save(folder / SHORT / f"{name}_{number}_{short:g}s.ARW", light * short / long + rng.normal(0, 2, light.shape))


def seconds_of(place: str) -> int:
    """Long exposure of a place: 30 s where the number is from 72 to 177, 10 s elsewhere."""
    return 30 if 72 <= int(place[1:]) <= 177 else 10


def save(path: Path, light: np.ndarray, **options: object) -> None:
    """Write numbers above black (H,W) as a camera file."""
    numbers = np.clip(np.rint(light + BLACK), 0, WHITE).astype(np.uint16)
    write_dng(path, numbers, neutral=tuple(1 / gain for gain in WHITE_BALANCE), camera=("SONY", "ILCE-7SM2"), **options)
