"""Quality against what it costs: parameters, multiply-adds, seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from matplotlib.transforms import Bbox

from sfigf.figures.style import INK, QUIET, look_of, new_figure, save, styled
from sfigf.interface import UserError
from sfigf.tables.costs import read_counted, read_measured
from sfigf.tables.names import condition_label, count_text, method_label, metric_label, task_label
from sfigf.tables.summary import ALL, read_summary

_AXES = {
    "parameters": "parameters",
    "multiply_adds_per_megapixel": "multiply-adds per megapixel",
    "seconds_per_megapixel": "seconds per megapixel",
}
_DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8)]


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
    means = means[(means["dataset"] == ALL) & (means["metric"] == means["metric"].iloc[0]) & np.isfinite(means["mean"])]
    if means.empty:
        raise UserError(f"{summary}: no method has a finite mean of the main metric; there is nothing to draw")
    merged = _with_costs(means, costs, timings)
    columns = [column for column in _AXES if column in merged.columns]
    conditions = list(merged["condition"].unique())
    with styled():
        figure = new_figure(10, 0.75 + 3.05 * len(conditions))
        grid = figure.subplots(len(conditions), len(columns), squeeze=False, sharey="row")
        _arrange(figure, len(conditions))
        for condition, row in zip(conditions, grid, strict=True):
            chosen = merged[merged["condition"] == condition]
            for column, axes in zip(columns, row, strict=True):
                _draw_panel(axes, chosen, column)
            first = chosen.iloc[0]
            label = metric_label(first["metric"], first["unit"], bool(first["higher_is_better"]))
            row[0].set_ylabel(f"{label}, mean of {count_text(first['images'])}")
            row[0].set_title(condition_label(condition), fontweight="bold")
        _title(figure, merged)
        save(figure, output)


def _with_costs(means: pd.DataFrame, costs: Sequence[str | Path], timings: Sequence[str | Path]) -> pd.DataFrame:
    run = ["condition", "method", "variant"]
    merged = means.merge(read_counted(costs).drop(columns=["task", "kind"]), on=run, how="left")
    if timings:
        seconds = read_measured(timings).groupby(run, as_index=False)["seconds_per_megapixel"].mean()
        merged = merged.merge(seconds, on=run, how="left")
    return merged


def _draw_panel(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    points = [Point(row.method, row.variant, getattr(row, column), row.mean) for row in rows.itertuples()]
    places = _places([point.cost for point in points])
    axes.set_xscale("log")
    axes.set_xlabel(_AXES[column])
    axes.grid(axis="y")
    low, high = min(places), max(places)
    axes.set_xlim(low / 2.2, high * 2.6)
    axes.margins(y=0.16)
    for point, place in zip(points, places, strict=True):
        look = look_of(point.method, point.variant)
        size = 130 if look.marker == "*" else 48
        axes.scatter(
            place, point.quality, s=size, c=look.colour, marker=look.marker, zorder=look.front + 2, linewidths=0
        )
    _ticks(axes, points, places)
    axes.autoscale_view(scalex=False)
    labels = [method_label(point.method, point.variant) for point in points]
    _place_labels(axes, labels, [(place, point.quality) for place, point in zip(places, points, strict=True)])


def _places(costs: Sequence[float]) -> list[float]:
    """Costs as places on a log axis: nothing to count stands a step to the left of the cheapest."""
    counted = [cost for cost in costs if np.isfinite(cost) and cost > 0]
    nothing = min(counted, default=1.0) / 8
    return [cost if np.isfinite(cost) and cost > 0 else nothing for cost in costs]


def _ticks(axes: Axes, points: Sequence[Point], places: Sequence[float]) -> None:
    high = axes.get_xlim()[1]
    counted = [place for point, place in zip(points, places, strict=True) if place == point.cost]
    start = min(counted, default=high)
    candidates = [digit * 10.0**power for power in range(-9, 15) for digit in (1, 3)]
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


def _place_labels(axes: Axes, labels: Sequence[str], points: Sequence[tuple[float, float]]) -> None:
    """Put each label where it covers no marker, label or edge: the nearest free place around its marker."""
    axes.figure.canvas.draw()
    centres: list[tuple[float, float]] = [tuple(axes.transData.transform(point).tolist()) for point in points]
    taken = [_box(x, y, 14, 14) for x, y in centres]
    frame = axes.get_window_extent()
    options: dict[str, Any] = {
        "textcoords": "offset pixels",
        "fontsize": 7.5,
        "color": INK,
        "ha": "center",
        "va": "center",
        "zorder": 9,
    }
    halo = [withStroke(linewidth=2, foreground="white")]
    for index in sorted(range(len(labels)), key=lambda i: (centres[i][1], centres[i][0])):
        text = axes.annotate(labels[index], points[index], (0, 0), path_effects=halo, **options)
        extent = text.get_window_extent()
        x, y = _free_place(centres[index], extent.width, extent.height, taken, frame)
        text.set_position((x - centres[index][0], y - centres[index][1]))
        taken.append(_box(x, y, extent.width, extent.height))


def _free_place(
    centre: tuple[float, float], width: float, height: float, taken: Sequence[Bbox], frame: Bbox
) -> tuple[float, float]:
    candidates = [
        (centre[0] + right * (width / 2 + 10 + reach), centre[1] + up * (height / 2 + 8 + reach))
        for reach in range(2, 60, 6)
        for right, up in _DIRECTIONS
    ]
    return min(candidates, key=lambda place: _overlap(_box(place[0], place[1], width, height), taken, frame))


def _overlap(box: Bbox, taken: Sequence[Bbox], frame: Bbox) -> float:
    """Area that a label would share with others, plus the area outside the frame."""
    shared = sum(_area(Bbox.intersection(box, other)) for other in taken)
    return shared + (_area(box) - _area(Bbox.intersection(box, frame)))


def _area(box: Bbox | None) -> float:
    return 0.0 if box is None else box.width * box.height


def _box(x: float, y: float, width: float, height: float) -> Bbox:
    return Bbox.from_bounds(x - width / 2, y - height / 2, width, height)


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
    words = "log scale; none: a classical method, or nothing counted"
    figure.text(0.988, 1 - 0.17 / height, words, fontsize=8, color=QUIET, va="center", ha="right")
