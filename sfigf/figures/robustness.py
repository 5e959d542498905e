"""Robustness: the main metric against the level of each perturbation, a curve and its name per method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from sfigf.figures.style import INK, QUIET, look_of, new_figure, save, styled
from sfigf.interface import Array, UserError
from sfigf.robustness.perturbations import PERTURBATIONS
from sfigf.tables.names import condition_label, count_text, dataset_label, method_label, metric_label, task_label
from sfigf.tables.robustness import mean_curves, read_curves

_ABREAST = 2
_PANEL_INCHES = 2.75
_LINE_INCHES, _GAP_INCHES = 0.14, 0.15
_FENCE = 6.0
"""A value this many quartile ranges beyond the worse quartile leaves the panel at its edge."""


def draw_robustness(task: str, condition: str, curves: str | Path, output: str | Path) -> None:
    """Draw a panel per perturbation: levels that were tested along the axis, the nominal one marked.

    Args:
        task: The task, and
        condition: the condition that is drawn.
        curves: Robustness table of the task; the first metric in it is the main one.
        output: Figure to write.

    Raises:
        UserError: If the table is unreadable or has no finite value of that condition.
    """
    rows = read_curves([curves], task)
    rows = rows[rows["condition"] == condition]
    means = mean_curves(rows, rows["metric"].iloc[0]) if len(rows) else rows
    if means.empty or not np.isfinite(means["mean"]).any():
        raise UserError(f"{curves}: no finite value of {task} {condition}; there is nothing to draw")
    panels = [panel for _, panel in means.groupby(["dataset", "perturbation"], sort=False)]
    abreast = min(_ABREAST, len(panels))
    lines = -(-len(panels) // abreast)
    with styled():
        figure = new_figure(10, 0.8 + _PANEL_INCHES * lines)
        grid = figure.subplots(lines, abreast, squeeze=False)
        _arrange(figure, lines)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw_panel(axes, panel, str(rows["metric"].iloc[0]), axes.get_position().size * figure.get_size_inches())
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        _title(figure, task, condition, means)
        save(figure, output)


def _draw_panel(axes: Axes, panel: pd.DataFrame, metric: str, inches: Array) -> None:
    first = panel.iloc[0]
    perturbation = PERTURBATIONS[first["perturbation"]]
    higher = bool(first["higher_is_better"])
    where = "" if first["dataset"] == "all" else f", {dataset_label(first['dataset'])}"
    axes.set_title(perturbation.title + where, fontweight="bold", pad=15)
    axes.set_ylabel(metric_label(metric, first["unit"], higher))
    axes.set_xlabel(f"{perturbation.quantity} [{perturbation.unit}]")
    axes.grid(axis="y")
    if perturbation.geometric:
        axes.set_xscale("log")
    levels = sorted(set(panel["level"]))
    axes.xaxis.set_major_locator(FixedLocator(levels))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{level:g}" for level in levels])
    worst = _limits(axes, panel["mean"].to_numpy(dtype=np.float64), higher)
    for nominal in sorted(set(panel.loc[panel["nominal"], "level"])):
        _mark_nominal(axes, float(nominal))
    names = [_draw_curve(axes, rows, worst, higher) for _, rows in panel.groupby(["method", "variant"], sort=False)]
    _name_curves(axes, [name for name in names if name is not None], *inches)


def _draw_curve(axes: Axes, rows: pd.DataFrame, worst: float, higher: bool) -> tuple[str, str, float, bool] | None:
    """Draw one method; return name, colour and height of its end, and whether it is ours."""
    rows = rows[np.isfinite(rows["mean"])]
    if rows.empty:
        return None
    method, variant = rows["method"].iloc[0], rows["variant"].iloc[0]
    look, ours = look_of(method, variant), (method, variant) == ("sfigf", "full")
    axes.plot(
        rows["level"],
        rows["mean"],
        color=look.colour,
        marker=look.marker,
        markersize=7.5 if look.marker == "*" else 4.5,
        markeredgecolor="white",
        markeredgewidth=0.4,
        linewidth=1.9 if ours else 1.2,
        zorder=look.front + 2,
        scalex=True,
        scaley=False,
    )
    last = float(rows["mean"].iloc[-1])
    shown = max(last, worst) if higher else min(last, worst)
    beyond = f" ({last:.3g})" if shown != last else ""
    return method_label(method, variant) + beyond, look.colour, shown, ours


def _limits(axes: Axes, values: Array, higher: bool) -> float:
    """Set the range of a panel; return the worst value it shows: one failed method must not press the others flat."""
    sign = -1 if higher else 1
    ordered = np.sort(sign * values[np.isfinite(values)])
    first, third = np.percentile(ordered, [25, 75])
    kept = ordered[ordered <= third + _FENCE * (third - first)]
    low, high = float(kept[0]), float(kept[-1])
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(*sorted((sign * (low - margin), sign * (high + margin))))
    return sign * (high + margin)


def _mark_nominal(axes: Axes, level: float) -> None:
    axes.axvline(level, color=QUIET, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    at = axes.get_xaxis_transform()
    axes.annotate("ordinary input", (level, 1), (0, 2), at, "offset points", fontsize=7, color=QUIET, va="bottom")


def _name_curves(axes: Axes, names: Sequence[tuple[str, str, float, bool]], width: float, height: float) -> None:
    """Write every name to the right of the panel, at the height where its curve ends, joined to it by a line."""
    low, high = axes.get_ylim()
    ends = np.array([(height - low) / (high - low) for _, _, height, _ in names])
    last = float(axes.get_xticks()[-1])
    places = spread(ends, _LINE_INCHES / height, 0, 1)
    for (name, colour, end, ours), place in zip(names, places, strict=True):
        axes.annotate(
            name,
            (last, end),
            (1 + _GAP_INCHES / width, place),
            textcoords="axes fraction",
            fontsize=7.5,
            color=INK,
            fontweight="bold" if ours else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "relpos": (0, 0.5), "shrinkB": 3},
        )


def spread(places: Array, apart: float, low: float, high: float) -> Array:
    """Move places as little as needed to be ``apart`` from each other, in their order, centred on where they were.

    They stay between ``low`` and ``high`` where there is room for all.
    """
    order = np.argsort(places, kind="stable")
    groups: list[list[float]] = []  # sum of wanted first places, count
    for step, index in enumerate(order):
        groups.append([float(places[index]) - apart * step, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] >= groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    starts = np.concatenate([np.full(int(count), total / count) for total, count in groups])
    top = max(low, high - apart * (len(places) - 1))
    moved = np.empty(len(places))
    moved[order] = np.clip(starts, low, top) + apart * np.arange(len(places))
    return moved


def _arrange(figure: Figure, lines: int) -> None:
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(
        left=0.06, right=0.865, top=1 - 0.88 / height, bottom=0.5 / height, wspace=0.6, hspace=0.5 if lines > 1 else 0
    )


def _title(figure: Figure, task: str, condition: str, means: pd.DataFrame) -> None:
    height = figure.get_size_inches()[1]
    title = f"{task_label(task)}, {condition_label(condition)}: when inputs are not what methods were made for"
    figure.text(0.012, 1 - 0.17 / height, title, fontsize=10.5, fontweight="bold", va="center")
    words = (
        f"mean of {count_text(int(means['images'].max()))}; ticks: levels tested; value in brackets: beyond the axis"
    )
    figure.text(0.988, 1 - 0.37 / height, words, fontsize=8, color=QUIET, va="center", ha="right")
