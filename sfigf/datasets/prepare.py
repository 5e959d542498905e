"""From carrier to prepared set: ``verify`` proves the files, ``prepare`` writes the scenes."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.cards import Card, Carrier, Crop
from sfigf.datasets.members import open_members
from sfigf.files import write_text
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import lookup
from sfigf.store import write_scenes


def verify(card: Card, carrier: Carrier | None, archive: str | Path | None, output: str | Path) -> dict[str, Any]:
    """Check every member's digest, decode it, and write what was found as JSON.

    Raises:
        UserError: If a member is missing, differs, cannot be decoded or holds values that are not finite.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = open_members(card, carrier, archive, folder)
        sizes = {role: path.stat().st_size if path.is_file() else None for role, path in files.items()}
        scenes = {scene.name: _describe(scene) for scene in read_card(card, files)}
    members = {r: {"path": m.path, "sha256": m.sha256, "bytes": sizes[r]} for r, m in card.members.items()}
    origin = (
        {"carrier": carrier.file or carrier.project, "sha256": carrier.sha256} if carrier else {"carrier": "own copy"}
    )
    report = {"dataset": card.name, **origin, "members": members, "scenes": scenes}
    write_text(output, json.dumps(report, indent=1, sort_keys=True) + "\n")
    return report


def prepare(card: Card, carrier: Carrier | None, archive: str | Path | None, output: str | Path) -> None:
    """Write the scenes of a card as one prepared set; ``about`` holds licence, citation and digests.

    Raises:
        UserError: As for ``verify``.
    """
    about = card.model_dump(include={"title", "tasks", "licence", "citation", "homepage", "unit", "split", "leak"})
    digests = {role: member.sha256 for role, member in card.members.items()}
    with tempfile.TemporaryDirectory() as folder:
        scenes = read_card(card, open_members(card, carrier, archive, folder))
        write_scenes(output, scenes, {"dataset": card.name, **about, "digests": digests})


def read_card(card: Card, files: dict[str, Path]) -> Iterator[Scene]:
    """Read the files and put the card's crops, places, parts and facts on the scenes, one in memory at a time.

    Raises:
        UserError: If no reader of that name is registered, a crop leaves the picture, a scene is not what the card
            expects, or one that a split names is not there.
    """
    parts = {name: part for part, names in card.parts.items() for name in names}
    found = 0
    for whole in lookup("dataset", card.name)().read(files):
        found += 1
        if found > (card.expect.scenes or found):
            raise UserError(
                f"{card.name}: more scenes than the {card.expect.scenes} the card expects; get it as published"
            )
        _check_expected(card, whole)
        for scene in _crops(whole, card.crops) if card.crops else [whole]:
            if not card.parts:
                yield _assigned(card, scene, None)
            elif scene.name in parts:
                yield _assigned(card, scene, parts.pop(scene.name))
    if card.expect.scenes not in (None, found):
        raise UserError(f"{card.name}: {found} scenes, the card expects {card.expect.scenes}; get a whole copy")
    if parts:
        raise UserError(
            f"{card.name}: {len(parts)} scenes of the split files are not in this copy, first '{next(iter(parts))}'"
        )


def _check_expected(card: Card, scene: Scene) -> None:
    """Raise UserError unless every array has the shape and range that the card expects."""
    where = f"{scene.meta.get('file', card.name)}: scene '{scene.name}'"
    if not re.fullmatch("[a-z0-9-]+", scene.name):
        raise UserError(f"{where}: its file is not named as the publisher named it; give it its name back")
    for role, expected in card.expect.arrays.items():
        if role not in scene.arrays:
            raise UserError(f"{where} has no {role}; it has {', '.join(scene.arrays)}")
        array, shape = scene.arrays[role], expected.shape
        if shape is not None and not _fits(array.shape, shape):
            raise UserError(f"{where}: {role} is {array.shape}, the card expects {shape}; is this the right file?")
        low, high = expected.range or (-np.inf, np.inf)
        if not (low <= array.min() and array.max() <= high):
            raise UserError(
                f"{where}: {role} lies in {array.min():g}..{array.max():g}, the card expects {low:g}..{high:g}; "
                "is it in another unit?"
            )


def _fits(shape: tuple[int, ...], expected: list[int | None]) -> bool:
    return len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape, expected, strict=True))


def _assigned(card: Card, scene: Scene, part: str | None) -> Scene:
    member = card.members.get(scene.name)
    place = member.place if member else None
    part = part or (member.part if member else None)
    meta = {**scene.meta, **card.meta, "licence": card.licence}
    return dataclasses.replace(scene, place=place or scene.place, part=part or scene.part, meta=meta)


def _crops(scene: Scene, crops: list[Crop]) -> Iterator[Scene]:
    height = min(array.shape[1] for array in scene.arrays.values())
    for crop in crops:
        arrays = {role: _cut(array, crop, array.shape[1] // height) for role, array in scene.arrays.items()}
        meta = {**scene.meta, "source": scene.name, "rows": list(crop.rows), "columns": list(crop.columns)}
        yield Scene(crop.name, crop.place, crop.part, arrays, meta)


def _cut(array: Array, crop: Crop, ratio: int) -> Array:
    (top, bottom), (left, right) = ([ratio * edge for edge in span] for span in (crop.rows, crop.columns))
    if not (top < bottom <= array.shape[1] and left < right <= array.shape[2]):
        raise UserError(f"crop '{crop.name}' rows {crop.rows} columns {crop.columns} leaves {array.shape[1:]} px")
    return np.ascontiguousarray(array[:, top:bottom, left:right])


def _describe(scene: Scene) -> dict[str, Any]:
    for role, array in scene.arrays.items():
        if not np.isfinite(array).all():
            raise UserError(f"scene '{scene.name}': {role} holds values that are not finite")
    facts = {role: (list(a.shape), str(a.dtype), float(a.min()), float(a.max())) for role, a in scene.arrays.items()}
    keys = ("shape", "dtype", "min", "max")
    arrays = {role: dict(zip(keys, values, strict=True)) for role, values in facts.items()}
    return {"part": scene.part, "place": scene.place, "arrays": arrays}
