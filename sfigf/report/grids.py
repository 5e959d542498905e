"""Tables of the page: what a cell shows, what it sorts by, and the same table as CSV and LaTeX."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from sfigf.tables.names import condition_label, dataset_label, method_label, metric_label, number_text
from sfigf.tables.render import Cell, Grid, image_grid, latex_table, mean_grid, metric_head, quantity
from sfigf.tables.scores import six_digits
from sfigf.tables.summary import ALL, per_image

_SIZES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_NUMBER = re.compile(r"([+−-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)(?: ([kMGT])\b)?")
_PAIRED = "A gain is positive where the first of a pair is better, whatever the direction of the metric."
_NOTHING = {"n/a", "not run", "–", ""}


@dataclasses.dataclass(frozen=True)
class Table:
    """A grid with a name (unique on the page, also that of its files) and a caption; ``note`` is Markdown."""

    name: str
    caption: str
    grid: Grid
    note: str = ""

    @property
    def heads(self) -> list[str]:
        """Names of the columns."""
        return [cell.text for cell in self.grid[0]]

    @property
    def rows(self) -> Grid:
        """Rows that are sorted."""
        return self.grid[1:-1] if self._has_foot else self.grid[1:]

    @property
    def foot(self) -> Grid:
        """Rows that stay below."""
        return self.grid[-1:] if self._has_foot else []

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers."""
        columns = zip(*self.grid[1:], strict=True)
        return [all(is_number(cell.text) for cell in column) for column in columns]

    @property
    def csv(self) -> str:
        """The table as an address to save."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([cell.text for cell in row] for row in self.grid)
        return data_uri("text/csv;charset=utf-8", stream.getvalue().encode())

    @property
    def latex(self) -> str:
        """The table for a paper as an address to save."""
        return data_uri("application/x-tex", latex_table(self.grid, self.caption).encode())

    @property
    def _has_foot(self) -> bool:
        return self.grid[-1][0].text == "Mean"


def data_uri(kind: str, content: bytes) -> str:
    """Return content as an address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def is_number(text: str) -> bool:
    """Whether a cell holds a number, or says that there is none."""
    return text in _NOTHING or bool(_NUMBER.match(text))


def sort_value(text: str) -> str:
    """Return what a cell sorts by: its number with the magnitude counted in, else its text in small letters."""
    found = _NUMBER.match(text)
    if text in _NOTHING:
        return ""
    if not found:
        return text.lower()
    return repr(float(found[1].replace(",", "").replace("−", "-")) * _SIZES.get(found[2] or "", 1.0))


def means(name: str, rows: pd.DataFrame, counted: pd.DataFrame) -> Table:
    """Methods by metrics, of one condition and data set."""
    first = rows.iloc[0]
    where = "all test images" if first["dataset"] == ALL else dataset_label(first["dataset"])
    return Table(name, f"Means, {condition_label(first['condition'])}, {where}", mean_grid(rows, counted))


def images(name: str, rows: pd.DataFrame, scores: pd.DataFrame) -> Table:
    """Methods by images, or images by methods where there are many, of one metric."""
    first = rows.iloc[0]
    dataset = first["dataset"]
    chosen = scores[(scores["condition"] == first["condition"]) & (scores["metric"] == first["metric"])]
    values = per_image(chosen if dataset == ALL else chosen[chosen["dataset"] == dataset])
    where = "" if dataset == ALL else f", {dataset_label(dataset)}"
    return Table(name, f"{metric_head(rows)} on each image{where}", image_grid(rows, values))


def costs(
    name: str, condition: str, counted: pd.DataFrame, timing: pd.DataFrame, order: Iterable[tuple[str, str]]
) -> Table:
    """What each method costs: counted, and measured where and how."""
    heads = ["Method", "Parameters", "Multiply-adds per megapixel", "Seconds per megapixel", "Measured on"]
    grid = [[Cell(head) for head in heads]]
    for run in order:
        mine = counted[_is_run(counted, condition, run)]
        times = timing[_is_run(timing, condition, run)]
        if mine.empty:
            continue
        texts = [method_label(*run)]
        texts += [quantity(mine.iloc[0][column]) for column in ("parameters", "multiply_adds_per_megapixel")]
        texts += [number_text(float(times["seconds_per_megapixel"].mean())) if len(times) else "n/a", _machine(times)]
        grid.append([Cell(text) for text in texts])
    return Table(name, f"Cost, {condition_label(condition)}", grid)


def ablations(name: str, rows: pd.DataFrame, scores: pd.DataFrame, counted: pd.DataFrame) -> Table | None:
    """What each part of SFIGF adds: its variants against the whole; None where no variant was run."""
    mine = rows[rows["method"] == "sfigf"]
    whole = mine[mine["variant"] == "full"]
    if len(mine) < 2 or whole.empty:
        return None
    first = whole.iloc[0]
    chosen = scores[(scores["condition"] == first["condition"]) & (scores["metric"] == first["metric"])]
    if first["dataset"] != ALL:
        chosen = chosen[chosen["dataset"] == first["dataset"]]
    wide = per_image(chosen[chosen["method"] == "sfigf"]).pivot(
        index=["dataset", "image"], columns="variant", values="value"
    )
    heads = ["Variant", metric_head(rows), "Full minus variant", "Full better on", "Parameters"]
    grid = [[Cell(head) for head in heads]]
    sign = 1 if first["higher_is_better"] else -1
    for row in mine.to_dict("records"):
        difference = first["mean"] - row["mean"]
        wins = int((sign * (wide["full"] - wide[row["variant"]]) > 0).sum())
        own = row["variant"] == "full"
        texts = [method_label("sfigf", row["variant"]), number_text(row["mean"])]
        texts += ["–", "–"] if own else [signed(difference), f"{wins} of {len(wide)}"]
        size = counted[_is_run(counted, first["condition"], ("sfigf", row["variant"]))]
        grid.append([*map(Cell, texts), Cell(quantity(size.iloc[0]["parameters"]) if len(size) else "n/a")])
    return Table(name, f"Ablations of SFIGF, {condition_label(first['condition'])}", grid)


def statistics(name: str, rows: pd.DataFrame) -> Table:
    """Paired differences of one condition, data set and metric."""
    first = rows.iloc[0]
    where = "all test images" if first["dataset"] == ALL else dataset_label(first["dataset"])
    metric = metric_label(first["metric"], first["unit"], bool(first["higher_is_better"]))
    heads = ["Pair", "Images", "Mean gain", "95 % interval", "p (Holm)", "Better on", "What it allows one to say"]
    grid = [[Cell(head) for head in heads]]
    grid += [[Cell(text) for text in _pair(row)] for row in rows.to_dict("records")]
    return Table(name, f"Paired differences of {metric}, {condition_label(first['condition'])}, {where}", grid, _PAIRED)


def _pair(row: Mapping[str, Any]) -> list[str]:
    ours, theirs = (method_label(str(row[f"{side}method"]), str(row[f"{side}variant"])) for side in ("", "against_"))
    low, high, better = row["low"], row["high"], row["better_images"]
    interval = "n/a" if _missing(low) else f"{signed(low)} to {signed(high)}"
    p = "n/a" if _missing(row["p_holm"]) else f"{row['p_holm']:.2g}"
    wins = f"{better:.0f} of {row['images']:.0f}"
    gain = signed(row["mean_difference"])
    return [f"{ours} − {theirs}", f"{row['images']:.0f}", gain, interval, p, wins, str(row["sentence"])]


def robustness(name: str, condition: str, metric: str, rows: pd.DataFrame, order: Sequence[tuple[str, str]]) -> Table:
    """Methods by level of one perturbation; ``rows`` are those of ``mean_curves``, of one perturbation and data set."""
    first = rows.iloc[0]
    wide = rows.pivot(index=["method", "variant"], columns="level", values="mean")
    nominal = set(rows.loc[rows["nominal"], "level"])
    ranks = wide.map(six_digits).rank(method="dense", ascending=not first["higher_is_better"]).fillna(0).astype(int)
    unit = "" if first["level_unit"] in ("", "1") else f" {first['level_unit']}"
    heads = [f"{level:g}{unit}{' (ordinary)' if level in nominal else ''}" for level in wide.columns]
    grid = [[Cell("Method"), *map(Cell, heads)]]
    for run in order:
        if run in wide.index:
            cells = [Cell(number_text(wide.loc[run, level]), int(ranks.loc[run, level])) for level in wide.columns]
            grid.append([Cell(method_label(*run)), *cells])
    what = str(first["perturbation"]).replace("-", " ")
    where = "" if first["dataset"] == ALL else f", {dataset_label(first['dataset'])}"
    called = metric_label(metric, first["unit"], bool(first["higher_is_better"]))
    return Table(name, f"{called} by {what}, {condition_label(condition)}{where}", grid)


def signed(value: float) -> str:
    """Four digits with their sign."""
    return "n/a" if _missing(value) else f"{value:+#.4g}".rstrip(".")


def _missing(value: object) -> bool:
    return not isinstance(value, float | int) or not math.isfinite(value)


def _is_run(frame: pd.DataFrame, condition: str, run: tuple[str, str]) -> pd.Series:
    return (frame["condition"] == condition) & (frame["method"] == run[0]) & (frame["variant"] == run[1])


def _machine(times: pd.DataFrame) -> str:
    if times.empty:
        return "n/a"
    first = times.iloc[0]
    return f"{first['device']}, {first['threads']} thread" + ("" if str(first["threads"]) == "1" else "s")
