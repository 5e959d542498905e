"""The main comparisons of a task as LaTeX tables."""

from __future__ import annotations

import math

import pandas as pd

from sfigf.tables.comparisons import main_cases
from sfigf.tables.names import condition_label, dataset_label, method_label, metric_label, task_label
from sfigf.tables.render import Cell, latex_table
from sfigf.tables.sentences import outcome
from sfigf.tables.summary import ALL

_HEADS = ("Method", "Against", "Gain", "95 % interval", "Better on", "p", "p (Holm)")


def latex_statistics(task: str, statistics: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Return booktabs tables of what ``compare_methods`` returned, one for each case that speaks for the task."""
    tables = []
    for condition, dataset, metric in main_cases(summary):
        chosen = (statistics["condition"] == condition) & (statistics["dataset"] == dataset)
        rows = statistics[chosen & (statistics["metric"] == metric)]
        if len(rows):
            where = condition_label(condition) + (f", {dataset_label(dataset)}" if dataset != ALL else "")
            named = metric_label(metric, rows["unit"].iloc[0])
            caption = f"{task_label(task)}, {where}: mean gain in {named}, positive where the method is better; "
            grid = [[Cell(head) for head in _HEADS], *map(_line, rows.to_dict("records"))]
            tables.append(latex_table(grid, caption + "what interval and test decide is bold."))
    return "\n".join(tables)


def _line(row: dict) -> list[Cell]:
    names = [method_label(row["method"], row["variant"]), method_label(row["against_method"], row["against_variant"])]
    interval = "n/a" if math.isnan(row["low"]) else f"{_signed(row['low'])} to {_signed(row['high'])}"
    texts = [interval, f"{row['better_images']}/{row['images']}", _probability(row["p"]), _probability(row["p_holm"])]
    decided = int(outcome(row) in ("better", "worse"))
    return [*map(Cell, names), Cell(_signed(row["mean_difference"]), decided), *map(Cell, texts)]


def _signed(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:+.3g}"


def _probability(p: float) -> str:
    return "n/a" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.2g}"
