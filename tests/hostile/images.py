"""The readers of people's own images: every format of ``sfigf.images``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sfigf.images import read_image
from tests.hostile import Reader, images_changes, images_expected, images_seeds, no_opinion
from tests.hostile.images_expected import described
from tests.hostile.mutations import Change, change_file

_MEMORY_BYTES = 2**29


def read(path: Path) -> str:
    """Shape, type and digest of an image that is as promised; an AssertionError if it is not."""
    array = read_image(path)
    assert array.ndim == 3, array.shape
    assert array.size, array.shape
    assert array.dtype in (np.uint8, np.uint16, np.float32), array.dtype
    return described(array)


def read_sides(path: Path) -> str:
    """The same of a JPEG, whose pixels depend on who unpacks them."""
    array = read_image(path)
    return f"{len(array)} {sorted(array.shape[1:])} {array.dtype}"


def _reader(
    name: str,
    seeds: Callable[[Path], list[Path]],
    own: tuple[Change, ...],
    expected: Callable[[Path], str | None] = no_opinion,
    read: Callable[[Path], str] = read,
) -> Reader:
    return Reader(f"images: {name}", seeds, read, partial(change_file, own=own), expected, memory_bytes=_MEMORY_BYTES)


READERS = [
    _reader("PNG", images_seeds.png, images_changes.PNG, images_expected.png),
    _reader("JPEG", images_seeds.jpeg, images_changes.JPEG, images_expected.jpeg, read_sides),
    _reader("TIFF", images_seeds.tiff, images_changes.TIFF, images_expected.tiff),
    _reader("NumPy", images_seeds.numpy, images_changes.NPY, images_expected.npy),
    _reader("MATLAB 4 to 7", images_seeds.matlab, images_changes.MAT, images_expected.matlab),
    _reader("HDF5 and MATLAB 7.3", images_seeds.hdf5, images_changes.HDF5),
    _reader("camera files", images_seeds.camera, images_changes.TIFF),
]
