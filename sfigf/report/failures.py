"""Where the main method fails, and what limits the study: all of it counted, nothing chosen by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sfigf.report.folder import Folder, TaskResults
from sfigf.report.grids import Table, signed
from sfigf.tables.names import (
    condition_label,
    count_text,
    dataset_label,
    method_label,
    metric_label,
    number_text,
    task_label,
)
from sfigf.tables.protocol import seed_warning
from sfigf.tables.render import Cell
from sfigf.tables.summary import ALL, main_tables, per_image
from sfigf.tables.verdicts import OURS

FEW_IMAGES = 10
_HEADS = ("Task and condition", "Image", "Metric", "SFIGF", "Plainest method", "Gain", "Best method", "Place of SFIGF")
_ORACLE = (
    "The condition with an oracle guide is guided by a channel of the truth itself: an upper bound, not a method one "
    "could use."
)


def image_ranks(task: TaskResults, condition: str) -> pd.DataFrame:
    """One row per test image under the main metric: SFIGF's value, gain over the plainest method, place and rival."""
    rows = [row for main in main_tables(task.of(condition)) for row in _ranks_of(main, task.scores)]
    return pd.DataFrame(rows)


def hardest(task: TaskResults, condition: str) -> str:
    """Name of the image on which SFIGF gains least over the plainest method; nothing where it was not run."""
    ranks = image_ranks(task, condition)
    if ranks.empty or ranks["relative"].isna().all():
        return ""
    return str(ranks.loc[ranks["relative"].idxmin(), "image"])


def failures(tasks: list[TaskResults]) -> tuple[list[str], Table | None]:
    """Count the failures in a sentence per condition, and list each: worse than the plainest method, or last of all."""
    sentences, lines = [], []
    for task in tasks:
        for condition in task.conditions:
            ranks = image_ranks(task, condition)
            if ranks.empty:
                continue
            failed = ranks[(ranks["gain"] < 0) | (ranks["place"] == ranks["of"])]
            sentences.append(_sentence(task, condition, ranks))
            lines += [_line(task, condition, row) for row in failed.to_dict("records")]
    grid = [[Cell(head) for head in _HEADS], *lines]
    return sentences, Table("failures", "Images on which SFIGF fails", grid) if lines else None


def undefined(tasks: list[TaskResults]) -> Table | None:
    """Values that are not defined, by method and metric."""
    heads = ("Task", "Condition", "Method", "Metric", "Undefined", "Images")
    lines = []
    for task in tasks:
        lost = task.scores[task.scores["value"].isna()]
        for (condition, method, variant, metric), rows in lost.groupby(["condition", "method", "variant", "metric"]):
            names = ", ".join(dict.fromkeys(rows["image"]))
            texts = [task_label(task.name), condition_label(condition), method_label(method, variant)]
            lines.append([Cell(text) for text in (*texts, metric_label(metric), str(len(rows)), names)])
    return Table("undefined", "Undefined values", [[Cell(head) for head in heads], *lines]) if lines else None


def limits(folder: Folder, tasks: list[TaskResults]) -> list[str]:
    """What the study cannot show, from its own numbers."""
    said = []
    for task in tasks:
        for condition in task.conditions:
            counts = [int(main["images"].max()) for main in main_tables(task.of(condition))]
            if max(counts) < FEW_IMAGES:
                where = f"{task_label(task.name)}, {condition_label(condition)}"
                said.append(f"{where}: {count_text(max(counts))} to judge by; a mean over so few is a hint, no claim.")
    seeds = [int(task.summary["seeds"].max()) for task in tasks]
    said += [seed_warning(min(seeds))] if seeds and min(seeds) == 1 else []
    said += [_ORACLE] if any("red-oracle" in task.conditions for task in tasks) else []
    return [*said, *_unpooled(tasks), *_leaks(folder), *_self_test(folder)]


def _ranks_of(main: pd.DataFrame, scores: pd.DataFrame) -> list[dict[str, Any]]:
    first = main.iloc[0]
    chosen = scores[(scores["condition"] == first["condition"]) & (scores["metric"] == first["metric"])]
    if first["dataset"] != ALL:
        chosen = chosen[chosen["dataset"] == first["dataset"]]
    wide = per_image(chosen).pivot(index=["dataset", "image"], columns=["method", "variant"], values="value")
    plain = tuple(main.iloc[0][["method", "variant"]])
    if OURS not in wide.columns or plain == OURS:
        return []
    higher = bool(first["higher_is_better"])
    places = wide.rank(axis=1, method="min", ascending=not higher)
    sign, rows = 1 if higher else -1, []
    for (dataset, image), values in wide.iterrows():
        known = values.dropna()
        if OURS not in known.index or plain not in known.index:
            continue
        best, gain = known.idxmax() if higher else known.idxmin(), sign * (values[OURS] - values[plain])
        row = {"dataset": dataset, "image": image, "metric": first["metric"], "unit": first["unit"], "plain": plain}
        row |= {"value": values[OURS], "against": values[plain], "gain": gain, "best": best, "best_value": known[best]}
        row |= {"relative": gain / abs(values[plain]) if values[plain] else gain}
        rows.append(row | {"place": int(places.loc[(dataset, image), OURS]), "of": len(known)})
    return rows


def _sentence(task: TaskResults, condition: str, ranks: pd.DataFrame) -> str:
    metric, plain = metric_label(ranks.iloc[0]["metric"]), method_label(*ranks.iloc[0]["plain"])
    worse, last = int((ranks["gain"] < 0).sum()), int((ranks["place"] == ranks["of"]).sum())
    best = int((ranks["place"] == 1).sum())
    where = f"**{task_label(task.name)}, {condition_label(condition)}** ({metric})"
    return (
        f"{where}: of {count_text(len(ranks))} SFIGF is best on {best}, "
        f"worse than {plain} on {worse}, last of all on {last}."
    )


def _line(task: TaskResults, condition: str, row: dict[str, Any]) -> list[Cell]:
    texts = [
        f"{task.name.capitalize()}, {condition_label(condition)}",
        f"{dataset_label(row['dataset'])}: {row['image']}",
    ]
    texts += [metric_label(row["metric"], row["unit"]), number_text(row["value"])]
    texts += [f"{number_text(row['against'])} ({method_label(*row['plain'])})", signed(row["gain"])]
    texts += [f"{number_text(row['best_value'])} ({method_label(*row['best'])})", f"{row['place']} of {row['of']}"]
    return [Cell(text) for text in texts]


def _unpooled(tasks: list[TaskResults]) -> list[str]:
    """Tasks whose scored images have no truth: an index of agreement is no error."""
    return [
        f"{task_label(task.name)}: D_λ, D_s and QNR know no truth; interpolation alone has D_λ = 0 by construction."
        for task in tasks
        if {"qnr", "hqnr"} & set(task.summary["metric"])
    ]


def _leaks(folder: Folder) -> list[str]:
    found = []
    for task, facts in folder.facts("audit", "splits.json").items():
        for name, leak in (facts.get("declared_leaks") or {}).items():
            found.append(
                f"{task_label(task)}: {dataset_label(name)} leaks, as its card says: {leak.get('said', 'yes')}."
            )
    return found


def _self_test(folder: Folder) -> list[str]:
    untested = folder.facts("audit", "self-test.json").get("untested") or []
    names = ", ".join(f"`{name}`" for name in untested)
    return [f"Protocols without a self-test on these scores: {names}."] if names else []
