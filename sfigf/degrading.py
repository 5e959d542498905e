"""From clean scenes to samples: select parts, crop, degrade with a seed of the scene's own."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from sfigf.interface import Degradation, Sample, Scene, UserError
from sfigf.store import read_scenes


def degrade_parts(
    prepared: Mapping[str, Path], selections: Sequence[str], degradation: Degradation, draws: int, crop_px: int | None
) -> Iterator[Sample]:
    """Yield the samples of the selected parts, in order.

    Args:
        prepared: Scene files by data set name.
        selections: ``"name"`` or ``"name:part"``.
        degradation: The forward model; one with a method ``samples`` may give several for one scene.
        draws: Independent degradations of each scene.
        crop_px: Cut scenes to this many pixels a side at most, from the centre; None leaves them whole.

    Raises:
        UserError: If a data set is not prepared, a selection is empty, or the condition has no use for any of it.
    """
    made = 0
    for selection in selections:
        dataset, _, part = selection.partition(":")
        if dataset not in prepared:
            raise UserError(f"data set '{dataset}' is not among the prepared files: {', '.join(prepared)}")
        count = 0
        for scene in read_scenes(prepared[dataset]):
            if part and scene.part != part:
                continue
            count += 1
            for draw in range(draws):
                for sample in _samples_of(crop_centre(scene, crop_px), dataset, degradation, draw, draws):
                    made += 1
                    yield sample
        if not count:
            raise UserError(f"'{selection}' selects no scene of {prepared[dataset]}; check the part's name")
    if not made:
        raise UserError(f"no scene of {', '.join(selections)} is of the kind that this condition degrades")


def _samples_of(scene: Scene, dataset: str, degradation: Degradation, draw: int, draws: int) -> Iterator[Sample]:
    rng = np.random.default_rng(seed_of(f"{dataset}/{scene.name}/{draw}"))
    several = getattr(degradation, "samples", None)
    for sample in several(scene, rng) if several else [degradation(scene, rng)]:
        prefix = "" if sample.name.startswith(dataset) else f"{dataset}-"
        name = f"{prefix}{sample.name}" + (f"-draw{draw}" if draws > 1 else "")
        yield dataclasses.replace(sample, name=name, meta={**sample.meta, "dataset": dataset})


def seed_of(text: str) -> int:
    """A 64-bit seed that depends on the text alone, on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def crop_centre(scene: Scene, crop_px: int | None) -> Scene:
    """Cut the arrays of a scene to at most ``crop_px`` a side; scenes of several resolutions are left whole.

    A mosaic is cut between its quads, so that the phase of its colours stays.
    """
    sizes = {array.shape[1:] for array in scene.arrays.values()}
    if crop_px is None or len(sizes) > 1 or max(next(iter(sizes))) <= crop_px:
        return scene
    height, width = next(iter(sizes))
    quad = 2 if "mosaic" in scene.arrays else 1
    crop_px = crop_px // quad * quad
    top, left = (max(0, side - crop_px) // 2 // quad * quad for side in (height, width))
    window = np.s_[:, top : top + crop_px, left : left + crop_px]
    return dataclasses.replace(scene, arrays={role: array[window] for role, array in scene.arrays.items()})
