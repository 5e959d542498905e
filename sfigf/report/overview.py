"""The first screen: one row per task and condition, and a sentence for each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sfigf.figures.style import look_of
from sfigf.report.folder import TaskResults
from sfigf.report.grids import Table
from sfigf.tables.names import condition_label, count_text, dataset_label, method_label, number_text, task_label
from sfigf.tables.render import Cell, metric_head
from sfigf.tables.statistics import SIGNIFICANCE
from sfigf.tables.summary import ALL, main_tables
from sfigf.tables.verdicts import OURS

_HEADS = ("Task and condition", "Metric", "Images", "Best classical", "Best learned baseline")
_VARIANTS = (("SFIGF image-only", "image-only"), ("SFIGF feature-only", "feature-only"), ("SFIGF", "full"))


@dataclasses.dataclass(frozen=True)
class Card:
    """One task and condition: SFIGF's mean, its place, where all methods stand, and the answer to the question.

    ``ladder`` holds (percent from worst to best, text, whether it is SFIGF, colour), ``duels`` (better, worse, equal or
    unknown; a sentence).
    """

    anchor: str
    title: str
    metric: str
    value: str
    place: str
    first: bool
    alt: str
    ladder: list[tuple[float, str, bool, str]]
    duels: list[tuple[str, str]]


def cards(task: TaskResults) -> list[Card]:
    """One card per condition and, where units differ, data set; none where SFIGF was not run."""
    mains = [main for condition in task.conditions for main in main_tables(task.of(condition))]
    return [_card(task, main) for main in mains if _ours(main) is not None]


def extent(tasks: Sequence[TaskResults], settings: Mapping[str, Any]) -> list[str]:
    """How large the study is."""
    conditions = sum(len(task.conditions) for task in tasks)
    methods = {method for task in tasks for method in task.summary["method"]}
    images = {(task.name, *row) for task in tasks for row in task.scores[["dataset", "image"]].itertuples(index=False)}
    seeds = settings.get("seeds") or []
    return [
        f"{len(tasks)} task{'s' * (len(tasks) != 1)}, {conditions} condition{'s' * (conditions != 1)}",
        f"{len(methods)} methods",
        f"{count_text(len(images))} nobody trained on",
        f"{len(seeds)} seed{'s' * (len(seeds) != 1)}",
        f"weights {settings.get('weights', 'n/a')}",
    ]


def headlines(tasks: Sequence[TaskResults]) -> Table:
    """One row per task, condition and, where units differ, data set: the best of each kind beside SFIGF."""
    lines = []
    for task in tasks:
        for condition in task.conditions:
            lines += [_row(main) for main in main_tables(task.of(condition))]
    heads = [*_HEADS, *(head for head, _ in _VARIANTS)]
    note = "The mean of the main metric over test images that no method has seen in training."
    return Table("overview", "SFIGF at a glance", [[Cell(head) for head in heads], *lines], note)


def highlights(tasks: Sequence[TaskResults]) -> list[str]:
    """The headline of each task: in its own words where they are there, else its place."""
    return [str(task.words["headline"]) if task.words.get("headline") else _place(task) for task in tasks]


def _place(task: TaskResults) -> str:
    phrases = []
    for condition in task.conditions:
        for main in main_tables(task.of(condition)):
            ours = main[(main["method"] == OURS[0]) & (main["variant"] == OURS[1])]
            if len(ours) and ours.iloc[0]["rank"]:
                first = ours.iloc[0]
                where = _where(main)
                phrases.append(
                    f"place {first['rank']} of {len(main)} under {where} ({count_text(int(first['images']))})"
                )
    return (
        f"**{task_label(task.name)}**: SFIGF takes {', '.join(phrases)}."
        if phrases
        else f"**{task_label(task.name)}**."
    )


def _title(main: pd.DataFrame) -> str:
    """Short: ``Depth, ×8``."""
    return f"{str(main.iloc[0]['task']).capitalize()}, {_where(main)}"


def _where(main: pd.DataFrame) -> str:
    first = main.iloc[0]
    label = condition_label(first["condition"])
    return label if first["dataset"] == ALL else f"{label}, {dataset_label(first['dataset'])}"


def _ours(main: pd.DataFrame) -> pd.Series | None:
    """SFIGF's row, or None where it was not run or has no mean."""
    mine = main[(main["method"] == OURS[0]) & (main["variant"] == OURS[1])]
    return mine.iloc[0] if len(mine) and mine.iloc[0]["rank"] else None


def _card(task: TaskResults, main: pd.DataFrame) -> Card:
    ours = _ours(main)
    assert ours is not None
    ranked = main[main["rank"] > 0].sort_values("rank", ascending=False, kind="stable")
    texts = [f"{method_label(row.method, row.variant)} {number_text(row.mean)}" for row in ranked.itertuples()]
    return Card(
        anchor=f"{task.name}-{ours['condition']}",
        title=_title(main),
        metric=metric_head(main),
        value=number_text(ours["mean"]),
        place=f"Place {ours['rank']} of {len(ranked)}, mean of {count_text(int(ours['images']))}",
        first=ours["rank"] == 1,
        alt=f"All methods from worst to best: {', '.join(texts)}",
        ladder=_ladder(ranked, texts),
        duels=[_duel(task, ours, row) for row in main.to_dict("records") if row["group"] == "ablation"],
    )


def _ladder(ranked: pd.DataFrame, texts: Sequence[str]) -> list[tuple[float, str, bool, str]]:
    """SFIGF last, so that no other mark hides it."""
    worst, best = float(ranked["mean"].iloc[0]), float(ranked["mean"].iloc[-1])
    span = (best - worst) or 1.0
    marks = [
        (
            round(100 * (row.mean - worst) / span, 1),
            text,
            (row.method, row.variant) == OURS,
            look_of(row.method, row.variant).colour,
        )
        for row, text in zip(ranked.itertuples(), texts, strict=True)
    ]
    return sorted(marks, key=lambda mark: mark[2])


def _duel(task: TaskResults, ours: pd.Series, rival: Mapping[str, Any]) -> tuple[str, str]:
    """SFIGF against one of its halves, with the interval where the statistics give one."""
    sign = 1 if ours["higher_is_better"] else -1
    gain = sign * (ours["mean"] - rival["mean"])
    if not math.isfinite(gain):
        return "unknown", f"{rival['variant']} has no mean"
    outcome = "better" if gain > 0 else "worse" if gain < 0 else "equal"
    size = f" by {number_text(abs(gain))}" if gain else ""
    words = {"better": "better than", "worse": "worse than", "equal": "equal to"}[outcome]
    return outcome, f"{words} {rival['variant']}{size}{_sure(task, ours, rival)}"


def _sure(task: TaskResults, ours: pd.Series, rival: Mapping[str, Any]) -> str:
    rows = task.statistics
    wanted = {"condition": ours["condition"], "dataset": ours["dataset"], "metric": ours["metric"], "method": OURS[0]}
    wanted |= {"variant": OURS[1], "against_method": rival["method"], "against_variant": rival["variant"]}
    found = rows[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)] if len(rows) else rows
    if found.empty or found[["low", "high"]].isna().any(axis=None):
        return ", too few images to be sure" if len(rows) else ""
    low, high = float(found.iloc[0]["low"]), float(found.iloc[0]["high"])
    p = float(found.iloc[0]["p_holm"])
    told = "p\u00a0<\u00a00.001" if p < 0.001 else f"p\u00a0=\u00a0{p:.2g}"
    return f" ({told})" if low * high > 0 and p < SIGNIFICANCE else f", which may be chance ({told})"


def _row(main: pd.DataFrame) -> list[Cell]:
    first = main.iloc[0]
    learned = ~main["group"].isin(["classical", "ablation"]) & (main["method"] != OURS[0])
    cells = [Cell(_title(main)), Cell(metric_head(main)), Cell(str(first["images"]))]
    cells += [_best(main[main["group"] == "classical"]), _best(main[learned])]
    own = main[main["method"] == OURS[0]]
    return [*cells, *(_best(own[own["variant"] == variant], named=False) for _, variant in _VARIANTS)]


def _best(rows: pd.DataFrame, named: bool = True) -> Cell:
    ranked = rows[rows["rank"] > 0]
    if ranked.empty:
        return Cell("n/a")
    row = ranked.sort_values("rank", kind="stable").iloc[0]
    spread = "" if pd.isna(row["seed_deviation"]) else f" ± {row['seed_deviation']:.2g}"
    name = f" ({method_label(row['method'], row['variant'])})" if named else ""
    return Cell(f"{number_text(row['mean'])}{spread}{name}", int(row["rank"]))
