"""Read score files, refuse what is not whole, write numbers that never change their bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from sfigf.files import write_text
from sfigf.interface import UserError
from sfigf.protocols.selftest import Mean
from sfigf.small_files import is_no_plain_file

COLUMNS = (
    "task",
    "condition",
    "dataset",
    "image",
    "method",
    "variant",
    "seed",
    "metric",
    "value",
    "unit",
    "higher_is_better",
)
KEY = list(COLUMNS[:8])
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_scores(paths: Iterable[str | Path], task: str | None = None) -> pd.DataFrame:
    """Read, check and concatenate score files into one sorted frame with the columns ``COLUMNS``.

    Args:
        paths: CSV files, one row per image, run and metric.
        task: If given, every row must belong to it.

    Raises:
        UserError: If a file is missing or empty, lacks a column, holds a value that is no number, repeats a row, mixes
            tasks, or if the rows of one metric disagree about direction, or about the unit within a data set.
    """
    frames = [_read_one(Path(path), task) for path in paths]
    if not frames:
        raise UserError("no score file given; name at least one")
    scores = pd.concat(frames, ignore_index=True)
    _refuse_duplicates(scores)
    _refuse_disagreement(scores)
    _refuse_gaps(scores)
    return scores.drop(columns="file").sort_values(KEY, kind="stable").reset_index(drop=True)


def read_table(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read a CSV file as text and check that it has rows and the columns asked for."""
    try:
        if is_no_plain_file(path):
            raise OSError("not a plain file")
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the rule that makes it") from error
    except (ValueError, OverflowError, OSError) as error:  # of pandas, of a code, of the disk
        raise UserError(f"{path}: not a readable table ({error}); remove it and run again") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: lacks the column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    if frame.empty:
        raise UserError(f"{path}: has a header and no row; remove it and score again")
    return frame


def to_number(frame: pd.DataFrame, column: str, path: str | Path) -> pd.Series:
    """Return a text column as float64; an empty cell is NaN."""
    text = frame[column].replace("", "nan")
    try:
        return text.astype("float64")
    except ValueError as error:
        raise UserError(f"{path}: column {column} holds something that is no number ({error})") from error


def to_whole(frame: pd.DataFrame, column: str, path: str | Path) -> pd.Series:
    """Return a text column as int64."""
    numbers = to_number(frame, column, path)
    if not (numbers.abs() < 2**53).all() or (numbers % 1 != 0).any():
        raise UserError(f"{path}: column {column} must hold whole numbers; make the table again")
    return numbers.astype("int64")


def to_boolean(frame: pd.DataFrame, column: str, path: str | Path) -> pd.Series:
    """Return a text column of true and false as bool."""
    values = frame[column].str.lower().map(_BOOLEANS)
    if values.isna().any():
        raise UserError(f"{path}: column {column} must be true or false; got {sorted(set(frame[column]))}")
    return values.astype(bool)


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a CSV file atomically: six significant digits, whole numbers in full, ``nan``, ``true`` and ``false``."""
    columns = {name: [_cell(value) for value in frame[name]] for name in frame.columns}
    write_text(path, pd.DataFrame(columns, columns=frame.columns).to_csv(index=False, lineterminator="\n"))


def image_means(scores: pd.DataFrame) -> dict[tuple[str, str, str, str], Mean]:
    """Average full variants over seeds and images, by data set, condition, method and metric, at full precision."""
    full = scores[scores["variant"] == "full"]
    by_image = full.groupby(["dataset", "condition", "method", "metric", "image"])["value"].mean()
    groups = by_image.groupby(level=[0, 1, 2, 3])
    return {key: Mean(math.fsum(values) / len(values), len(values)) for key, values in groups}  # type: ignore[misc]


def six_digits(value: float) -> float:
    """Round to the six significant digits that tables keep."""
    return float(f"{value:.6g}")


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        value = float(value)
        if not math.isfinite(value):
            return str(value)
        return f"{value:.0f}" if abs(value) < 1e15 and value == round(value) else f"{value:.6g}"
    return str(value)


def _read_one(path: Path, task: str | None) -> pd.DataFrame:
    frame = read_table(path, COLUMNS)[list(COLUMNS)]
    if task is not None and set(frame["task"]) != {task}:
        raise UserError(f"{path}: holds scores of task {', '.join(sorted(set(frame['task'])))}, not of {task}")
    frame["value"] = to_number(frame, "value", path)
    frame["higher_is_better"] = to_boolean(frame, "higher_is_better", path)
    if not frame["seed"].str.fullmatch(r"\d+").all():
        raise UserError(f"{path}: column seed must hold whole numbers; got {sorted(set(frame['seed']))}")
    return frame.assign(seed=to_whole(frame, "seed", path), file=str(path))


def _refuse_duplicates(scores: pd.DataFrame) -> None:
    repeated = scores[scores.duplicated(KEY, keep=False)]
    if len(repeated):
        row = repeated.iloc[0]
        where = ", ".join(f"{column} {row[column]}" for column in KEY)
        files = " and ".join(dict.fromkeys(repeated[(repeated[KEY] == row[KEY]).all(axis=1)]["file"]))
        raise UserError(f"{len(repeated)} rows are given more than once, first {where} in {files}; name a file once")


def _refuse_disagreement(scores: pd.DataFrame) -> None:
    """Units may differ between data sets (levels here, centimetres there), never within one."""
    for column, group in (("unit", ["task", "metric", "dataset"]), ("higher_is_better", ["task", "metric"])):
        for key, rows in scores.groupby(group):
            values = sorted(map(str, set(rows[column])))
            if len(values) > 1:
                raise UserError(
                    f"{' '.join(key)}: files disagree about {column} ({', '.join(values)}); score all again"
                )


def _refuse_gaps(scores: pd.DataFrame) -> None:
    """A mean over other images is another number, so every run must hold every image its condition knows."""
    run, case = ["method", "variant", "seed"], ["dataset", "image", "metric"]
    for (task, condition), rows in scores.groupby(["task", "condition"]):
        counts = rows.groupby(run)["value"].size()
        whole = len(rows[case].drop_duplicates())
        if (counts != whole).any():
            name, count = "/".join(map(str, counts.idxmin())), counts.min()
            raise UserError(
                f"{task} {condition}: {name} has {count} of {whole} image and metric pairs; score all runs alike"
            )
