"""From carrier to prepared set: ``verify`` proves the files, ``prepare`` writes the scenes."""

from __future__ import annotations

import dataclasses
import json
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


def verify(card: Card, carrier: Carrier, archive: str | Path | None, output: str | Path) -> dict[str, Any]:
    """Check every member's digest, decode it, and write what was found as JSON.

    Raises:
        UserError: If a member is missing, differs, cannot be decoded or holds values that are not finite.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = open_members(card, carrier, archive, folder)
        sizes = {role: path.stat().st_size for role, path in files.items()}
        scenes = {scene.name: _describe(scene) for scene in read_card(card, files)}
    members = {r: {"path": m.path, "sha256": m.sha256, "bytes": sizes[r]} for r, m in card.members.items()}
    origin = {"dataset": card.name, "carrier": carrier.file or carrier.project, "sha256": carrier.sha256}
    report = {**origin, "members": members, "scenes": scenes}
    write_text(output, json.dumps(report, indent=1, sort_keys=True) + "\n")
    return report


def prepare(card: Card, carrier: Carrier, archive: str | Path | None, output: str | Path) -> None:
    """Write the scenes of a card as one prepared set; ``about`` holds licence, citation and digests.

    Raises:
        UserError: As for ``verify``.
    """
    with tempfile.TemporaryDirectory() as folder:
        scenes = read_card(card, open_members(card, carrier, archive, folder))
    about = card.model_dump(include={"title", "tasks", "licence", "citation", "homepage", "unit", "split"})
    digests = {role: member.sha256 for role, member in card.members.items()}
    write_scenes(output, scenes, {"dataset": card.name, **about, "digests": digests})


def read_card(card: Card, files: dict[str, Path]) -> list[Scene]:
    """Read the files and put the card's crops, places, parts and facts on the scenes.

    Raises:
        UserError: If no reader of that name is registered, or a crop leaves the picture.
    """
    scenes = lookup("dataset", card.name)().read(files)
    scenes = [cut for scene in scenes for cut in _crops(scene, card.crops)] if card.crops else scenes
    return [_assigned(card, scene) for scene in scenes]


def _assigned(card: Card, scene: Scene) -> Scene:
    member = card.members.get(scene.name)
    place, part = (member.place, member.part) if member else (None, None)
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
