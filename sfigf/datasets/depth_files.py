"""Depth maps and their colour partners as the depth literature ships them; whatever is wrong names the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.datasets.decode import read_array, read_picture, read_rgb
from sfigf.datasets.listing import by_key, named
from sfigf.interface import Array, Scene, UserError

COLOUR = "-rgb"
FARTHEST_M = 20.0
"""No indoor depth camera sees farther: larger numbers are not metres."""
_BITS = {"L": 8, "I;16": 16, "I;16L": 16, "I;16B": 16, "I": 16}


def depth_scene(name: str, rgb: str | Path, depth: Array, source: str | Path, meta: Mapping[str, Any]) -> Scene:
    """Assemble a test scene: ``rgb`` (3,H,W) uint8, ``disparity`` (1,H,W) float32, ``valid`` (1,H,W) uint8, all 1.

    Raises:
        UserError: If the two pictures differ in size, or the depth is the same everywhere.
    """
    return assembled(name, name, read_rgb(rgb), depth, f"{named(source)} and {named(rgb)}", meta)


def assembled(name: str, place: str, rgb: Array, depth: Array, source: str, meta: Mapping[str, Any]) -> Scene:
    """``depth_scene`` of decoded arrays; ``source`` says which files a complaint is about."""
    if rgb.shape[1:] != depth.shape[1:]:
        raise UserError(
            f"{source}: depth is {depth.shape[1:]} px, colour {rgb.shape[1:]} px; take both from one copy of the set"
        )
    if depth.min() == depth.max():
        raise UserError(f"{source}: depth is {depth.min():g} everywhere; the file is damaged or of another kind")
    arrays = {"rgb": rgb, "disparity": depth.astype(np.float32), "valid": np.ones(depth.shape, np.uint8)}
    return Scene(name, place, "test", arrays, dict(meta))


def read_depth_png(path: str | Path, bits: int) -> Array:
    """Decode a grey PNG of 8 or 16 bits to (1,H,W) float32 in its own numbers.

    Raises:
        UserError: If it cannot be decoded, is in colour, or has another depth of bits.
    """
    mode, values = read_picture(path)
    if _BITS.get(mode) != bits:
        kind = f"a grey picture of {_BITS[mode]} bits" if mode in _BITS else "a colour picture"
        raise UserError(f"{named(path)}: {kind}, a depth map of {bits} bits was expected; get it as published")
    return values[None].astype(np.float32)


def read_depth_npy(path: str | Path) -> Array:
    """Read an array of metres (H,W) to (1,H,W) float32.

    Raises:
        UserError: If the file is no array of two dimensions, or its numbers cannot be metres of a room.
    """
    values = read_array(path)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise UserError(
            f"{named(path)}: expected a depth map (H,W), got {values.dtype} {values.shape}; get it as published"
        )
    return checked_metres(values[None].astype(np.float32), named(path))


def checked_metres(depth: Array, source: str) -> Array:
    """Return ``depth``, sure to be metres of a filled map.

    Raises:
        UserError: If values are not finite, not positive, or too large for metres.
    """
    if not np.isfinite(depth).all() or depth.min() <= 0:
        raise UserError(f"{source}: holds values that are no distance; the filled depth is wanted, not the raw one")
    if depth.max() > FARTHEST_M:
        raise UserError(
            f"{source}: reaches {depth.max():g}, metres were expected; is it in millimetres? divide by 1000"
        )
    return depth


def pairs_by_role(files: Mapping[str, Path]) -> Iterator[tuple[str, Path, Path]]:
    """Yield name, depth and colour of cards that list every file: roles ``<scene>`` and ``<scene>-rgb``.

    Raises:
        UserError: If a partner is missing.
    """
    for role, depth in files.items():
        if not role.endswith(COLOUR):
            if role + COLOUR not in files:
                raise UserError(f"{named(depth)}: the card names no colour picture '{role}{COLOUR}' for it")
            yield role, Path(depth), Path(files[role + COLOUR])


def pairs_in_folders(
    files: Mapping[str, Path], depth_ending: str, colour_endings: Sequence[str]
) -> list[tuple[str, Path, Path]]:
    """Pair the files of the folders ``depth`` and ``rgb`` by what stands before their endings, in order of name.

    Raises:
        UserError: If a folder holds none of them, or a file has no partner.
    """
    depths, colours = _by_key(files["depth"], (depth_ending,)), _by_key(files["rgb"], colour_endings)
    for key in sorted(depths.keys() ^ colours.keys()):
        alone, other = (depths[key], colour_endings[0]) if key in depths else (colours[key], depth_ending)
        raise UserError(f"{named(alone)}: has no partner '{key}{other}'; get a whole copy")
    return [(key, depths[key], colours[key]) for key in sorted(depths)]


def _by_key(folder: Path, endings: Sequence[str]) -> dict[str, Path]:
    paths = {path: end for end in endings for path in Path(folder).glob(f"*{end}")}
    found = by_key(paths, lambda path: path.name.removesuffix(paths[path]))
    if not found:
        raise UserError(f"{folder}: holds no file '*{endings[0]}'; is this the right folder?")
    return found
