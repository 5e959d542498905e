"""Strips: one line per method on a common axis, a dot per image, a bar for an interval. Plain HTML, any width."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sfigf.figures.style import look_of
from sfigf.tables.names import condition_label, count_text, dataset_label, method_label, metric_label
from sfigf.tables.summary import ALL, per_image

Run = tuple[str, str]
_BEYOND = 1.25


@dataclasses.dataclass(frozen=True)
class Strip:
    """One line; places are percent of the width, ``interval`` is (start, width) or None."""

    label: str
    colour: str
    text: str
    mean: float
    dots: list[tuple[float, str]]
    interval: tuple[float, float] | None = None
    ours: bool = False


@dataclasses.dataclass(frozen=True)
class Strips:
    """Lines on one axis with ticks ``(place, text)``; ``zero`` is where nothing is gained."""

    title: str
    note: str
    lines: list[Strip]
    ticks: list[tuple[float, str]]
    zero: float


def gains(rows: pd.DataFrame, scores: pd.DataFrame) -> Strips | None:
    """Gain of every method over the plainest one, on each image, in the metric ``rows`` hold; None for one method."""
    first = rows.iloc[0]
    chosen = scores[(scores["condition"] == first["condition"]) & (scores["metric"] == first["metric"])]
    if first["dataset"] != ALL:
        chosen = chosen[chosen["dataset"] == first["dataset"]]
    wide = per_image(chosen).pivot(index=["dataset", "image"], columns=["method", "variant"], values="value")
    runs = [run for run in rows[["method", "variant"]].itertuples(index=False, name=None) if run in wide.columns]
    if len(runs) < 2:
        return None
    plain, relative = runs[0], not bool(first["higher_is_better"])
    unit = "%" if relative else ("" if first["unit"] in ("", "1") else first["unit"])
    values = {run: _gain(wide[plain], wide[run], relative) for run in runs[1:]}
    axis = _Axis.around([gain for each in values.values() for gain in each.dropna()])
    name = metric_label(first["metric"])
    where = "" if first["dataset"] == ALL else f", {dataset_label(first['dataset'])}"
    where = f"{condition_label(first['condition'])}{where}"
    title = f"Gain over {method_label(*plain)} in {name}{f' [{unit}]' if unit else ''}, {where}"
    note = f"A dot is an image ({count_text(len(wide))}), the bar their mean; right of zero is better."
    lines = [_line(run, values[run], axis, unit) for run in runs[1:]]
    return Strips(title, f"{note}{axis.note}", lines, axis.ticks(unit), axis.place(0.0))


def intervals(rows: pd.DataFrame) -> Strips | None:
    """Mean paired difference to each rival with its interval; None where no interval is known."""
    known = rows[rows["low"].notna() & rows["high"].notna()]
    if known.empty:
        return None
    first = known.iloc[0]
    ends = [value for column in ("low", "high") for value in known[column]]
    axis = _Axis.around(ends)
    lines = [_interval(row, axis) for row in known.to_dict("records")]
    unit = "" if first["unit"] in ("", "1") else f" [{first['unit']}]"
    name = f"{metric_label(first['metric'])}{unit}"
    title = f"Mean gain in {name} with its 95 % interval, {condition_label(first['condition'])}"
    note = "Right of zero the first of the pair is better; an interval that covers zero decides nothing."
    return Strips(title, f"{note}{axis.note}", lines, axis.ticks(""), axis.place(0.0))


def _gain(plain: pd.Series, mine: pd.Series, relative: bool) -> pd.Series:
    return 100 * (plain - mine) / plain.where(plain != 0) if relative else mine - plain


def _line(run: Run, gain: pd.Series, axis: _Axis, unit: str) -> Strip:
    known = gain.dropna()
    mean = math.fsum(known) / len(known) if len(known) else math.nan
    dots = [(axis.place(value), f"{image}: {value:+.3g} {unit}".strip()) for (_, image), value in known.items()]
    text = "n/a" if math.isnan(mean) else f"{mean:+.3g} {unit}".strip()
    place = axis.place(mean) if len(known) else axis.place(0.0)
    return Strip(method_label(*run), look_of(*run).colour, text, place, dots, ours=run == ("sfigf", "full"))


def _interval(row: Mapping[str, Any], axis: _Axis) -> Strip:
    low, high, mean = (float(row[column]) for column in ("low", "high", "mean_difference"))
    run = (str(row["against_method"]), str(row["against_variant"]))
    start, end = axis.place(low), axis.place(high)
    label = f"{method_label(str(row['method']), str(row['variant']))} − {method_label(*run)}"
    text = f"{mean:+.3g} ({low:+.3g} to {high:+.3g})"
    return Strip(label, look_of(*run).colour, text, axis.place(mean), [], (start, end - start))


@dataclasses.dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    note: str = ""

    @classmethod
    def around(cls, values: Sequence[float]) -> _Axis:
        """From the lowest to the highest value and zero, with room; lone outliers stand at the edge."""
        if not values:
            return cls(-1.0, 1.0)
        series = pd.Series(values, dtype="float64")
        low, high = min(0.0, float(series.quantile(0.02))), max(0.0, float(series.quantile(0.98)))
        span = (high - low) or 1.0
        low, high = (
            max(low - (_BEYOND - 1) * span, float(series.min())),
            min(high + (_BEYOND - 1) * span, float(series.max())),
        )
        low, high = min(low, 0.0), max(high, 0.0)
        room = 0.04 * ((high - low) or 1.0)
        beyond = int(((series < low) | (series > high)).sum())
        return cls(low - room, high + room, f" {beyond} beyond the axis stand at its edge." if beyond else "")

    def place(self, value: float) -> float:
        """Percent of the width."""
        return round(100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 2)

    def ticks(self, unit: str) -> list[tuple[float, str]]:
        """Round numbers along the axis, zero among them."""
        raw = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(self.place(k * step), f"{k * step:+g}" if k else "0") for k in range(first, last + 1)]
