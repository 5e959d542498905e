"""Grids of methods by metrics or images, written as Markdown or LaTeX: best bold, second best underlined."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from sfigf.tables.names import (
    GROUPS,
    condition_label,
    dataset_label,
    method_label,
    metric_label,
    number_text,
    task_label,
)
from sfigf.tables.summary import ALL

MANY = 12


@dataclasses.dataclass(frozen=True)
class Cell:
    """Text and place: 1 best, 2 second best, anything else plain."""

    text: str
    rank: int = 0


Grid = list[list[Cell]]


def latex_page(task: str, summary: pd.DataFrame, counted: pd.DataFrame) -> str:
    """Return booktabs tables (packages ``booktabs`` and ``ulem``), per condition all images first, then data sets."""
    tables = []
    for condition, rows in summary.groupby("condition", sort=False):
        for dataset, means in mean_tables(rows):
            where = f", {dataset_label(dataset)}" if dataset != ALL else ""
            caption = (
                f"{task_label(task)}, {condition_label(str(condition))}{where}: best bold, second best underlined."
            )
            tables.append(latex_table(mean_grid(means, counted), caption))
    return "\n".join(tables)


def mean_tables(summary: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of one condition by data set: the pooled ones first, then single sets where there are several."""
    tables = [(str(dataset), rows) for dataset, rows in summary.groupby("dataset", sort=False)]
    return tables[:1] if len(tables) == 2 and tables[0][0] == ALL else tables


def mean_grid(summary: pd.DataFrame, counted: pd.DataFrame | None = None) -> Grid:
    """Methods by metrics of one condition and data set, then parameters and multiply-adds where they are given."""
    metrics = list(dict.fromkeys(summary["metric"]))
    heads = [metric_head(summary[summary["metric"] == metric]) for metric in metrics]
    costs = ["Parameters", "Multiply-adds per megapixel"] if counted is not None else []
    grid = [[Cell(text) for text in ("Method", "Kind", *heads, *costs)]]
    for (method, variant), rows in summary.groupby(["method", "variant"], sort=False):
        cells = {row.metric: _mean_cell(row) for row in rows.itertuples()}
        line = [Cell(method_label(method, variant)), Cell(GROUPS[rows["group"].iloc[0]])]
        line += [cells[metric] for metric in metrics]
        if counted is not None:
            line += _cost_cells(counted, rows["condition"].iloc[0], method, variant)
        grid.append(line)
    return grid


def image_grid(summary: pd.DataFrame, values: pd.DataFrame) -> Grid:
    """Methods by images for one condition and metric, turned over where images are many; ``summary`` orders."""
    higher = bool(summary["higher_is_better"].iloc[0])
    wide = values.pivot(index=["method", "variant"], columns="image", values="value")
    ranks = wide.map(lambda value: float(f"{value:.6g}")).rank(method="dense", ascending=not higher)
    grid = [[Cell(text) for text in ("Method", *wide.columns, "Mean")]]
    for row in summary.itertuples():
        run = (row.method, row.variant)
        cells = [Cell(number_text(wide.loc[run, image]), _whole(ranks.loc[run, image])) for image in wide.columns]
        grid.append([Cell(method_label(*run)), *cells, _mean_cell(row)])
    if len(wide.columns) <= MANY:
        return grid
    turned = [list(column) for column in zip(*grid, strict=True)]
    return [[Cell("Image"), *turned[0][1:]], *turned[1:]]


def markdown(grid: Grid) -> str:
    """Write a grid as a Markdown table: best bold, second best underlined, numbers to the right."""
    marks = {1: "**{}**", 2: "<u>{}</u>"}
    rows = [[marks.get(cell.rank, "{}").format(cell.text) for cell in row] for row in grid]
    numeric = [all(_is_number(row[column].text) for row in grid[1:]) for column in range(len(grid[0]))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def plain_table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Write texts as a Markdown table."""
    return markdown([[Cell(text) for text in line] for line in [heads, *lines]])


def metric_head(rows: pd.DataFrame) -> str:
    """Return name, unit and direction of the one metric that ``rows`` hold."""
    first = rows.iloc[0]
    return metric_label(first["metric"], first["unit"], bool(first["higher_is_better"]))


def _mean_cell(row: Any) -> Cell:
    deviation = "" if math.isnan(row.seed_deviation) else f" ± {row.seed_deviation:.2g}"
    return Cell(number_text(row.mean) + deviation, row.rank)


def _cost_cells(counted: pd.DataFrame, condition: str, method: str, variant: str) -> list[Cell]:
    chosen = (counted["condition"] == condition) & (counted["method"] == method) & (counted["variant"] == variant)
    if not chosen.any():
        return [Cell("n/a"), Cell("n/a")]
    row = counted[chosen].iloc[0]
    return [Cell(quantity(row["parameters"])), Cell(quantity(row["multiply_adds_per_megapixel"]))]


def quantity(value: float) -> str:
    """Return a count to three digits with k, M, G or T."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return "n/a" if math.isnan(value) else f"{value:.3g}"


def _whole(rank: float) -> int:
    return 0 if math.isnan(rank) else int(rank)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] == "-" or text == "n/a"


def latex_table(grid: Grid, caption: str) -> str:
    """Write a grid as a booktabs table: best bold, second best underlined."""
    marks = {1: r"\textbf{{{}}}", 2: r"\uline{{{}}}"}
    lines = [" & ".join(marks.get(cell.rank, "{}").format(_escape(cell.text)) for cell in row) + r" \\" for row in grid]
    columns = "ll" + "r" * (len(grid[0]) - 2)
    body = [r"\begin{table}", r"\centering", rf"\caption{{{_escape(caption)}}}", rf"\begin{{tabular}}{{{columns}}}"]
    body += [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", r"\end{table}", ""]
    return "\n".join(body)


def _escape(text: str) -> str:
    symbols = {"_": r"\_", "%": r"\%", "&": r"\&", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "<": "$<$", ">": "$>$"}
    symbols |= {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "#": r"\#", "^": r"\^{}", "~": r"\~{}"}
    symbols |= {"×": r"$\times$", "±": r"$\pm$", "λ": r"$\lambda$"}
    return "".join(symbols.get(letter, letter) for letter in text)
