"""Measure: perturb a few test images at every level, restore them with every method, score what comes back."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.files import write_text
from sfigf.interface import Array, Sample, UserError
from sfigf.robustness.perturbations import PERTURBATIONS
from sfigf.robustness.settings import Robustness
from sfigf.store import SampleFile

COLUMNS = (
    "task", "condition", "dataset", "image", "method", "variant", "seed", "metric", "value", "unit", "higher_is_better",
    "perturbation", "level", "level_unit", "nominal",
)  # fmt: skip
Run = tuple[Mapping[str, Any], Callable[[Sample], Array]]
"""What stands in the rows of a run (task to seed), and what restores."""
Score = Callable[[Array, Sample], list[dict[str, Any]]]
_GRID_PX = 32
_LEAVE_OUT = "set `robustness: null` in the settings of this study"


def measure(
    settings: Robustness, task: str, model: Any, stored: SampleFile, runs: Sequence[Run], score: Score
) -> Iterator[dict[str, Any]]:
    """Yield one row per image, perturbation, level, run and metric.

    An image is perturbed once for all runs, with a seed that depends on its name and the perturbation alone, and
    restored once as it is: those scores are the nominal ones of every perturbation.

    Args:
        settings: What to perturb.
        task: The task, and
        model: the forward model of the condition.
        stored: The test samples.
        runs: Methods with their facts.
        score: Scores of one restored image, a mapping for each metric.

    Raises:
        UserError: If the task has no perturbation, no test image has a truth, or none can be perturbed.
    """
    chosen = settings.of(task)
    if not chosen:
        raise UserError(f"robustness: none of {', '.join(settings.perturbations)} is for {task}; leave the task out")
    measured = 0
    for index in images(stored, settings.images):
        sample = stored[index]
        for here, found in _levels(sample, chosen, settings.crop_px, model, runs, score):
            for (facts, _), rows in zip(runs, found, strict=True):
                measured += 1
                yield from ({**facts, **here, **row} for row in rows)
    if not measured:
        raise UserError(f"{stored.records.path}: too little is known of these images to perturb them; {_LEAVE_OUT}")


def _levels(
    sample: Sample,
    chosen: Mapping[str, Sequence[float]],
    crop_px: int | None,
    model: Any,
    runs: Sequence[Run],
    score: Score,
) -> Iterator[tuple[dict[str, Any], list[list[dict[str, Any]]]]]:
    """Yield what stands in the rows of one image at each level, and the scores of every run."""
    window = middle(sample, crop_px)

    def scores_of(shown: Sample) -> list[list[dict[str, Any]]]:
        part = cut(shown, window)
        return [score(restore(part), part) for _, restore in runs]

    ordinary = scores_of(sample)
    for name, levels in chosen.items():
        perturbation = PERTURBATIONS[name]
        if not perturbation.fits(sample):
            continue
        nominal = perturbation.nominal(sample)
        for level in sorted({*levels, nominal}):
            here = {"dataset": sample.meta.get("dataset", ""), "image": sample.name, "perturbation": name}
            here |= {"level": level, "level_unit": perturbation.unit, "nominal": level == nominal}
            if level == nominal:
                yield here, ordinary
            else:
                yield here, scores_of(perturbation.apply(sample, level, seeded(name, sample.name), model))


def images(stored: SampleFile, most: int) -> list[int]:
    """Indices of at most so many samples with a truth from each data set, evenly chosen.

    Raises:
        UserError: If no sample has a truth.
    """
    by_dataset: dict[str, list[int]] = {}
    for index in range(len(stored)):
        if "truth" in stored.records.fields(index):
            by_dataset.setdefault(stored.records.facts(index)["meta"].get("dataset", ""), []).append(index)
    if not by_dataset:
        raise UserError(
            f"{stored.records.path}: no image has a truth, so nothing says what a perturbation costs; {_LEAVE_OUT}"
        )
    return [index for group in by_dataset.values() for index in _evenly(group, most)]


def _evenly(group: Sequence[int], most: int) -> list[int]:
    count = min(most, len(group))
    return [group[(2 * place + 1) * len(group) // (2 * count)] for place in range(count)]


def middle(sample: Sample, crop_px: int | None) -> tuple[slice, slice]:
    """The window in the middle of a truth, on a grid on which the coarse pixels of every task fall."""
    assert sample.truth is not None
    sides = sample.truth.shape[1:]
    crop = max(sides) if crop_px is None else crop_px // _GRID_PX * _GRID_PX
    first = [max(0, side - crop) // 2 // _GRID_PX * _GRID_PX for side in sides]
    return slice(first[0], first[0] + crop), slice(first[1], first[1] + crop)


def cut(sample: Sample, window: tuple[slice, slice]) -> Sample:
    """The window of every array, given in pixels of the truth."""
    assert sample.truth is not None
    height, width = sample.truth.shape[1:]
    if all(part.start == 0 and part.stop >= side for part, side in zip(window, (height, width), strict=True)):
        return sample
    arrays = {role: getattr(sample, role) for role in ("target", "guide", "truth", "valid", "coarse", "mono")}
    parts: dict[str, Any] = {
        role: np.ascontiguousarray(array[:, _scaled(window[0], array, 1, height), _scaled(window[1], array, 2, width)])
        for role, array in arrays.items()
        if array is not None
    }
    return dataclasses.replace(sample, **parts)


def _scaled(part: slice, array: Array, axis: int, side: int) -> slice:
    """A span of the truth on the grid of another array."""
    return slice(*(min(place, side) * array.shape[axis] // side for place in (part.start, part.stop)))


def seeded(perturbation: str, image: str) -> np.random.Generator:
    """The generator of one perturbation of one image: the same for every level, method and machine."""
    return np.random.default_rng(list(f"{perturbation}/{image}".encode()))


def write_curves(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows as CSV, values to ten significant digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "value": f"{row['value']:.10g}", "level": f"{row['level']:g}"} for row in rows)
    write_text(path, text.getvalue())
