"""The readers of strangers' data sets and of released checkpoints, file by file, and of whole sets in small."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np

from sfigf.datasets.decode import read_array, read_picture, read_tiff
from sfigf.datasets.members import open_members
from sfigf.datasets.middlebury import Motorcycle
from sfigf.datasets.prepare import read_card
from sfigf.datasets.raw_files import read_developed, read_mosaic
from sfigf.interface import Scene
from sfigf.registry import lookup
from tests.hostile import Reader, images_changes, images_expected, no_opinion, sets_seeds
from tests.hostile.images_expected import described
from tests.hostile.mutations import Change, change_file
from tests.unit.test_images_camera import BLACK


def _scenes(scenes: Iterable[Scene]) -> str:
    """Names, shapes and digests of scenes whose arrays are as promised."""
    said = []
    for scene in scenes:
        for role, array in scene.arrays.items():
            assert array.ndim == 3, (role, array.shape)
            assert array.size, (role, array.shape)
            assert np.isfinite(array).all(), role
            said.append(f"{scene.name} {role} {described(array)}")
    return "; ".join(said)


def _one(name: str, role: str) -> Callable[[Path], str]:
    """Read a set of one file."""
    return lambda path: _scenes(lookup("dataset", name)().read({role: path}))


def _whole(name: str) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        card = sets_seeds.loose_card(name, _counts(name, folder))
        return _scenes(read_card(card, open_members(card, None, folder, folder)))

    return read


def _counts(name: str, folder: Path) -> dict[str, int]:
    """How many files each folder of a set has; a card wants one at least."""
    members = sets_seeds.card_of(name).members.items()
    counted = ((role, m.path, m.pattern) for role, m in members if m.pattern)
    return {role: max(1, len(list((folder / path).glob(pattern)))) for role, path, pattern in counted}


def _picture(path: Path) -> str:
    mode, array = read_picture(path)
    return f"{mode} {described(array)}"


def _motorcycle(path: Path) -> str:
    colour = path.parents[1] / "seeds" / "colour.png"
    return _scenes(Motorcycle().read({"disparity": path, "rgb": colour}))


def _mosaic(path: Path) -> str:
    array, gains = read_mosaic(path, BLACK)
    assert np.isfinite(gains).all(), gains
    return described(array)


def _developed(path: Path) -> str:
    return described(read_developed(path))


def _state(path: Path) -> str:
    from sfigf.released import import_released

    network = import_released(path, "pan")
    return f"{type(network).__name__} of {len(network.state_dict())} tensors"


def _damaged_png(path: Path) -> str | None:
    """Only whether it may be read at all: what is in it depends on Pillow's mode."""
    return images_expected.DAMAGED if images_expected.png(path) == images_expected.DAMAGED else None


def _reader(
    name: str,
    seeds: Callable[[Path], list[Path]],
    read: Callable[[Path], str],
    own: tuple[Change, ...] = (),
    expected: Callable[[Path], str | None] = no_opinion,
) -> Reader:
    return Reader(f"sets: {name}", seeds, read, partial(change_file, own=own), expected)


READERS = [
    _reader("pictures", sets_seeds.pictures, _picture, (*images_changes.PNG, *images_changes.JPEG), _damaged_png),
    _reader(".npy", sets_seeds.arrays, lambda path: described(read_array(path)), images_changes.NPY),
    _reader(".npz", sets_seeds.archives, _motorcycle),
    _reader("TIFF", sets_seeds.tiffs, lambda path: described(read_tiff(path)), images_changes.TIFF),
    _reader("satellites' .mat", sets_seeds.pan_samples, _one("worldview2", "scene"), images_changes.MAT),
    _reader("PanCollection HDF5", sets_seeds.pan_examples, _one("qb", "train"), images_changes.HDF5),
    _reader("NYU Depth v2", sets_seeds.rooms, _one("nyuv2", "labeled"), images_changes.HDF5),
    _reader("camera files", sets_seeds.sensors, _mosaic, images_changes.TIFF),
    _reader("developed camera files", sets_seeds.sensors, _developed, images_changes.TIFF),
    _reader("released checkpoints", sets_seeds.checkpoints, _state, (sets_seeds.trapped,)),
    *(_reader(f"all of {name}", sets_seeds.set_seed(name), _whole(name)) for name in sets_seeds.SETS),
]
