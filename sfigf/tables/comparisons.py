"""Every comparison of a task as one row: SFIGF against each other run, and its ablations among each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.interface import UserError
from sfigf.tables.scores import read_table, to_boolean, to_number, to_whole
from sfigf.tables.sentences import sentence
from sfigf.tables.statistics import holm, paired_difference
from sfigf.tables.summary import ALL, Run, per_image
from sfigf.tables.verdicts import OURS

COLUMNS = (
    "task",
    "condition",
    "dataset",
    "metric",
    "unit",
    "higher_is_better",
    "method",
    "variant",
    "against_method",
    "against_variant",
    "images",
    "seeds",
    "mean_difference",
    "low",
    "high",
    "p",
    "p_holm",
    "better_images",
    "sentence",
)
_CASE = ["condition", "dataset", "metric"]
_FACTS = ["task", *_CASE, "unit", "higher_is_better"]
_NUMBERS = ("mean_difference", "low", "high", "p", "p_holm")
_COUNTS = ("images", "seeds", "better_images")
Case = tuple[str, str, str]


def compare_methods(scores: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Compare the runs of a task pairwise, per condition, data set and metric, in the order of the summary.

    Args:
        scores: What ``read_scores`` returned for one task; the seeds of a run are averaged on each image first.
        summary: What ``summarise_scores`` returned for them.

    Returns:
        Rows with the columns ``COLUMNS``. ``mean_difference`` is positive where ``method`` is better than
        ``against_method``, whatever the direction of the metric. Only the main metric of a data set is tested: its
        ``p_holm`` is corrected over all comparisons of one condition and metric; of other metrics ``p`` is NaN.
        ``seeds`` is the smaller number of the two runs, classical ones left out. No row where SFIGF was not run.

    Raises:
        UserError: If scores and summary are not of the same runs.
    """
    values, tested = per_image(scores), _tested(summary)
    rows: list[dict[str, Any]] = []
    for case, means in summary.groupby(_CASE, sort=False):
        rows += _compare(means, _images(values, case), case in tested)
    _correct(rows, {case: list(names) for case, names in _datasets(summary).items()})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_statistics(path: str | Path) -> pd.DataFrame:
    """Read what ``compare_methods`` made and ``write_table`` wrote; without SFIGF there are no rows."""
    if Path(path).is_file() and Path(path).read_text(encoding="utf-8", errors="replace").strip() == ",".join(COLUMNS):
        return pd.DataFrame(columns=list(COLUMNS))
    frame = read_table(path, COLUMNS)
    frame = frame.assign(**{column: to_number(frame, column, path) for column in _NUMBERS})
    frame = frame.assign(**{column: to_whole(frame, column, path) for column in _COUNTS})
    return frame.assign(higher_is_better=to_boolean(frame, "higher_is_better", path))


def main_cases(summary: pd.DataFrame) -> list[Case]:
    """Return what speaks for a task, as ``(condition, dataset, metric)``, in the order of the summary.

    Per condition its main metric over all images, or by data set where units differ; then each data set that does not
    hold that metric, by its own foremost one.
    """
    cases = []
    for condition, rows in summary.groupby("condition", sort=False):
        first = _first_metrics(rows)
        foremost = next(iter(first.values()))
        pooled = ((rows["dataset"] == ALL) & (rows["metric"] == foremost)).any()
        cases += [(condition, ALL, foremost)] if pooled else []
        cases += [(condition, name, metric) for name, metric in first.items() if not pooled or metric != foremost]
    return cases


def _tested(summary: pd.DataFrame) -> set[Case]:
    """The cases of words, and the main metric of every data set."""
    single = {
        (str(condition), *first)
        for condition, rows in summary.groupby("condition")
        for first in _first_metrics(rows).items()
    }
    return single | set(main_cases(summary))


def _first_metrics(rows: pd.DataFrame) -> dict[str, str]:
    """The foremost metric of each single data set of one condition."""
    return rows[rows["dataset"] != ALL].groupby("dataset", sort=False)["metric"].first().to_dict()


def _datasets(summary: pd.DataFrame) -> dict[tuple[str, str], Sequence[str]]:
    """The data sets that hold a metric, by condition and metric."""
    return summary[summary["dataset"] != ALL].groupby(["condition", "metric"])["dataset"].unique().to_dict()


def _images(values: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Images by runs."""
    condition, dataset, metric = case
    chosen = (values["condition"] == condition) & (values["metric"] == metric)
    chosen &= (values["dataset"] == dataset) | (dataset == ALL)
    return values[chosen].pivot(index=["dataset", "image"], columns=["method", "variant"], values="value")


def _pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """SFIGF against each other run, then its ablations among each other."""
    if OURS not in runs:
        return []
    ablations = [run for run in runs if run[0] == OURS[0] and run != OURS]
    return [(OURS, run) for run in runs if run != OURS] + list(itertools.combinations(ablations, 2))


def _compare(means: pd.DataFrame, images: pd.DataFrame, tested: bool) -> Iterable[dict[str, Any]]:
    """Rows of one condition, data set and metric, not yet corrected; with the rival's mean beside."""
    by_run = {(row["method"], row["variant"]): row for row in means.to_dict("records")}
    absent = [run for run in by_run if run not in images.columns]
    if absent:
        raise UserError(f"the scores lack {'/'.join(absent[0])}, which the summary holds; tabulate the task again")
    facts = means.iloc[0][_FACTS].to_dict()
    sign = 1 if facts["higher_is_better"] else -1
    for one, other in _pairs(list(by_run)):
        found = paired_difference((sign * (images[one] - images[other])).tolist())
        trained = [by_run[run]["seeds"] for run in (one, other) if by_run[run]["group"] != "classical"]
        yield facts | {
            "method": one[0],
            "variant": one[1],
            "against_method": other[0],
            "against_variant": other[1],
            "against_mean": by_run[other]["mean"],
            "images": found.images,
            "seeds": min(trained),
            "mean_difference": found.mean,
            "low": found.low,
            "high": found.high,
            "p": found.p if tested else math.nan,
            "better_images": found.better_images,
        }


def _correct(rows: list[dict[str, Any]], datasets: dict[tuple[str, str], list[str]]) -> None:
    """Add ``p_holm`` and the sentence. Over a single data set, ``all`` asks the same questions, which count once."""
    families: dict[tuple[str, str], dict[tuple[str, ...], float]] = {}
    for row in rows:
        families.setdefault((row["condition"], row["metric"]), {})[_question(row, datasets)] = row["p"]
    for family in families.values():
        family.update(zip(family, holm(list(family.values())), strict=True))
    for row in rows:
        names = datasets[row["condition"], row["metric"]]
        row["p_holm"] = families[row["condition"], row["metric"]][_question(row, datasets)]
        row["sentence"] = sentence(row, row["against_mean"], names)


def _question(row: dict[str, Any], datasets: dict[tuple[str, str], list[str]]) -> tuple[str, ...]:
    """What a row asks."""
    names = datasets[row["condition"], row["metric"]]
    dataset = names[0] if len(names) == 1 else row["dataset"]
    return (dataset, row["method"], row["variant"], row["against_method"], row["against_variant"])
