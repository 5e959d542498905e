"""The labelled NYU Depth v2, small: MATLAB 7.3 is HDF5 with the axes reversed and strings behind references."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

ROOM_PICTURES = 5


def write(folder: Path, count: int = 1449, height: int = 64, width: int = 80) -> None:
    """Write ``nyu_depth_v2_labeled.mat``: ``count`` pictures, so that all names of the real splits are there."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2012)
    cells = rng.integers(0, 256, (count, 3, width // 4, height // 4), dtype=np.uint8)
    steps = rng.integers(0, 8, (count, width // 16, height // 16))
    depths = (1 + 0.25 * steps.repeat(16, 1).repeat(16, 2) + np.arange(height) / 80).astype(np.float32)
    path = folder / "nyu_depth_v2_labeled.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        storage = {"compression": "gzip", "compression_opts": 1}
        file.create_dataset("images", data=cells.repeat(4, 2).repeat(4, 3), chunks=(1, 3, width, height), **storage)
        for name in ("depths", "rawDepths"):
            data = depths if name == "depths" else depths * (depths < 2.5)
            file.create_dataset(name, data=data, chunks=(1, width, height), **storage)
        _write_scenes(file, count)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def _write_scenes(file: h5py.File, count: int) -> None:
    """A cell array (1,N) of references to columns of character codes."""
    strings = file.create_group("#refs#")
    references = np.empty((1, count), dtype=h5py.ref_dtype)
    for index in range(count):
        room = index // ROOM_PICTURES
        text = f"kitchen_{room // 2:04d}{'ab'[room % 2]}"
        codes = np.array([[ord(letter)] for letter in text], dtype=np.uint16)
        references[0, index] = strings.create_dataset(f"s{index}", data=codes).ref
    file.create_dataset("scenes", data=references)
