"""Average scores over images and rank the methods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.interface import UserError
from sfigf.tables.names import GROUPS, method_place
from sfigf.tables.scores import read_table, six_digits, to_boolean, to_number, to_whole

ALL = "all"
COLUMNS = (
    "task",
    "condition",
    "dataset",
    "metric",
    "method",
    "variant",
    "group",
    "mean",
    "seed_deviation",
    "images",
    "undefined",
    "seeds",
    "rank",
    "unit",
    "higher_is_better",
)
Run = tuple[str, str]


def summarise_scores(scores: pd.DataFrame, groups: Mapping[Run, str], metrics: Sequence[str] = ()) -> pd.DataFrame:
    """Average over images (and seeds) per condition, data set, metric and run.

    Args:
        scores: What ``read_scores`` returned.
        groups: Table group of each ``(method, variant)``, a key of ``names.GROUPS``.
        metrics: Metrics in the order wanted, the main one first; others follow by name.

    Returns:
        Rows with the columns ``COLUMNS``, in table order. Data set ``all`` pools every image, and is left out for a
        metric whose unit differs between data sets. Data sets that hold the main metric come first. ``mean`` is NaN as
        soon as one image is undefined, and ``undefined`` says how many are. ``rank`` 1 is best, 2 second best, by the
        mean at six digits; 0 where there is no mean. ``seed_deviation`` is the sample deviation of the per-seed means,
        NaN for one seed.
    """
    scores = scores.assign(origin=scores["dataset"])
    units = scores.groupby(["task", "condition", "metric"])["unit"].transform("nunique")
    pooled = pd.concat([scores[units == 1].assign(dataset=ALL), scores], ignore_index=True)
    case = ["task", "condition", "dataset", "metric"]
    rows = [
        _average(dict(zip([*case, "method", "variant"], key, strict=True)), group, groups)
        for key, group in pooled.groupby([*case, "method", "variant"])
    ]
    first = _first_metrics(rows, metrics)
    summary = pd.DataFrame(sorted(rows, key=lambda row: _place(row, metrics, first)), columns=list(COLUMNS))
    ranks = [_ranks(rows) for _, rows in summary.groupby(case, sort=False)]
    return summary.assign(rank=pd.concat(ranks))


def read_summary(path: str | Path) -> pd.DataFrame:
    """Read what ``summarise_scores`` made and ``write_table`` wrote, in its order."""
    frame = read_table(path, COLUMNS)
    for column in ("mean", "seed_deviation"):
        frame[column] = to_number(frame, column, path)
    for column in ("images", "undefined", "seeds", "rank"):
        frame[column] = to_whole(frame, column, path)
    return frame.assign(higher_is_better=to_boolean(frame, "higher_is_better", path))


def per_image(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds away: one value per task, condition, metric, data set, image and run."""
    keys = ["task", "condition", "metric", "dataset", "image", "method", "variant"]
    return scores.groupby(keys)["value"].agg(_mean).reset_index()


def main_tables(summary: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of the main metric of one task and condition: pooled, or by data set where units differ."""
    single = summary[summary["dataset"] != ALL]
    main = summary[summary["metric"] == (single if len(single) else summary)["metric"].iloc[0]]
    pooled = main[main["dataset"] == ALL]
    return [pooled] if len(pooled) else [rows for _, rows in main.groupby("dataset", sort=False)]


def _metric_place(metric: str, metrics: Sequence[str]) -> tuple[int, str]:
    return (list(metrics).index(metric) if metric in metrics else len(metrics), metric)


def _first_metrics(rows: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> dict[Any, tuple[int, str]]:
    """Place of the foremost metric of each condition and data set."""
    first: dict[Any, tuple[int, str]] = {}
    for row in rows:
        key, place = (row["task"], row["condition"], row["dataset"]), _metric_place(row["metric"], metrics)
        first[key] = min(first.get(key, place), place)
    return first


def _place(row: Mapping[str, Any], metrics: Sequence[str], first: Mapping[Any, object]) -> tuple[object, ...]:
    """Sort key of the table: condition, pooled data first, metric, then group and method."""
    return (
        row["task"],
        _natural(row["condition"]),
        (row["dataset"] != ALL, first[row["task"], row["condition"], row["dataset"]], row["dataset"]),
        _metric_place(row["metric"], metrics),
        list(GROUPS).index(row["group"]),
        method_place(row["method"], row["variant"]),
    )


def _natural(condition: str) -> tuple[int, str]:
    """By factor: x4, x8, x16; then as x4-uint8."""
    factor, _, rest = condition.partition("-")
    return (int(factor[1:]), rest) if factor[:1] == "x" and factor[1:].isdigit() else (0, condition)


def _average(row: dict[str, Any], scores: pd.DataFrame, groups: Mapping[Run, str]) -> dict[str, Any]:
    run = (row["method"], row["variant"])
    if groups.get(run) not in GROUPS:
        raise UserError(f"the kind of {'/'.join(run)} is unknown ({groups.get(run)}); give the cost file of that run")
    seeds = scores.groupby("seed")["value"].agg(_mean)
    images = scores.groupby(["origin", "image"])["value"].agg(_mean)
    return row | {
        "group": groups[run],
        "mean": six_digits(_mean(images)),
        "seed_deviation": six_digits(seeds.std(ddof=1)) if len(seeds) > 1 else math.nan,
        "images": len(images),
        "undefined": int((~images.map(math.isfinite)).sum()),
        "seeds": len(seeds),
        "rank": 0,
        "unit": scores["unit"].iloc[0],
        "higher_is_better": bool(scores["higher_is_better"].iloc[0]),
    }


def _mean(values: Iterable[float]) -> float:
    """Exactly rounded, hence independent of the order; NaN as soon as one value is not finite."""
    numbers = list(values)
    return math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else math.nan


def _ranks(rows: pd.DataFrame) -> pd.Series:
    ranks = rows["mean"].rank(method="dense", ascending=not rows["higher_is_better"].iloc[0])
    return ranks.fillna(0).astype("int64")
