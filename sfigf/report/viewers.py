"""Pictures of one image: what was given, what every method made of it, the truth, and the errors on one scale."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.figures.cases import Case, Result, gather_cases
from sfigf.figures.panels import UNKNOWN, Painter, error_map, shared_limit
from sfigf.interface import Array
from sfigf.report.folder import Folder, TaskResults
from sfigf.report.grids import data_uri
from sfigf.tables.names import dataset_label, metric_label, number_text

ERROR_COLOURS = "cividis"
LONGEST_PX = 1024
_UNITS = {"depth": "px", "pan": "digital numbers", "focus": "share of full range", "raw": "share of full range"}
_PHOTO = {"quality": 82, "method": 4}
_ERROR = {"quality": 62, "method": 4}
_DRAWN = {"lossless": True, "quality": 60, "method": 3}


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture and, where there is a truth, its error map: addresses, text alternatives, and a line below."""

    key: str
    label: str
    note: str
    alt: str
    uri: str
    size: tuple[int, int]
    error_uri: str = ""
    error_alt: str = ""
    rank: int = 0
    colour: str = ""


@dataclasses.dataclass(frozen=True)
class Scale:
    """A colour bar: CSS stops, and the values below it."""

    title: str
    stops: str
    ticks: list[str]


@dataclasses.dataclass(frozen=True)
class Viewer:
    """One image, and which two pictures are beside each other at first."""

    name: str
    title: str
    note: str
    size: tuple[int, int]
    pictures: list[Picture]
    left: str
    right: str
    scales: list[Scale]


def viewers(folder: Folder, task: TaskResults, condition: str, hardest: str = "") -> Iterator[Viewer]:
    """Yield the typical test image of every data set, then the one named ``hardest``.

    Nothing where the samples or a restored set are not there.
    """
    samples = folder.test_samples(task.name, condition)
    restored = _restored(folder, task, condition)
    if samples is None or not restored:
        return
    table, shown = [folder.results / "tables" / f"{task.name}.csv"], set[str]()
    for case in gather_cases(task.name, condition, samples, restored, table, "typical"):
        gains_least = " and the one on which SFIGF gains least" if case.sample.name == hardest else ""
        yield _viewer(case, f"of median score in it{gains_least}")
        shown.add(case.sample.name)
    if hardest and hardest not in shown:
        for case in gather_cases(task.name, condition, samples, restored, table, hardest):
            yield _viewer(case, "on which SFIGF gains least over the plainest method")


def _restored(folder: Folder, task: TaskResults, condition: str) -> dict[tuple[str, str], Path]:
    """Restored sets of the first seed of each run; empty as soon as one is missing."""
    files: dict[tuple[str, str], Path] = {}
    for method, variant, seed in task.runs(condition):
        path = folder.find("restored", task.name, condition, method, variant, f"seed{seed}.safetensors")
        if path is None:
            return {}
        files.setdefault((method, variant), path)
    return files


def _viewer(case: Case, why: str) -> Viewer:
    painter = Painter(case.task, case.sample)
    dataset = dataset_label(str(case.sample.meta.get("dataset", "")))
    has_truth = case.sample.truth is not None
    errors = [error_map(result.restored, case.sample) for result in case.results] if has_truth else []
    limit = shared_limit(errors) if errors else 1.0
    pictures = _inputs(case, painter)
    if has_truth:
        pictures.append(_plain(case, "truth", "Truth", painter.truth(), "what it should be"))
    for index, result in enumerate(case.results):
        pictures.append(_result(case, painter, result, errors[index] if errors else None, limit))
    height, width = case.results[0].restored.shape[1:]
    shown = f", shown with {LONGEST_PX} px along the longer side" if max(height, width) > LONGEST_PX else ""
    name = re.sub(r"[^\w-]+", "-", f"{case.task}-{case.condition}-{case.sample.name}")
    title = case.sample.name if case.sample.name.startswith(dataset.lower()) else f"{dataset}, {case.sample.name}"
    note = f"Data set {dataset}; the image {why}. {width}×{height} px{shown}." + (
        "" if has_truth else " It has no truth."
    )
    scales = _scales(case, painter, limit if errors else None)
    return Viewer(name, title, note, (width, height), pictures, "target", _run_key(case.results[-1]), scales)


def _inputs(case: Case, painter: Painter) -> list[Picture]:
    names = ("Input A", "Input B") if case.task == "focus" else ("Target", "Guide")
    words = ("what a method is given", "the image that guides")
    pictures = (painter.target(), painter.guide())
    keys = ("target", "guide")
    return [_plain(case, *row) for row in zip(keys, names, pictures, words, strict=True)]


def _plain(case: Case, key: str, label: str, picture: Array, words: str) -> Picture:
    drawn = case.task == "depth" and key != "guide"
    height, width = picture.shape[:2]
    alt = f"{label} of {case.sample.name}, {words}, {width} by {height} pixels"
    note = f"{width}×{height} px" if key in ("target", "guide") else ""
    return Picture(key, label, note, alt, encode(picture, drawn), (width, height))


def _result(case: Case, painter: Painter, result: Result, error: Array | None, limit: float) -> Picture:
    picture = painter.result(result.restored)
    value, rank = _value_text(case, result), _rank(case.results, result, case.higher_is_better)
    place = f", place {rank} of {len(case.results)}" if rank else ""
    alt = f"{case.sample.name} restored by {result.label}{f': {value}' if value else ''}{place}"
    height, width = picture.shape[:2]
    error_uri = error_alt = ""
    if error is not None:
        mean = number_text(float(np.nanmean(error)), _unit(case))
        share = 100 * float(np.nanmean(error > limit))
        error_alt = (
            f"Absolute error of {result.label} on {case.sample.name}: mean {mean}, "
            f"{share:.1f} % of the pixels beyond the scale's end at {limit:g}"
        )
        error_uri = encode(error_picture(error, limit), drawn=False, options=_ERROR)
    uri = encode(picture, drawn=case.task == "depth")
    return Picture(
        _run_key(result), result.label, value, alt, uri, (width, height), error_uri, error_alt, rank, result.look.colour
    )


def _run_key(result: Result) -> str:
    return f"{result.method}-{result.variant}"


def _value_text(case: Case, result: Result) -> str:
    return f"{metric_label(case.metric)} {number_text(result.value, case.unit)}" if case.metric else ""


def _rank(results: Sequence[Result], mine: Result, higher: bool) -> int:
    """Place at the four digits shown; 0 where there is no value."""
    if not math.isfinite(mine.value):
        return 0
    known = {float(f"{result.value:.6g}") for result in results if math.isfinite(result.value)}
    return sorted(known, reverse=higher).index(float(f"{mine.value:.6g}")) + 1


def error_picture(error: Array, limit: float) -> Array:
    """Picture of an error map on the scale 0 to ``limit``, safe for colour-blind readers; unknown pixels are grey."""
    import matplotlib

    colours = matplotlib.colormaps[ERROR_COLOURS](np.arange(256), bytes=True)[:, :3]
    levels = np.clip(np.nan_to_num(error) / limit, 0, 1)
    picture = colours[np.rint(255 * levels).astype(np.uint8)]
    picture[np.isnan(error)] = UNKNOWN
    return picture


def encode(picture: Array, drawn: bool, options: Mapping[str, Any] | None = None) -> str:
    """Return (H,W,3) uint8 as an address; what is drawn in colours of ours keeps every pixel."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    if max(image.size) > LONGEST_PX:
        image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "WEBP", **(options or (_DRAWN if drawn else _PHOTO)))
    return data_uri("image/webp", stream.getvalue())


def _scales(case: Case, painter: Painter, limit: float | None) -> list[Scale]:
    scales = []
    suffix = f" [{_unit(case)}]"
    if limit is not None:
        ticks = [f"{share * limit:g}" for share in (0, 0.25, 0.5, 0.75)] + [f"≥ {limit:g}"]
        scales.append(Scale(f"Absolute error{suffix}, the same for all methods", _stops(ERROR_COLOURS), ticks))
    if painter.limits is not None:
        low, high = map(float, painter.limits)
        ticks = [f"{low + share * (high - low):.3g}" for share in (0, 0.25, 0.5, 0.75, 1)]
        scales.append(Scale(f"Value{suffix}", _stops("viridis"), ticks))
    return scales


def _unit(case: Case) -> str:
    """What an error is counted in."""
    stated = case.sample.meta.get("unit") if case.task in ("depth", "pan") else None
    return str(stated or _UNITS.get(case.task, "1"))


def _stops(colours: str) -> str:
    import matplotlib
    from matplotlib.colors import to_hex

    return ", ".join(to_hex(matplotlib.colormaps[colours](share)) for share in np.linspace(0, 1, 9))
