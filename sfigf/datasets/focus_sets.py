"""The field's multi-focus sets: two photographs of one scene, and where one exists the picture that is sharp all over.

Every scene holds ``focus-a`` and ``focus-b`` (3,H,W) uint8 (value / 255 is display-referred in [0,1]), and ``sharp``
of the same shape where the set has a truth. ``meta["file"]`` names the first picture; ``meta["grey"]`` lists the roles
whose file has no colour and is repeated to three channels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from sfigf.datasets.decode import read_display
from sfigf.datasets.listing import by_key, named
from sfigf.interface import Scene, UserError
from sfigf.registry import register

Paths = dict[str, Path]


def pair_scene(name: str, files: Paths, part: str = "all") -> Scene:
    """Read the pictures of one scene by role; its place is its name.

    Raises:
        UserError: If a picture cannot be read, or two differ in size; the file is named.
    """
    pictures = {role: read_display(path) for role, path in files.items()}
    first = next(iter(files))
    (height, width), where = pictures[first][0].shape[1:], named(files[first])
    for role, (picture, _) in pictures.items():
        if picture.shape[1:] != (height, width):
            size = f"{picture.shape[1]}x{picture.shape[2]} px, its partner {where} {height}x{width} px"
            raise UserError(f"{named(files[role])}: {size}; get the pair again, the two must agree pixel by pixel")
    meta: dict[str, Any] = {"unit": "sRGB", "file": where}
    if grey := [role for role, (_, is_grey) in pictures.items() if is_grey]:
        meta["grey"] = grey
    return Scene(name, name, part, {role: picture for role, (picture, _) in pictures.items()}, meta)


def matched(groups: Mapping[str, Paths]) -> Iterator[tuple[str, Paths]]:
    """Yield each key with its file in every group, sorted by key.

    Raises:
        UserError: If a file lacks its partner in another group; the file that is there is named.
    """
    for key in sorted(set().union(*groups.values())):
        for role, paths in groups.items():
            if key not in paths:
                there = next(paths[key] for paths in groups.values() if key in paths)
                raise UserError(f"{named(there)}: its partner '{role}' is missing; get a whole copy of the set")
        yield key, {role: paths[key] for role, paths in groups.items()}


def listed(folder: Path, pattern: str, key: Callable[[Path], str]) -> Paths:
    """The files of a folder that fit a pattern, by key."""
    return by_key(Path(folder).glob(pattern), key)


def _before_letter(path: Path) -> str:
    """``001_A.png`` is 001, ``savic_01_B.jpg`` is savic-01."""
    return re.sub("[^a-z0-9]+", "-", path.stem.rpartition("_")[0].lower()).strip("-")


def _number(path: Path) -> str:
    return path.stem.zfill(3)


@register("dataset")
class RealMff:
    """Real-MFF, 710 pairs with truth, made from light fields of a plenoptic camera; 433x625 px.

    Source: Zhang et al., Pattern Recognition Letters 138, 2020.
    """

    name: ClassVar[str] = "real-mff"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``image-a`` (NNN_A.png), ``image-b`` (NNN_B.png) and ``fusion`` (NNN_F.png)."""
        groups = {
            "focus-a": listed(files["image-a"], "*_A.png", _before_letter),
            "focus-b": listed(files["image-b"], "*_B.png", _before_letter),
            "sharp": listed(files["fusion"], "*_F.png", _before_letter),
        }
        for key, pair in matched(groups):
            yield pair_scene(f"real-mff-{key}", pair)


@register("dataset")
class MfiWhu:
    """MFI-WHU, 120 pairs with truth: sharp photographs of public sets, blurred in part.

    Source: Zhang et al., Information Fusion 66, 2021.
    """

    name: ClassVar[str] = "mfi-whu"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``source-a``, ``source-b`` and ``full-clear``, each with N.jpg."""
        roles = {"focus-a": "source-a", "focus-b": "source-b", "sharp": "full-clear"}
        groups = {role: listed(files[member], "*.jpg", _number) for role, member in roles.items()}
        for key, pair in matched(groups):
            yield pair_scene(f"mfi-whu-{key}", pair, "test")


@register("dataset")
class Lytro:
    """Lytro, 20 colour pairs of 520x520 px refocused by a light field camera; no truth.

    Source: Nejati et al., Information Fusion 25, 2015.
    """

    name: ClassVar[str] = "lytro"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Roles ``a-NN`` and ``b-NN``, one picture each."""
        groups = {
            f"focus-{letter}": {role[2:]: path for role, path in files.items() if role.startswith(f"{letter}-")}
            for letter in "ab"
        }
        for number, pair in matched(groups):
            yield pair_scene(f"lytro-{number}", pair, "test")


@register("dataset")
class Mffw:
    """MFFW, the 13 pairs in use of "multi-focus fusion in the wild": strong defocus spread; no truth.

    Source: Xu et al., arXiv 2002.04780, 2020; folders as in xingchenzhang/MFIF@b66663c.
    """

    name: ClassVar[str] = "mffw"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folder ``pairs`` with mffw_NN/mffw_NN_A.jpg and mffw_NN/mffw_NN_B.jpg."""
        yield from _pair_folders(files["pairs"], "mffw_*")


@register("dataset")
class Mfifb:
    """MFIFB, 105 pairs collected from eight sources, colour and grey, of many sizes; no truth.

    Source: Zhang, arXiv 2005.01116, 2020; folders as in xingchenzhang/MFIFB@a3cc510.
    """

    name: ClassVar[str] = "mfifb"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folder ``pairs`` with NAME/NAME_A.* and NAME/NAME_B.* (JPEG, PNG or BMP).

        The Lytro and MFFW pairs in it keep their names, so that the audit knows them again.
        """
        yield from _pair_folders(files["pairs"], "*")


def _pair_folders(folder: Path, which: str) -> Iterator[Scene]:
    groups = {f"focus-{letter.lower()}": listed(folder, f"{which}/*_{letter}.*", _before_letter) for letter in "AB"}
    for key, pair in matched(groups):
        yield pair_scene(key, pair, "test")
