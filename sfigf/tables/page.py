"""One page per task: for each condition the means, what they cost, the protocols behind them, and every image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sfigf.protocols import Protocol, protocol
from sfigf.tables.names import condition_label, count_text, dataset_label, metric_label, task_label
from sfigf.tables.protocol import protocol_line, protocols_named, seed_warning
from sfigf.tables.protocol_page import card
from sfigf.tables.render import MANY, image_grid, markdown, mean_grid, mean_tables, metric_head
from sfigf.tables.summary import ALL, per_image

MAX_IMAGES = 60
_NO_REFERENCE = (
    "D_λ, D_s and QNR know no truth: interpolation alone has D_λ = 0 by construction, and added noise can raise QNR; "
    "they are no ranking by themselves."
)


def task_page(
    task: str, scores: pd.DataFrame, summary: pd.DataFrame, counted: pd.DataFrame, settings: Mapping[str, Any]
) -> str:
    """Return the Markdown page of a task, without its last line break."""
    parts = [f"# {task_label(task)}"]
    for condition in summary["condition"].unique():
        rows = summary[summary["condition"] == condition]
        values = per_image(scores[scores["condition"] == condition])
        named = [protocol(name) for name in protocols_named(settings).get(condition, ())]
        parts += [f"## {condition_label(condition)}"]
        parts += _means_part(rows, counted, named)
        parts += [protocol_line(settings, task, condition)]
        parts += [card(each) for each in named if condition in each.conditions]
        if {"qnr", "hqnr"} & set(rows["metric"]):
            parts.append(_NO_REFERENCE)
        parts += _images_part(rows, values)
    return "\n\n".join(parts)


def _means_part(rows: pd.DataFrame, counted: pd.DataFrame, named: Sequence[Protocol]) -> list[str]:
    """The pooled table with the costs, then each data set; without a pooled one the costs stand with the first."""
    parts = []
    for index, (dataset, means) in enumerate(_worth_showing(mean_tables(rows))):
        if dataset != ALL:
            parts.append(f"### Means on {dataset_label(dataset)}")
        parts.append(markdown(mean_grid(means, counted if index == 0 else None)))
        notes = [_image_counts(means)]
        if index == 0:
            notes += ["Best **bold**, second best <u>underlined</u>.", seed_warning(int(means["seeds"].max()))]
        if dataset != ALL:
            notes += _protocol_names(dataset, means, named)
        parts.append(" ".join(notes))
    return [*parts, *_unpooled(rows)]


def _worth_showing(tables: list[tuple[str, pd.DataFrame]]) -> list[tuple[str, pd.DataFrame]]:
    """Beside a pooled mean, a data set of one image is a column of the table of images already."""
    return [each for index, each in enumerate(tables) if index == 0 or each[1]["images"].max() > 1]


def _unpooled(rows: pd.DataFrame) -> list[str]:
    """Say which metrics have no common mean, and why."""
    units = rows[rows["dataset"] != ALL].groupby("metric", sort=False)["unit"].unique()
    torn = {metric: values for metric, values in units.items() if len(values) > 1}
    if not torn:
        return []
    names = ", ".join(metric_label(str(metric)) for metric in torn)
    every = ", ".join(sorted({str(unit) for values in torn.values() for unit in values}))
    return [f"{names}: no mean over all images, because the data sets count in different units ({every})."]


def _protocol_names(dataset: str, means: pd.DataFrame, named: Sequence[Protocol]) -> list[str]:
    """Say which columns follow which protocol the study names."""
    condition, shown = means["condition"].iloc[0], set(means["metric"])
    phrases = []
    for chosen in named:
        metrics = [metric_label(metric) for metric in chosen.metrics_on(dataset, condition) if metric in shown]
        if metrics:
            phrases.append(f"`{chosen.name}` ({', '.join(metrics)})")
    if phrases:
        return [f"By protocol: {', '.join(phrases)}."]
    return ["By none of the protocols named."] if named else []


def _images_part(rows: pd.DataFrame, values: pd.DataFrame) -> list[str]:
    """A table for each metric; where images are many, for the main metric only."""
    parts, left = [], []
    for metric in dict.fromkeys(rows["metric"]):
        means = rows[rows["metric"] == metric]
        pooled = means[means["dataset"] == ALL]
        for part in [pooled] if len(pooled) else [part for _, part in means.groupby("dataset", sort=False)]:
            if metric != rows["metric"].iloc[0] and part["images"].max() > MANY:
                left.append(metric_label(metric))
            else:
                parts += _image_table(part, values[values["metric"] == metric])
    if left:
        parts.append(f"{', '.join(dict.fromkeys(left))} on each image: in the table of every score.")
    return parts


def _image_table(means: pd.DataFrame, values: pd.DataFrame) -> list[str]:
    dataset, images = means["dataset"].iloc[0], int(means["images"].max())
    where = "" if dataset == ALL else f", {dataset_label(dataset)}"
    heading = f"### {metric_head(means)} on each image{where}"
    if images > MAX_IMAGES:
        return [heading, f"{count_text(images)}: too many for a page; the table of every score holds them."]
    values = values if dataset == ALL else values[values["dataset"] == dataset]
    return [heading, markdown(image_grid(means, values))]


def _image_counts(means: pd.DataFrame) -> str:
    """Say over how many images each mean runs, and which means are undefined."""
    counts = means.groupby("metric", sort=False)["images"].max()
    phrases = []
    for count in counts.unique():
        names = ", ".join(metric_label(metric) for metric in counts.index[counts == count])
        phrases.append(f"{names}: mean of {count_text(count)}")
    undefined = int(means["undefined"].sum())
    lost = f" {undefined} single values are undefined; their means are left out (n/a)." if undefined else ""
    return "; ".join(phrases) + "." + lost
