"""Low-light sets of real raw captures: short exposures beside a long one of the same place.

Each short exposure is a scene: ``mosaic`` (1,H,W) uint16 as recorded, ``sharp`` (3,H,W) of the long exposure, and
``mono`` (1,H,W) where a monochrome camera stood beside. One scene is in memory at a time.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from sfigf.datasets.decode import read_array, read_grey, read_rgb
from sfigf.datasets.listing import by_key, named
from sfigf.datasets.raw_files import read_developed, read_mosaic
from sfigf.degrade.camera import BLACK_LEVEL, WHITE_LEVEL, camera_from_srgb
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register

_PARTS_OF_SID = {"0": "train", "1": "test", "2": "validation"}
_LARGEST_RATIO = 300.0
_INDOORS_BELOW, _LONGEST_INDOORS, _LONGEST_OUTDOORS = 500, 0x2FFF, 0x03FF
_BLOCK = 10


@dataclasses.dataclass(frozen=True)
class Exposure:
    """One file of SID: ``00001_00_0.1s.ARW`` is place 00001, number 00, 0.1 s."""

    path: Path
    place: str
    number: str
    seconds: float

    @classmethod
    def of(cls, path: Path) -> Exposure:
        """Read the name of a file.

        Raises:
            UserError: If it is no name of the set.
        """
        found = re.fullmatch(r"([012]\d{4})_(\d{2})_(\d+(?:\.\d+)?)s", path.stem)
        if found is None or float(found[3]) <= 0:
            raise UserError(f"{named(path)}: not a name like 00001_00_0.1s.ARW; give the file its name back")
        return cls(path, found[1], found[2], float(found[3]))

    @property
    def name(self) -> str:
        """Name of the scene, exposure in milliseconds: ``00001-00-100ms``."""
        return f"{self.place}-{self.number}-{round(1000 * self.seconds)}ms"


@register("dataset")
class Sid:
    """See-in-the-Dark, Sony A7S II: every short exposure beside the long one of its place.

    Source: Chen, Chen, Xu, Koltun, CVPR 2018; cchen156/Learning-to-See-in-the-Dark@384164a (names, levels, ratio).
    """

    name: ClassVar[str] = "sid"

    def takes(self, short: Exposure) -> bool:
        """Whether a short exposure belongs to the set; those that do not are not decoded."""
        return True

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``short`` and ``long`` of ARW files; ratio = min(long exposure / short exposure, 300)."""
        long_of = {long.place: long for long in _exposures(files["long"])}
        place, sharp = "", np.empty((3, 0, 0), np.uint16)
        for short in filter(self.takes, _exposures(files["short"])):
            if short.place not in long_of:
                where = named(files["long"])
                raise UserError(f"{named(short.path)}: no long exposure of its place in {where}; get it again")
            if short.place != place:
                place, sharp = short.place, read_developed(long_of[short.place].path)
            yield _sid_scene(short, long_of[place], sharp)


@register("dataset")
class SidFirst(Sid):
    """The first 0.1 s exposure of each place of SID: what Xinyil256/SFIGF@a4dd72c trains and tests on."""

    name: ClassVar[str] = "sid-0p1s"

    def takes(self, short: Exposure) -> bool:
        """Number 00 at 0.1 s."""
        return (short.number, short.seconds) == ("00", 0.1)


def _exposures(folder: Path) -> list[Exposure]:
    exposures = [Exposure.of(path) for path in folder.glob("*.ARW")]
    return sorted(exposures, key=lambda exposure: (exposure.place, exposure.number, exposure.seconds))


def _sid_scene(short: Exposure, long: Exposure, sharp: Array) -> Scene:
    mosaic, white_balance = read_mosaic(short.path, int(BLACK_LEVEL))
    if mosaic.shape[1:] != sharp.shape[1:]:
        sizes = f"{_size(mosaic)} px, its long exposure {named(long.path)} {_size(sharp)} px"
        raise UserError(f"{named(short.path)}: {sizes}; get both again")
    if mosaic.max() > WHITE_LEVEL:
        raise UserError(f"{named(short.path)}: values up to {mosaic.max()}, a 14-bit sensor ends at {WHITE_LEVEL:.0f}")
    meta = {
        "black": BLACK_LEVEL, "white": WHITE_LEVEL, "bits": 14, "pattern": "RGGB", "white_balance": white_balance,
        "ratio": min(long.seconds / short.seconds, _LARGEST_RATIO), "exposure_s": short.seconds,
        "long_exposure_s": long.seconds, "colour_matrix": np.linalg.inv(camera_from_srgb()).tolist(),
        "file": short.path.name,
    }  # fmt: skip
    part = _PARTS_OF_SID[short.place[0]]
    return Scene(short.name, f"sid-{short.place}", part, {"mosaic": mosaic, "sharp": sharp}, meta)


@dataclasses.dataclass(frozen=True)
class Shot:
    """One input of MCR: ``C00001_48mp_0x8_0x1fff.tif`` is place 00001, shutter width 0x1fff; wider is longer."""

    path: Path
    place: str
    width: int

    @classmethod
    def of(cls, path: Path) -> Shot:
        """Read the name of a file.

        Raises:
            UserError: If it is no name of the set.
        """
        found = re.fullmatch(r"C(\d{5})_48mp_0x8_0x([0-9a-fA-F]{4})", path.stem)
        if found is None or int(found[2], 16) == 0:
            raise UserError(f"{named(path)}: not a name like C00001_48mp_0x8_0x1fff.tif; give the file its name back")
        return cls(path, found[1], int(found[2], 16))

    @property
    def name(self) -> str:
        """Name of the scene: ``00001-0x1fff``."""
        return f"{self.place}-0x{self.width:04x}"

    @property
    def ratio(self) -> float:
        """Shutter width of the long exposure over its own; places from 500 on are outdoors, with shorter exposures."""
        return (_LONGEST_INDOORS if int(self.place) < _INDOORS_BELOW else _LONGEST_OUTDOORS) / self.width


@register("dataset")
class McrDisjoint:
    """Mono-Colored Raw, split by place.

    Numbers go in blocks of ten, as neighbours were taken one after the other; of every ten blocks the ninth validates,
    the tenth tests.

    Source: Dong et al., CVPR 2022; TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark@331e504 train.py (names, ratio).
    """

    name: ClassVar[str] = "mcr-disjoint"

    def parts(self, shots: list[Shot], files: Mapping[str, Path]) -> dict[str, str]:
        """Part of each scene by name; scenes that are not in it are left out."""
        of_block = {_BLOCK - 2: "validation", _BLOCK - 1: "test"}
        return {shot.name: of_block.get(int(shot.place) // _BLOCK % _BLOCK, "train") for shot in shots}

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``color`` (8-bit mosaics), ``rgb`` and ``mono`` (8-bit truths, one a place)."""
        shots = sorted(
            (Shot.of(path) for path in files["color"].glob("*.tif")), key=lambda shot: (shot.place, shot.width)
        )
        parts = self.parts(shots, files)
        rgb, mono = (_by_place(files[role]) for role in ("rgb", "mono"))
        for shot in shots:
            if shot.name in parts:
                truths = {
                    "sharp": read_rgb(_truth(shot, rgb, "RGB_GT")),
                    "mono": read_grey(_truth(shot, mono, "Mono_GT")),
                }
                yield _mcr_scene(shot, parts[shot.name], truths)


@register("dataset")
class Mcr(McrDisjoint):
    """Mono-Colored Raw, split as published: by files ``train-list`` and ``test-list``, which share places."""

    name: ClassVar[str] = "mcr"

    def parts(self, shots: list[Shot], files: Mapping[str, Path]) -> dict[str, str]:
        """Part of each scene after the publisher's own two lists of input paths (``.npy``)."""
        present = {shot.name for shot in shots}
        parts: dict[str, str] = {}
        for part in ("train", "test"):
            path = files[f"{part}-list"]
            names = [shot.name for shot in _listed(path)]
            absent, twice = set(names) - present, set(names) & set(parts)
            if absent or twice:
                what = "are not in Color_RAW_Input" if absent else "are in the other list too"
                raise UserError(
                    f"{named(path)}: {len(absent or twice)} inputs {what}, first {min(absent or twice)}; get it again"
                )
            parts |= dict.fromkeys(names, part)
        return parts


def _listed(path: Path) -> list[Shot]:
    """The inputs in a list of the publisher's."""
    lines = read_array(path)
    if lines.dtype.kind != "U" or lines.ndim != 1:
        raise UserError(f"{named(path)}: expected a list of paths, got {lines.dtype} of shape {lines.shape}")
    try:
        return [Shot.of(Path(line.replace("\\", "/"))) for line in lines.tolist()]
    except UserError as error:
        raise UserError(f"{named(path)}: names {error}") from None


def _by_place(folder: Path) -> dict[str, Path]:
    """Truths by place; they bear the names of the longest exposure."""

    def place_of(path: Path) -> str | None:
        found = re.fullmatch(r"[CM](\d{5})_.*", path.stem)
        return found and found[1]

    return by_key(folder.glob("*"), place_of)


def _truth(shot: Shot, truths: dict[str, Path], folder: str) -> Path:
    if shot.place not in truths:
        raise UserError(f"{named(shot.path)}: no truth of place {shot.place} in {folder}; get the set again")
    return truths[shot.place]


def _mcr_scene(shot: Shot, part: str, truths: dict[str, Array]) -> Scene:
    mosaic = read_grey(shot.path).astype(np.uint16)
    for role, truth in truths.items():
        if truth.shape[1:] != mosaic.shape[1:]:
            sizes = f"{_size(mosaic)} px, its {role} truth {_size(truth)} px"
            raise UserError(f"{named(shot.path)}: {sizes}; get both again")
    meta = {
        "black": 0, "white": 255, "bits": 8, "pattern": "RGGB", "ratio": shot.ratio, "file": shot.path.name,
    }  # fmt: skip
    return Scene(shot.name, f"mcr-{shot.place}", part, {"mosaic": mosaic, **truths}, meta)


def _size(array: Array) -> str:
    return f"{array.shape[2]}x{array.shape[1]}"
