"""One page per task: for each condition the means, the costs and every single image."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sfigf.tables.names import GROUPS, condition_label, count_text, method_label, metric_label, number_text, task_label
from sfigf.tables.protocol import protocol_line, seed_warning
from sfigf.tables.summary import ALL, per_image


@dataclasses.dataclass(frozen=True)
class Cell:
    """Text and place: 1 best, 2 second best, anything else plain."""

    text: str
    rank: int = 0


Grid = list[list[Cell]]
_NO_REFERENCE = (
    "D_λ, D_s and QNR know no truth: interpolation alone has D_λ = 0 by construction, and added noise can raise QNR; "
    "they are no ranking by themselves."
)


def task_page(
    task: str, scores: pd.DataFrame, summary: pd.DataFrame, counted: pd.DataFrame, settings: Mapping[str, Any]
) -> str:
    """Return the Markdown page of a task."""
    parts = [f"# {task_label(task)}"]
    for condition in summary["condition"].unique():
        parts += _condition_part(task, condition, scores, summary, counted, settings)
    return "\n\n".join(parts) + "\n"


def latex_page(task: str, summary: pd.DataFrame, counted: pd.DataFrame) -> str:
    """Return one booktabs table per condition (packages ``booktabs`` and ``ulem``)."""
    tables = []
    for condition in summary["condition"].unique():
        grid = mean_grid(summary[(summary["condition"] == condition) & (summary["dataset"] == ALL)], counted)
        caption = f"{task_label(task)}, {condition_label(condition)}: best bold, second best underlined."
        tables.append(_latex(grid, caption))
    return "\n".join(tables)


def mean_grid(summary: pd.DataFrame, counted: pd.DataFrame) -> Grid:
    """Methods by metrics, then parameters and multiply-adds, of one condition's pooled rows."""
    metrics = list(dict.fromkeys(summary["metric"]))
    heads = [_metric_head(summary[summary["metric"] == metric]) for metric in metrics]
    grid = [[Cell(text) for text in ("Method", "Kind", *heads, "Parameters", "Multiply-adds per megapixel")]]
    for (method, variant), rows in summary.groupby(["method", "variant"], sort=False):
        cells = {row.metric: _mean_cell(row) for row in rows.itertuples()}
        names = [Cell(method_label(method, variant)), Cell(GROUPS[rows["group"].iloc[0]])]
        condition = rows["condition"].iloc[0]
        grid.append([*names, *(cells[metric] for metric in metrics), *_cost_cells(counted, condition, method, variant)])
    return grid


def image_grid(summary: pd.DataFrame, values: pd.DataFrame) -> Grid:
    """Methods by images for one condition and metric; ``summary`` gives order and direction."""
    higher = bool(summary["higher_is_better"].iloc[0])
    wide = values.pivot(index=["method", "variant"], columns="image", values="value")
    ranks = wide.map(lambda value: float(f"{value:.6g}")).rank(method="dense", ascending=not higher)
    grid = [[Cell(text) for text in ("Method", *wide.columns, "Mean")]]
    for row in summary.itertuples():
        run = (row.method, row.variant)
        cells = [Cell(number_text(wide.loc[run, image]), _whole(ranks.loc[run, image])) for image in wide.columns]
        grid.append([Cell(method_label(*run)), *cells, _mean_cell(row)])
    return grid


def markdown(grid: Grid) -> str:
    """Write a grid as a Markdown table: best bold, second best underlined, numbers to the right."""
    marks = {1: "**{}**", 2: "<u>{}</u>"}
    rows = [[marks.get(cell.rank, "{}").format(cell.text) for cell in row] for row in grid]
    numeric = [all(_is_number(row[column].text) for row in grid[1:]) for column in range(len(grid[0]))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def _condition_part(
    task: str,
    condition: str,
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    counted: pd.DataFrame,
    settings: Mapping[str, Any],
) -> list[str]:
    pooled = summary[(summary["condition"] == condition) & (summary["dataset"] == ALL)]
    values = per_image(scores[scores["condition"] == condition])
    parts = [
        f"## {condition_label(condition)}",
        markdown(mean_grid(pooled, counted)),
        _image_counts(pooled) + " Best **bold**, second best <u>underlined</u>. " + seed_warning(pooled["seeds"].max()),
        protocol_line(settings, task, condition),
    ]
    if "qnr" in set(pooled["metric"]):
        parts.append(_NO_REFERENCE)
    for metric, rows in pooled.groupby("metric", sort=False):
        parts += [f"### {_metric_head(rows)} on each image"]
        parts += [markdown(image_grid(rows, values[values["metric"] == metric]))]
    return parts


def _image_counts(pooled: pd.DataFrame) -> str:
    """Say over how many images each mean runs, and which means are undefined."""
    counts = pooled.groupby("metric", sort=False)["images"].max()
    phrases = []
    for count in counts.unique():
        names = ", ".join(metric_label(metric) for metric in counts.index[counts == count])
        phrases.append(f"{names}: mean of {count_text(count)}")
    undefined = int(pooled["undefined"].sum())
    lost = f" {undefined} single values are undefined; their means are left out (n/a)." if undefined else ""
    return "; ".join(phrases) + "." + lost


def _metric_head(rows: pd.DataFrame) -> str:
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
    return [Cell(_count(row["parameters"])), Cell(_count(row["multiply_adds_per_megapixel"]))]


def _count(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return "n/a" if math.isnan(value) else f"{value:.3g}"


def _whole(rank: float) -> int:
    return 0 if math.isnan(rank) else int(rank)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] == "-" or text == "n/a"


def _latex(grid: Grid, caption: str) -> str:
    marks = {1: r"\textbf{{{}}}", 2: r"\uline{{{}}}"}
    lines = [" & ".join(marks.get(cell.rank, "{}").format(_escape(cell.text)) for cell in row) + r" \\" for row in grid]
    columns = "ll" + "r" * (len(grid[0]) - 2)
    body = [r"\begin{table}", r"\centering", rf"\caption{{{_escape(caption)}}}", rf"\begin{{tabular}}{{{columns}}}"]
    body += [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", r"\end{table}", ""]
    return "\n".join(body)


def _escape(text: str) -> str:
    symbols = {"_": r"\_", "%": r"\%", "&": r"\&", "↑": r"$\uparrow$", "↓": r"$\downarrow$"}
    symbols |= {"×": r"$\times$", "±": r"$\pm$", "λ": r"$\lambda$"}
    return "".join(symbols.get(letter, letter) for letter in text)
