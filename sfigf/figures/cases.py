"""Gather what a picture of one image needs: the sample, what every method made of it, and how it scored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sfigf.figures.style import Look, look_of
from sfigf.interface import Array, Sample, UserError
from sfigf.registry import nearest
from sfigf.store import RecordFile, SampleFile
from sfigf.tables.names import method_label, method_place, split_run
from sfigf.tables.scores import read_scores

_PREFERRED = ("rmse", "ergas", "psnr", "qnr", "q-abf")


@dataclasses.dataclass(frozen=True)
class Result:
    """What one method made of one image; ``value`` is NaN where there is no score."""

    method: str
    variant: str
    restored: Array
    value: float = float("nan")

    @property
    def label(self) -> str:
        """Name on paper."""
        return method_label(self.method, self.variant)

    @property
    def look(self) -> Look:
        """Colour and marker."""
        return look_of(self.method, self.variant)


@dataclasses.dataclass(frozen=True)
class Case:
    """One image of one task and condition, restored by several methods, and the metric they are held against."""

    task: str
    condition: str
    sample: Sample
    results: Sequence[Result]
    metric: str = ""
    unit: str = ""
    higher_is_better: bool = False


def parse_named_files(texts: Iterable[str]) -> dict[tuple[str, str], Path]:
    """Read ``METHOD[/VARIANT]=FILE`` texts, sorted from plain to elaborate methods.

    Raises:
        UserError: If a text has another form, or a run is named twice.
    """
    files: dict[tuple[str, str], Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserError(f"'{text}' is not METHOD[/VARIANT]=FILE, for example sfigf/image-only=restored.safetensors")
        run = split_run(name)
        if run in files:
            raise UserError(f"'{name}' is given twice; name each run once")
        files[run] = Path(path)
    if not files:
        raise UserError("no METHOD=FILE given; name at least one")
    return dict(sorted(files.items(), key=lambda item: method_place(*item[0])))


def gather_cases(
    task: str,
    condition: str,
    samples: str | Path,
    restored: Mapping[tuple[str, str], Path],
    scores: Sequence[str | Path] = (),
    image: str = "all",
) -> list[Case]:
    """Return the cases of one named image, of the ``typical`` ones, or of ``all`` images.

    ``typical`` takes from every data set the image on which the last method has its median value, so that nobody picks;
    images without a truth count as a data set of their own. Without scores it takes the first image of each.

    Raises:
        UserError: If a file is unreadable, an image is unknown or a restored set lacks it, or the shapes differ.
    """
    stored = SampleFile(samples)
    files = {run: RecordFile(path) for run, path in restored.items()}
    rows = read_scores(scores, task) if scores else None
    if rows is not None:
        rows = rows[rows["condition"] == condition]
    return [
        _case(task, condition, stored[index], files, rows)
        for index in _chosen(stored.records, image, rows, list(restored)[-1])
    ]


def _chosen(stored: RecordFile, image: str, rows: pd.DataFrame | None, run: tuple[str, str]) -> list[int]:
    if image == "all":
        return list(range(len(stored)))
    if image == "typical":
        return _typical(stored, rows, run)
    if image not in stored.names:
        raise UserError(f"no image '{image}'{nearest(image, stored.names)}; there are {', '.join(stored.names)}")
    return [stored.names.index(image)]


def _typical(stored: RecordFile, rows: pd.DataFrame | None, run: tuple[str, str]) -> list[int]:
    groups: dict[tuple[str, bool], list[tuple[float, int]]] = {}
    for index, name in enumerate(stored.names):
        kind = (stored.facts(index)["meta"].get("dataset", ""), "truth" in stored.fields(index))
        groups.setdefault(kind, []).append((_value(rows, name, run), index))
    return sorted(sorted(group)[(len(group) - 1) // 2 if rows is not None else 0][1] for group in groups.values())


def _value(rows: pd.DataFrame | None, image: str, run: tuple[str, str]) -> float:
    """Main metric of a run on an image; infinite where there is none, so that it is never the median of several."""
    if rows is None:
        return 0.0
    mine = rows[(rows["image"] == image) & (rows["method"] == run[0]) & (rows["variant"] == run[1])]
    values = mine[mine["metric"] == _metric_of(mine)]["value"] if len(mine) else mine["value"]
    return float(values.mean()) if len(values) and np.isfinite(values.mean()) else float("inf")


def _metric_of(rows: pd.DataFrame) -> str:
    known = sorted(set(rows["metric"]))
    return next((metric for metric in _PREFERRED if metric in known), known[0])


def _case(
    task: str,
    condition: str,
    sample: Sample,
    files: Mapping[tuple[str, str], RecordFile],
    rows: pd.DataFrame | None,
) -> Case:
    mine = rows[rows["image"] == sample.name] if rows is not None else pd.DataFrame()
    if mine.empty:
        return Case(task, condition, sample, [Result(*run, _restored(file, sample)) for run, file in files.items()])
    metric = _metric_of(mine)
    mine = mine[mine["metric"] == metric].sort_values("seed", kind="stable").drop_duplicates(["method", "variant"])
    values = {(row.method, row.variant): row.value for row in mine.itertuples()}
    results = [Result(*run, _restored(file, sample), values.get(run, float("nan"))) for run, file in files.items()]
    first = mine.iloc[0]
    return Case(task, condition, sample, results, metric, first["unit"], bool(first["higher_is_better"]))


def _restored(file: RecordFile, sample: Sample) -> Array:
    if sample.name not in file.names:
        raise UserError(f"{file.path}: holds no '{sample.name}'; restore the set again")
    restored = file.array(file.names.index(sample.name), "restored")
    if sample.truth is not None and restored.shape != sample.truth.shape:
        raise UserError(f"{file.path}: '{sample.name}' is {restored.shape}, its truth {sample.truth.shape}")
    return restored
