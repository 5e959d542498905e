"""The sample images of WorldView-2, GeoEye-1 and IKONOS in small: keys, types and shapes of the real ``.mat`` files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from tests.miniature.pan_ground import band_gains, ground, mean_of

FILES = {"worldview2": "imgWV2.mat", "geoeye1": "imgGE1.mat", "ikonos": "imgIK.mat"}
_LABELS = {"worldview2": "WV2", "geoeye1": "GeoEye1", "ikonos": "IKONOS"}
_SIDE_PX = 96


def content(name: str = "worldview2") -> dict[str, Any]:
    """What ``loadmat`` would return, less its own entries."""
    count, bits = (8, 11) if name == "worldview2" else (4, 8 if name == "geoeye1" else 11)
    kind = np.uint8 if bits == 8 else np.uint16
    fine = (0.9 * 2**bits) * ground(seed=len(name), side_px=4 * _SIDE_PX)
    bands = mean_of(fine, 4)[..., None] * band_gains(count) + 5
    return {
        "I_MS": bands.astype(kind),
        "I_PAN": fine.astype(kind),
        "L": np.uint8([[bits]]),
        "ratio": np.uint8([[4]]),
        "sensor": _LABELS[name],
        "RGB_indexes": np.uint8([[5, 3, 2] if count == 8 else [3, 2, 1]]),
    }


def write(folder: Path, name: str = "worldview2") -> None:
    """Write the one file of the set into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / FILES[name], content(name), do_compression=True)
