"""Training curves: loss and validation metric against the step, every method of a task and condition."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sfigf.figures.style import QUIET, Look, look_of, new_figure, save, styled
from sfigf.interface import Array, UserError
from sfigf.registry import registered
from sfigf.small_files import is_no_plain_file
from sfigf.tables.names import method_label, metric_label

_NAMES_ABREAST = 6


@dataclasses.dataclass(frozen=True)
class Curve:
    """One training: loss at every logged step, metric at every validation."""

    label: str
    look: Look
    steps: Array
    losses: Array
    validation_steps: Array
    values: Array
    metric: str
    unit: str = ""
    higher_is_better: bool | None = None


def read_curve(path: str | Path, method: str, variant: str) -> Curve:
    """Read a JSON-lines training log.

    Raises:
        UserError: If the file is missing, a line is no JSON object, or no step was logged.
    """
    try:
        if is_no_plain_file(path):
            raise OSError("not a plain file")
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.strip()]
        train = [(float(event["step"]), float(event["loss"])) for event in events if event["event"] == "train"]
        validate = [event for event in events if event["event"] == "validate"]
        checks = [(float(event["step"]), float(event["value"])) for event in validate]
        metrics = {str(event["metric"]) for event in validate}
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such training log; train the method again") from error
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError, OSError) as error:
        raise UserError(f"{path}: not a readable training log ({error}); train the method again") from error
    if not train:
        raise UserError(f"{path}: logs no training step; train the method again")
    steps, losses = np.array(train, dtype=np.float64).T
    marks, values = np.array(checks, dtype=np.float64).reshape(-1, 2).T
    metric = next(iter(sorted(metrics)), "")
    known = registered("metric").get(metric)
    facts = (known.unit, known.higher_is_better) if known else ("", None)
    return Curve(method_label(method, variant), look_of(method, variant), steps, losses, marks, values, metric, *facts)


def smoothed(losses: Array) -> Array:
    """Return the running geometric mean over a fifteenth of the steps, over fewer at the ends."""
    half = max(1, len(losses) // 30)
    sums = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(losses, 1e-12)))])
    places = np.arange(len(losses))
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, len(losses))
    return np.exp((sums[last] - sums[first]) / (last - first))


def draw_training(title: str, logs: Mapping[tuple[str, str], Path], output: str | Path) -> None:
    """Draw loss (raw faint, running mean strong) and validation metric; a ring marks the weights that were kept."""
    curves = [read_curve(path, *run) for run, path in logs.items()]
    legend = 0.2 * max(0, math.ceil(len(curves) / _NAMES_ABREAST) - 1)
    with styled():
        figure = new_figure(10, 4.1 + legend)
        left, right = figure.subplots(1, 2)
        top, bottom = 1 - 0.697 / (4.1 + legend), (0.9635 + legend) / (4.1 + legend)
        figure.subplots_adjust(left=0.065, right=0.985, top=top, bottom=bottom, wspace=0.17)
        for curve in curves:
            _draw_loss(left, curve)
            _draw_validation(right, curve)
        _finish(figure, left, right, curves, title)
        save(figure, output)


def _draw_loss(axes: Axes, curve: Curve) -> None:
    colour, front = curve.look.colour, curve.look.front
    axes.plot(curve.steps, curve.losses, color=colour, alpha=0.13, linewidth=0.5, zorder=1)
    axes.plot(curve.steps, smoothed(curve.losses), color=colour, linewidth=1.6, zorder=front)


def _draw_validation(axes: Axes, curve: Curve) -> None:
    colour, front = curve.look.colour, curve.look.front
    size = 6.5 if curve.look.marker == "*" else 4.5
    axes.plot(
        curve.validation_steps,
        curve.values,
        color=colour,
        marker=curve.look.marker,
        markersize=size,
        markeredgecolor="white",
        markeredgewidth=0.4,
        linewidth=1.3,
        zorder=front,
        label=curve.label,
    )
    higher = curve.higher_is_better
    if higher is not None and np.isfinite(curve.values).any():
        kept = np.nanargmax(curve.values) if higher else np.nanargmin(curve.values)
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.0, "zorder": front + 3}
        axes.scatter(curve.validation_steps[kept], curve.values[kept], s=75, **ring)


def _finish(figure: Figure, left: Axes, right: Axes, curves: list[Curve], title: str) -> None:
    left.set_yscale("log")
    left.set_ylim(*_loss_limits(curves))
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.yaxis.set_minor_locator(NullLocator())
    left.set_title("Training loss ↓, log scale")
    names = {metric_label(curve.metric, curve.unit, curve.higher_is_better): None for curve in curves if curve.metric}
    right.set_title(f"Validation {' / '.join(names)}, ring: the weights kept")
    for axes in (left, right):
        axes.set_xlabel("training step")
        axes.grid(axis="y")
        axes.set_xlim(left=0)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncols=min(len(labels), _NAMES_ABREAST), handlelength=2.2, columnspacing=1.8
    )
    figure.text(0.012, 0.955, title, fontsize=10.5, fontweight="bold", va="center")
    words = "loss: running geometric mean over 1/15 of the steps; single steps faint"
    figure.text(0.988, 0.955, words, fontsize=8, color=QUIET, va="center", ha="right")


def _loss_limits(curves: list[Curve]) -> tuple[float, float]:
    """From the lowest to the highest running mean, with room; single spikes may leave the frame."""
    means = np.concatenate([smoothed(curve.losses) for curve in curves])
    return float(np.nanmin(means)) * 0.7, float(np.nanmax(means)) * 1.4
