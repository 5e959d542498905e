"""Quality against what it costs: parameters, multiply-adds, seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from sfigf.figures.labels import place_labels
from sfigf.figures.style import QUIET, look_of, new_figure, save, styled
from sfigf.interface import Array, UserError
from sfigf.tables.costs import read_counted, read_measured
from sfigf.tables.names import condition_label, count_text, dataset_label, method_label, metric_label, task_label
from sfigf.tables.summary import ALL, main_tables, read_summary

_AXES = {
    "parameters": "parameters",
    "multiply_adds_per_megapixel": "multiply-adds per megapixel",
    "seconds_per_megapixel": "seconds per megapixel",
}
_FENCE = 3.0
"""A quality this many quartile ranges beyond the worse quartile is shown at the edge, its value beside its name."""
_FRONT = "#b8b8b8"
_FEW = 3
_WIDE = 400.0
"""Above this ratio of the dearest to the cheapest an axis has ticks at powers of ten alone."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One method in one panel; ``cost`` is 0 or NaN where there is nothing to count."""

    method: str
    variant: str
    cost: float
    quality: float


def draw_quality(
    summary: str | Path, costs: Sequence[str | Path], timings: Sequence[str | Path], output: str | Path
) -> None:
    """Draw the main metric against each cost: a row of panels per condition, a marker per method.

    Args:
        summary: Summary table of one task; its first metric is the main one.
        costs: Cost tables of that task.
        timings: Timing tables of that task; without any, the panel of seconds is left out.
        output: Figure to write.

    Raises:
        UserError: If a table is unreadable, or no method has a finite mean.
    """
    means = read_summary(summary)
    means = _main_means(means)
    means = means[np.isfinite(means["mean"])]
    if means.empty:
        raise UserError(f"{summary}: no method has a finite mean of the main metric; there is nothing to draw")
    merged = _with_costs(means, costs, timings)
    columns = [column for column in _AXES if column in merged.columns]
    cases = list(merged.groupby(["condition", "dataset"], sort=False))
    heights = [3.05 + 0.13 * max(0, len(rows) - 8) for _, rows in cases]
    with styled():
        figure = new_figure(10, 0.75 + sum(heights))
        grid = figure.subplots(len(cases), len(columns), squeeze=False, sharey="row", height_ratios=heights)
        _arrange(figure, len(cases))
        for ((condition, dataset), chosen), row in zip(cases, grid, strict=True):
            for column, axes in zip(columns, row, strict=True):
                _draw_panel(axes, chosen, column)
            first = chosen.iloc[0]
            label = metric_label(first["metric"], first["unit"], bool(first["higher_is_better"]))
            row[0].set_ylabel(f"{label}, mean of {count_text(first['images'])}")
            where = "" if dataset == ALL else f", {dataset_label(str(dataset))}"
            row[0].set_title(condition_label(str(condition)) + where, fontweight="bold")
        _title(figure, merged)
        save(figure, output)


def _main_means(means: pd.DataFrame) -> pd.DataFrame:
    """Pooled means of the main metric, or those of each data set where their units differ."""
    conditions = (rows for _, rows in means.groupby("condition", sort=False))
    return pd.concat([table for rows in conditions for table in main_tables(rows)], ignore_index=True)


def _with_costs(means: pd.DataFrame, costs: Sequence[str | Path], timings: Sequence[str | Path]) -> pd.DataFrame:
    run = ["condition", "method", "variant"]
    merged = means.merge(read_counted(costs).drop(columns=["task", "kind"]), on=run, how="left")
    if timings:
        seconds = read_measured(timings).groupby(run, as_index=False)["seconds_per_megapixel"].mean()
        merged = merged.merge(seconds, on=run, how="left")
    return merged


def _draw_panel(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    points = [Point(row.method, row.variant, getattr(row, column), row.mean) for row in rows.itertuples()]
    higher = bool(rows["higher_is_better"].iloc[0])
    places = _places([point.cost for point in points])
    axes.set_xscale("log")
    axes.set_xlabel(_AXES[column])
    axes.grid(axis="y")
    axes.set_xlim(min(places) / 2.2, max(places) * 2.6)
    limit = _worst_shown([point.quality for point in points], higher)
    within = max if higher else min
    shown = [(place, within(point.quality, limit)) for place, point in zip(places, points, strict=True)]
    _set_range(axes, [quality for _, quality in shown])
    on_front = pareto_front(places, [point.quality for point in points], higher)
    line = _draw_front(axes, [shown[index] for index in on_front])
    labels = []
    for point, (place, quality) in zip(points, shown, strict=True):
        look = look_of(point.method, point.variant)
        size = 130 if look.marker == "*" else 48
        axes.scatter(place, quality, s=size, c=look.colour, marker=look.marker, zorder=look.front + 2, linewidths=0)
        beyond = f" ({point.quality:.4g})" if quality != point.quality else ""
        labels.append(method_label(point.method, point.variant) + beyond)
    _ticks(axes, points, places)
    place_labels(axes, labels, shown, [index in on_front for index in range(len(points))], line)


def pareto_front(costs: Sequence[float], qualities: Sequence[float], higher_is_better: bool) -> list[int]:
    """Return which points no other matches at less or equal cost, the cheapest first."""
    sign = -1 if higher_is_better else 1
    front: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], sign * qualities[i])):
        if not front or sign * qualities[index] < sign * qualities[front[-1]]:
            front.append(index)
    return front


def _draw_front(axes: Axes, corners: Sequence[tuple[float, float]]) -> Array:
    """Draw the front as a staircase to the right edge; return its corners."""
    right = axes.get_xlim()[1]
    ends = [place for place, _ in corners[1:]] + [right]
    line = np.array([(x, quality) for (place, quality), end in zip(corners, ends, strict=True) for x in (place, end)])
    axes.plot(*line.T, color=_FRONT, linewidth=1.4, zorder=1.5, solid_joinstyle="miter", scalex=False, scaley=False)
    return line


def _worst_shown(qualities: Sequence[float], higher_is_better: bool) -> float:
    """The worst value with a place of its own: one failed method must not press the others together."""
    sign = -1 if higher_is_better else 1
    values = np.sort(sign * np.array(qualities))
    first, third = np.percentile(values, [25, 75])
    kept = values[values <= third + _FENCE * (third - first)]
    beyond = 0.12 * (kept[-1] - kept[0]) if len(kept) < len(values) else 0.0
    return float(sign * (kept[-1] + beyond))


def _set_range(axes: Axes, qualities: Sequence[float]) -> None:
    margin = 0.16 * (max(qualities) - min(qualities)) or 0.05 * abs(max(qualities)) or 1.0
    axes.set_ylim(min(qualities) - margin, max(qualities) + margin)


def _places(costs: Sequence[float]) -> list[float]:
    """Costs as places on a log axis: nothing to count stands a step to the left of the cheapest.

    The step is wide enough for the names of those that stand there.
    """
    counted = [cost for cost in costs if np.isfinite(cost) and cost > 0]
    spread = max(counted, default=1.0) / min(counted, default=1.0)
    crowded = len(costs) - len(counted) > _FEW
    nothing = min(counted, default=1.0) / (max(8.0, spread**0.45) if crowded else 8)
    return [cost if np.isfinite(cost) and cost > 0 else nothing for cost in costs]


def _ticks(axes: Axes, points: Sequence[Point], places: Sequence[float]) -> None:
    high = axes.get_xlim()[1]
    counted = [place for point, place in zip(points, places, strict=True) if place == point.cost]
    start = min(counted, default=high)
    digits = (1,) if high / start > _WIDE else (1, 3)
    candidates = [digit * 10.0**power for power in range(-9, 15) for digit in digits]
    ticks = [tick for tick in candidates if start * 0.7 <= tick <= high]
    nothing = [place for point, place in zip(points, places, strict=True) if place != point.cost][:1]
    axes.xaxis.set_major_locator(FixedLocator(nothing + ticks))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "none" if value in nothing else _short(value)))
    if nothing and counted:
        axes.axvline((nothing[0] * start) ** 0.5, color=QUIET, linewidth=0.6, linestyle=(0, (2, 3)), zorder=1)


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _arrange(figure: Figure, rows: int) -> None:
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(
        left=0.07, right=0.985, top=1 - 0.72 / height, bottom=0.55 / height, wspace=0.08, hspace=0.42 if rows > 1 else 0
    )


def _title(figure: Figure, merged: pd.DataFrame) -> None:
    height = figure.get_size_inches()[1]
    task = task_label(merged["task"].iloc[0])
    figure.text(
        0.012, 1 - 0.17 / height, f"{task}: quality against cost", fontsize=10.5, fontweight="bold", va="center"
    )
    words = (
        "log scale; none: a classical method, or nothing counted",
        "line and bold: nothing is better at less cost; value in brackets: beyond the axis",
    )
    for line, text in enumerate(words):
        place = 1 - (0.17 + 0.2 * line) / height
        figure.text(0.988, place, text, fontsize=8, color=QUIET, va="center", ha="right")
