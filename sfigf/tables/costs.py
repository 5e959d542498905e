"""What a method costs: counted numbers in one table, measured times in another, for times never repeat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.interface import UserError
from sfigf.small_files import is_no_plain_file
from sfigf.tables.names import group_of
from sfigf.tables.scores import read_table, to_number

RUN = ["task", "condition", "method", "variant"]
COUNTED = ("parameters", "multiply_adds_per_megapixel", "train_steps")
MEASURED = ("seconds_per_megapixel", "train_seconds")
COST_COLUMNS = (*RUN, "kind", *COUNTED)
TIMING_COLUMNS = (*RUN, "seed", *MEASURED, "device", "threads")
_KEYS = tuple(dict.fromkeys((*COST_COLUMNS, *TIMING_COLUMNS)))
_OPTIONAL = ("train_steps", "train_seconds")


def read_costs(paths: Iterable[str | Path], task: str | None = None) -> pd.DataFrame:
    """Read cost files, one JSON object per run, into one frame sorted by run and seed.

    Raises:
        UserError: If a file is missing, no JSON object, lacks a key, holds a cost that is no number, belongs to another
            task, or repeats a run.
    """
    rows = [_read_one(Path(path), task) for path in paths]
    if not rows:
        raise UserError("no cost file given; name at least one")
    costs = pd.DataFrame(rows).sort_values([*RUN, "seed"], kind="stable").reset_index(drop=True)
    repeated = costs[costs.duplicated([*RUN, "seed"])]
    if len(repeated):
        raise UserError(f"the costs of {_name(repeated.iloc[0].to_dict())} are given twice; name a file once")
    return costs


def groups_of(costs: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the table group of each ``(method, variant)``."""
    runs = zip(costs["method"], costs["variant"], costs["kind"], strict=True)
    return {(method, variant): group_of(kind, variant) for method, variant, kind in runs}


def counted_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method and variant with everything that is counted, equal in every repetition.

    Raises:
        UserError: If two seeds of one run disagree about a count.
    """
    counted = costs[list(COST_COLUMNS)].drop_duplicates()
    torn = counted[counted.duplicated(RUN)]
    if len(torn):
        raise UserError(f"the seeds of {_name(torn.iloc[0].to_dict())} disagree about its costs; run them all again")
    return counted.reset_index(drop=True)


def measured_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run with its times and where they were taken."""
    return costs[list(TIMING_COLUMNS)]


def read_counted(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read cost tables written from ``counted_costs``."""
    return pd.concat([_read_back(path, COST_COLUMNS, COUNTED) for path in paths], ignore_index=True)


def read_measured(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read timing tables written from ``measured_costs``."""
    return pd.concat([_read_back(path, TIMING_COLUMNS, MEASURED) for path in paths], ignore_index=True)


def _read_back(path: str | Path, columns: Iterable[str], numbers: Iterable[str]) -> pd.DataFrame:
    frame = read_table(path, columns)
    return frame.assign(**{column: to_number(frame, column, path) for column in numbers})


def _read_one(path: Path, task: str | None) -> dict[str, Any]:
    try:
        if is_no_plain_file(path):
            raise OSError("not a plain file")
        cost = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; restore the set again") from error
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(f"{path}: not a readable cost file ({error}); restore the set again") from error
    if not isinstance(cost, dict):
        raise UserError(f"{path}: holds no JSON object; restore the set again")
    cost = dict.fromkeys(_OPTIONAL) | cost
    missing = [key for key in _KEYS if key not in cost]
    if missing:
        raise UserError(f"{path}: lacks {', '.join(missing)}; restore the set again")
    odd = [key for key in (*RUN, "kind", "device") if not isinstance(cost[key], str)]
    if odd or not isinstance(cost["seed"], int):
        raise UserError(f"{path}: {(odd or ['seed'])[0]} is of another kind; restore the set again")
    if task is not None and cost["task"] != task:
        raise UserError(f"{path}: holds costs of task {cost['task']}, not of {task}")
    return {key: cost[key] for key in _KEYS} | _numbers(path, cost)


def _numbers(path: Path, cost: Mapping[str, Any]) -> dict[str, float]:
    """Counts and times as floats; what does not apply (null) is NaN."""
    try:
        return {key: float("nan" if cost[key] is None else cost[key]) for key in (*COUNTED, *MEASURED)}
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path}: a cost is no number ({error}); restore the set again") from error


def _name(row: Mapping[str, Any]) -> str:
    return "/".join(str(row[column]) for column in RUN)
