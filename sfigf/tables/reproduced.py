"""Part of docs/results.md: what was reproduced, ours beside published, SFIGF among the methods."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sfigf.tables.finished import Finished
from sfigf.tables.names import condition_label, dataset_label, method_label, metric_label, number_text, task_label
from sfigf.tables.published import stand
from sfigf.tables.render import plain_table
from sfigf.tables.summary import ALL, main_tables
from sfigf.tables.verdicts import OURS, sentences

_BESIDE = (
    "One row per published number of a main metric: the first of a task's that is published for that protocol and data "
    "set. Difference: ours minus published. Published networks were trained on the field's training sets, ours on what "
    "the pages of each study say: a difference speaks of data, training and method together. "
    "Of a method without training it speaks of the protocol alone."
)


def self_tests(studies: Sequence[Finished]) -> Iterator[str]:
    """What bicubic gave where a protocol says what it must give."""
    lines = {
        (test["protocol"], test["dataset"], test["condition"], test["metric"]): test
        for finished in studies
        for test in finished.self_tests
    }
    if not lines:
        return
    heads = ("Protocol", "Data set", "Condition", "Metric", "Images", "The field's", "Here", "Difference", "Tolerance")
    yield "### The protocols themselves"
    yield (
        "What a method without training gives under a protocol is known to the last digit; where these hold, "
        "degradation and metric are the field's."
    )
    yield plain_table(heads, map(_self_test_line, lines.values()))


def _self_test_line(test: Mapping[str, Any]) -> list[str]:
    difference = test["got"] - test["value"]
    return [
        f"`{test['protocol']}`",
        dataset_label(test["dataset"]),
        condition_label(test["condition"]),
        f"{metric_label(test['metric'])}, {method_label(test['method'])}",
        str(test["images"]),
        f"{test['value']:.7g}",
        f"{test['got']:.7g}",
        f"{difference:+.2g}",
        f"{test['tolerance']:g}",
    ]


def beside(studies: Sequence[Finished], published: pd.DataFrame) -> Iterator[str]:
    """Published numbers of main metrics beside ours."""
    heads = (
        "Study",
        "Protocol",
        "Data set",
        "Condition",
        "Metric",
        "Method",
        "Published",
        "The same here",
        "Difference",
    )
    lines = [
        line for finished in studies for task in finished.tasks for line in _beside_task(finished, task, published)
    ]
    yield "### Published beside ours"
    if not lines:
        yield "No published number has the protocol, data set, condition and metric of a study read here."
        return
    yield _BESIDE
    yield plain_table((*heads, "SFIGF here", "Difference"), lines)


def _beside_task(finished: Finished, task: str, published: pd.DataFrame) -> Iterator[list[str]]:
    summary = finished.summary(task)
    rows = stand(published, summary, task, finished.protocols(task)).beside
    order = {metric: place for place, metric in enumerate(dict.fromkeys(summary["metric"]))}
    for _, group in rows.groupby(["protocol", "dataset", "condition"], sort=False):
        main = min(group["metric"], key=order.__getitem__)
        for row in group[group["metric"] == main].to_dict("records"):
            names = [finished.study.study, f"`{row['protocol']}`", dataset_label(row["dataset"])]
            names += [condition_label(row["condition"]), metric_label(main, row["unit"]), method_label(row["method"])]
            ours = [text for run in ((row["method"], "full"), OURS) for text in _ours(summary, row, run)]
            yield [*names, f"{row['value']:.7g}", *ours]


def _ours(summary: pd.DataFrame, row: Mapping[str, Any], run: tuple[str, str]) -> list[str]:
    wanted = {key: row[key] for key in ("condition", "dataset", "metric")} | {"method": run[0], "variant": run[1]}
    found = summary.loc[(summary[[*wanted]] == pd.Series(wanted)).all(axis=1), "mean"]
    mean = math.nan if found.empty else float(found.iloc[0])
    return ["not run", ""] if math.isnan(mean) else [number_text(mean), f"{mean - row['value']:+.4g}"]


def standings(studies: Sequence[Finished]) -> Iterator[str]:
    """Place of SFIGF, and what the numbers say."""
    heads = ("Study", "Task", "Data", "Metric", "Images", "SFIGF", "Place", "Best of the others")
    lines = [
        [finished.study.study, task_label(task), *_standing(main)]
        for finished in studies
        for task in finished.tasks
        for _, rows in finished.summary(task).groupby("condition", sort=False)
        for main in main_tables(rows)
        if OURS in set(main[["method", "variant"]].itertuples(index=False, name=None))
    ]
    if not lines:
        return
    yield "### SFIGF among the methods"
    yield "The main metric in the mean over real test images that no method has seen in training."
    yield plain_table(heads, lines)
    said: set[str] = set()
    for finished in studies:
        for task in finished.tasks:
            paragraphs = [text for text in _words(finished, task) if text not in said]
            said.update(paragraphs)
            yield "\n\n".join([f"**{task_label(task)}, study `{finished.study.study}`.**", *paragraphs])


def _standing(main: pd.DataFrame) -> list[str]:
    ours = (main["method"] == OURS[0]) & (main["variant"] == OURS[1])
    own, ranked = main[ours].iloc[0], main[~ours & (main["rank"] > 0)].sort_values("rank", kind="stable")
    where = [condition_label(own["condition"])] + ([dataset_label(own["dataset"])] if own["dataset"] != ALL else [])
    best = "none" if ranked.empty else method_label(*ranked.iloc[0][["method", "variant"]])
    best += "" if ranked.empty else f" {number_text(ranked.iloc[0]['mean'])}"
    metric = metric_label(own["metric"], own["unit"], bool(own["higher_is_better"]))
    deviation = "" if math.isnan(own["seed_deviation"]) else f" ± {own['seed_deviation']:.2g}"
    place = f"{own['rank']} of {len(main)}" if own["rank"] else "n/a"
    return [", ".join(where), metric, str(own["images"]), number_text(own["mean"]) + deviation, place, best]


def _words(finished: Finished, task: str) -> list[str]:
    """Paragraphs: what the study's own words are; else the verdicts on its main tables."""
    words = finished.words(task)
    if words:
        return [str(words["headline"]), *map(str, words["paragraphs"])]
    scores, said = finished.scores(task), []
    for _, rows in finished.summary(task).groupby("condition", sort=False):
        for main in main_tables(rows):
            lines = "\n".join(sentences(main, scores)).splitlines()
            verdicts = [line.removeprefix("- ") for line in lines if not line.startswith("  ")]
            said.append(f"{condition_label(main['condition'].iloc[0])}: {' '.join(verdicts)}")
    return said
