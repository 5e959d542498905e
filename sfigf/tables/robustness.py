"""Robustness curves: read, check, and average over images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from sfigf.interface import UserError
from sfigf.robustness.curves import COLUMNS
from sfigf.tables.names import method_place
from sfigf.tables.scores import read_table, to_boolean, to_number

KEY = ["task", "condition", "perturbation", "level", "dataset", "image", "method", "variant", "seed", "metric"]
POINT = ["dataset", "perturbation", "method", "variant", "level", "nominal"]


def read_curves(paths: Iterable[str | Path], task: str | None = None) -> pd.DataFrame:
    """Read and concatenate what ``sfigf robustness`` wrote, in its order: metrics as the settings have them.

    Args:
        paths: CSV files with the columns ``sfigf.robustness.curves.COLUMNS``.
        task: If given, every row must belong to it.

    Raises:
        UserError: If a file is missing or empty, lacks a column, belongs to another task, or repeats a row.
    """
    frames = [_read_one(Path(path), task) for path in paths]
    if not frames:
        raise UserError("no robustness curves given; name at least one file")
    curves = pd.concat(frames, ignore_index=True)
    repeated = int(curves.duplicated(KEY).sum())
    if repeated:
        raise UserError(f"{repeated} rows of the robustness curves are given more than once; name each file once")
    return curves


def mean_curves(curves: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Average one metric of one condition over images and seeds.

    Returns:
        Rows with dataset, perturbation, method, variant, level, nominal, mean, images, unit, higher_is_better and
        level_unit. All data sets are pooled as ``all``, unless the metric counts in other units there. NaN where an
        image is undefined. Methods stand from plain to elaborate, levels ascend.
    """
    chosen = curves[curves["metric"] == metric]
    if chosen["unit"].nunique() == 1:
        chosen = chosen.assign(dataset="all", image=chosen["dataset"] + "/" + chosen["image"])
    facts = {column: (column, "first") for column in ("unit", "higher_is_better", "level_unit")}
    means = (
        chosen.groupby(POINT, sort=False)
        .agg(mean=("value", lambda values: values.mean(skipna=False)), images=("image", "nunique"), **facts)
        .reset_index()
    )
    places = [method_place(*run) for run in zip(means["method"], means["variant"], strict=True)]
    order = sorted(range(len(means)), key=lambda index: (places[index], means["level"][index]))
    return means.iloc[order].reset_index(drop=True)


def _read_one(path: Path, task: str | None) -> pd.DataFrame:
    frame = read_table(path, COLUMNS)[list(COLUMNS)]
    if task is not None and set(frame["task"]) != {task}:
        raise UserError(f"{path}: holds curves of {', '.join(sorted(set(frame['task'])))}, not of {task}")
    for column in ("value", "level"):
        frame[column] = to_number(frame, column, path)
    for column in ("higher_is_better", "nominal"):
        frame[column] = to_boolean(frame, column, path)
    return frame
