"""Colour photographs, and one real focus bracket.

Pictures are kept as (3,H,W) uint8, a quarter of the size of float32: value / 255 is display-referred in [0,1].
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from sfigf.datasets.decode import halve, read_rgb
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register

LONGEST_PX = 1700


def read_photo(path: str | Path) -> Array:
    """Decode a photograph to (3,H,W) uint8, halved in linear light until no side exceeds ``LONGEST_PX``.

    Halving also averages out most of the demosaicking and compression of large camera files.
    """
    picture = read_rgb(path)
    while max(picture.shape[1:]) > LONGEST_PX:
        picture = halve(picture)
    return picture


def read_photos(files: Mapping[str, Path], part: str) -> list[Scene]:
    """One scene a member, named by its role; place and part come from the card where it gives them."""
    return [Scene(role, role, part, {"rgb": read_photo(path)}, {"unit": "sRGB"}) for role, path in files.items()]


@register("dataset")
class Photos:
    """Photographs of the Machine Vision Toolbox; source: mvtb-data."""

    name: ClassVar[str] = "photos"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Any number of roles, each one 8-bit colour picture."""
        return read_photos(files, "all")


@register("dataset")
class PhotosTest:
    """Photographs of scikit-image."""

    name: ClassVar[str] = "photos-test"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Any number of roles, each one 8-bit colour picture."""
        return read_photos(files, "test")


@register("dataset")
class Bracket:
    """Two aligned frames of a real focus bracket at full size; no ground truth. Source: focusstacker.

    Not halved: at half size the blur of the far side all but vanishes. The card cuts out the part with both depths.
    """

    name: ClassVar[str] = "bracket"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Roles ``focus-a`` and ``focus-b``: two frames of one size, focused at different depths."""
        frames = {role: read_rgb(files[role]) for role in ("focus-a", "focus-b")}
        if frames["focus-a"].shape != frames["focus-b"].shape:
            raise UserError(f"bracket: frames differ in size: {[frame.shape for frame in frames.values()]}")
        return [Scene("bracket", "bracket", "test", frames, {"unit": "sRGB"})]
