"""PanCollection in small: the folders, file names, keys, shapes (N,C,H,W) and type of the real HDF5 files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from sfigf.degrade.exp import decimate, interp23tap
from sfigf.degrade.mtf import filter_bands, gains_of, mtf_kernels
from tests.miniature.pan_ground import band_gains, ground

_SENSORS = {"wv3": ("worldview3", 8, 2047), "qb": ("quickbird", 4, 2047), "gf2": ("gaofen2", 4, 1023)}


def paths(name: str = "wv3") -> dict[str, str]:
    """Path of each member below the folder."""
    return {
        "train": f"training_{name}/train_{name}.h5",
        "validation": f"training_{name}/valid_{name}.h5",
        "reduced": f"reduced_examples/test_{name}_multiExm1.h5",
        "full": f"full_examples/test_{name}_OrigScale_multiExm1.h5",
    }


def example(name: str, seed: int, side_px: int) -> dict[str, np.ndarray]:
    """One example, float64 digital numbers: whole ones where a sensor recorded them."""
    sensor, count, peak = _SENSORS[name]
    detail = ground(seed, side_px)
    truth = np.round(0.9 * peak * detail * band_gains(count)[:, None, None])
    coarse = decimate(filter_bands(truth, mtf_kernels(gains_of(sensor, count), 4)), 4)
    pan = np.round(0.7 * peak * detail)[None]
    return {"gt": truth, "ms": coarse, "lms": interp23tap(coarse, 4), "pan": pan}


def write(folder: Path, name: str = "wv3") -> None:
    """Write four training, two validation, two reduced and two full-resolution examples."""
    sizes = {"train": (4, 64), "validation": (2, 64), "reduced": (2, 128), "full": (2, 160)}
    for number, (role, path) in enumerate(paths(name).items()):
        count, side = sizes[role]
        examples = [example(name, 100 * number + index, side) for index in range(count)]
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / path, "w") as file:
            for key in ("gt", "lms", "ms", "pan"):
                if (role, key) != ("full", "gt"):
                    file.create_dataset(key, data=np.stack([one[key] for one in examples]), dtype="float64")
