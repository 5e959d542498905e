"""MCR: for each place 8-bit RGGB mosaics (H,W,1) in TIFF, a colour truth in JPEG, a monochrome one in TIFF.

Beside them lie the publisher's two lists of input paths. The real pictures have 1024x1280 px.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from sfigf.degrade.camera import unprocess
from tests.miniature.low_light import WHITE_BALANCE, place, sensor

SET = Path("Mono_Colored_RAW_Paired_DATASET")
INDOORS = (0x007F, 0x00FF, 0x01FF, 0x03FF, 0x07FF, 0x0FFF, 0x1FFF, 0x2FFF)
# Places 1 and 2 train, 85 validates, 95 tests in the disjoint split; 501 is outdoors and trains.
PLACES = {1: INDOORS[::3], 2: INDOORS[::3], 85: INDOORS[2:4], 95: INDOORS[2:4], 501: (0x007F, 0x03FF)}
TEST = ((1, INDOORS[3]), (95, INDOORS[2]))


def write(folder: Path, height: int = 128, width: int = 160) -> None:
    """Write five places and lists that, as the published ones, share a place."""
    for sub in ("Color_RAW_Input", "RGB_GT", "Mono_GT"):
        (folder / SET / sub).mkdir(parents=True, exist_ok=True)
    for number, widths in PLACES.items():
        photo = place(number, height, width)
        longest = INDOORS[-1] if number < 500 else 0x03FF
        shown = np.rint(255 * photo).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(shown).save(folder / SET / f"RGB_GT/C{number:05d}_48mp_0x8_0x{longest:04x}.jpg", quality=95)
        grey = unprocess(photo, WHITE_BALANCE).mean(axis=0)
        _save(folder / SET / f"Mono_GT/M{number:05d}_48mp_0x8_0x{longest:04x}.tif", grey)
        for shutter in widths:
            _save(folder / SET / f"Color_RAW_Input/{name_of(number, shutter)}", sensor(photo) * shutter / longest)
    _write_lists(folder / "random_path_list")


def name_of(number: int, shutter: int) -> str:
    """File name of an input."""
    return f"C{number:05d}_48mp_0x8_0x{shutter:04x}.tif"


def _save(path: Path, light: np.ndarray) -> None:
    tifffile.imwrite(path, np.rint(255 * light.clip(0, 1)).astype(np.uint8)[..., None])


def _write_lists(folder: Path) -> None:
    pairs = [(number, shutter) for number, widths in PLACES.items() for shutter in widths]
    for part, chosen in (("train", [pair for pair in pairs if pair not in TEST]), ("test", TEST)):
        path = folder / part / f"{part}_c_path.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.array([f"./{SET}/Color_RAW_Input/{name_of(*pair)}" for pair in chosen]))
