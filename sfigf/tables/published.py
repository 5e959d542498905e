"""Numbers that others published: read, refused without a source, and set beside ours under the same protocol only."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.interface import UserError
from sfigf.protocols import PROTOCOLS
from sfigf.registry import nearest
from sfigf.tables.names import (
    condition_label,
    dataset_label,
    method_label,
    metric_label,
    number_text,
)
from sfigf.tables.render import Cell, markdown
from sfigf.tables.scores import read_table, to_number
from sfigf.tables.summary import ALL
from sfigf.tables.verdicts import OURS

COLUMNS = (
    "task",
    "dataset",
    "condition",
    "method",
    "metric",
    "value",
    "std",
    "unit",
    "protocol",
    "source",
    "status",
    "protocol_as_stated",
)
_KEY = [*COLUMNS[:5], "protocol", "source"]
_HEADS = ("Data set", "Condition", "Metric", "Method", "Published")
_HERE = ("The same here", "Difference", "SFIGF here", "Difference")
_OTHER_TRAINING = (
    "Published: as the source prints it. Difference: ours minus published. The published networks were trained on the "
    "field's training sets, ours on what the protocol line above says: a difference speaks of both."
)


def read_published(path: str | Path) -> pd.DataFrame:
    """Read published numbers, one a row.

    Raises:
        UserError: If a column is missing, a number is none, a row is given twice, names a protocol that does not
            exist, or has no source.
    """
    frame = read_table(path, COLUMNS)
    for line, row in enumerate(frame.to_dict("records"), start=2):
        if not row["source"].strip():
            raise UserError(f"{path}: line {line} ({row['method']}, {row['dataset']}) has no source; add it or drop it")
        if row["protocol"] and row["protocol"] not in PROTOCOLS:
            near = nearest(row["protocol"], PROTOCOLS)
            raise UserError(f"{path}: line {line} names the unknown protocol '{row['protocol']}'{near}")
    repeated = frame[frame.duplicated(_KEY)]
    if len(repeated):
        raise UserError(f"{path}: given twice: {', '.join(map(str, repeated.iloc[0][_KEY]))}; keep one")
    values = to_number(frame, "value", path)
    if values.isna().any():
        raise UserError(f"{path}: line {int(values.isna().idxmax()) + 2} has no value; add it or drop the row")
    return frame.assign(value=values, std=to_number(frame, "std", path))


@dataclasses.dataclass(frozen=True)
class Standing:
    """Published rows of one task, apart: those comparable with a study, and why the others are not."""

    beside: pd.DataFrame
    apart: pd.DataFrame

    @property
    def total(self) -> int:
        """How many there are of the task."""
        return len(self.beside) + len(self.apart)


def stand(
    published: pd.DataFrame, summary: pd.DataFrame, task: str, protocols: Mapping[str, Sequence[str]]
) -> Standing:
    """Sort the published rows of a task by whether the study has the same protocol, data set, condition and metric.

    Args:
        published: What ``read_published`` returned.
        summary: Means of the study.
        task: Which task.
        protocols: Protocols that the study names for it, by condition.
    """
    rows, summary = published[published["task"] == task], summary[summary["task"] == task]
    reasons = [_reason(row, summary, protocols) for row in rows.to_dict("records")]
    rows = rows.assign(reason=reasons)
    return Standing(rows[rows["reason"] == ""], rows[rows["reason"] != ""])


def _reason(row: Mapping[str, Any], summary: pd.DataFrame, protocols: Mapping[str, Sequence[str]]) -> str:
    """Why a published row cannot stand beside ours, or nothing."""
    dataset, condition = dataset_label(row["dataset"]), condition_label(row["condition"])
    if not row["protocol"]:
        return "no protocol of ours"
    if row["protocol"] not in {name for names in protocols.values() for name in names}:
        return f"protocol `{row['protocol']}`, which this study does not score"
    here = summary[summary["dataset"] == row["dataset"]]
    if here.empty:
        return f"{dataset}, which this study does not test on"
    here = here[here["condition"] == row["condition"]]
    if here.empty or row["protocol"] not in protocols.get(row["condition"], ()):
        return f"{dataset} under {condition}, which this study does not score by `{row['protocol']}`"
    if row["metric"] not in set(here["metric"]):
        return f"{metric_label(row['metric'])}, which this study does not compute"
    unit = here.loc[here["metric"] == row["metric"], "unit"].iloc[0]
    units = {row["unit"], unit} - {"", "1"}
    return (
        f"{metric_label(row['metric'])} in {row['unit']}, where this study counts in {unit}" if len(units) > 1 else ""
    )


def published_section(standing: Standing, summary: pd.DataFrame) -> str:
    """Return the section ``Published beside ours`` of a task's page."""
    parts = ["## Published beside ours"]
    if len(standing.beside):
        ordered = standing.beside.sort_values(["dataset", "condition", "metric"], kind="stable", key=_in_order(summary))
        lines = [_line(row, summary) for row in ordered.to_dict("records")]
        parts += [
            markdown([[Cell(head) for head in (*_HEADS, *_HERE)], *lines]),
            _OTHER_TRAINING,
            _sources(standing.beside),
        ]
    else:
        parts += ["No published number has the protocol, data set, condition and metric of this study."]
    if len(standing.apart):
        parts += [_apart(standing), *_own_records(standing.apart)]
    return "\n\n".join(parts)


def published_sentence(standings: Sequence[Standing]) -> str:
    """Return the one sentence of the summary page."""
    beside, total = sum(len(each.beside) for each in standings), sum(each.total for each in standings)
    return (
        f"Published numbers: {beside} of {total} for these tasks share protocol, data set, condition and metric with "
        "this study and stand beside ours on the pages of the tasks; the pages say why the others do not."
    )


def _in_order(summary: pd.DataFrame) -> Callable[[pd.Series], pd.Series]:
    """Sort key: data sets, conditions and metrics as they stand in our own tables."""
    return lambda column: column.map({name: place for place, name in enumerate(summary[column.name].unique())})


def _line(row: Mapping[str, Any], summary: pd.DataFrame) -> list[Cell]:
    spread = "" if pd.isna(row["std"]) else f" ± {row['std']:.4g}"
    texts = [dataset_label(row["dataset"]), condition_label(row["condition"]), metric_label(row["metric"], row["unit"])]
    texts += [method_label(row["method"]), f"{row['value']:.7g}{spread}"]
    for run in ((row["method"], "full"), OURS):
        mean = _mean_of(row, summary, run)
        texts += ["not run", ""] if mean is None else [number_text(mean), f"{mean - row['value']:+.4g}"]
    return [Cell(text) for text in texts]


def _mean_of(row: Mapping[str, Any], summary: pd.DataFrame, run: tuple[str, str]) -> float | None:
    wanted = {key: row[key] for key in ("task", "dataset", "condition", "metric")}
    wanted |= {"method": run[0], "variant": run[1]}
    found = summary[(summary[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    return None if found.empty or row["dataset"] == ALL else float(found["mean"].iloc[0])


def _sources(beside: pd.DataFrame) -> str:
    """Where the numbers stand, by method and protocol."""
    lines = dict.fromkeys(
        f"- {method_label(row['method'])} (`{row['protocol']}`): {row['source']}; {row['status']}."
        for row in beside.to_dict("records")
    )
    return "\n".join(["Sources:", "", *lines])


def _apart(standing: Standing) -> str:
    counts = Counter(standing.apart["reason"])
    reasons = "\n".join(f"- {count}: {reason}." for reason, count in counts.most_common())
    head = f"{len(standing.apart)} of {standing.total} published numbers are not set beside ours:"
    return f"{head}\n\n{reasons}"


def _own_records(apart: pd.DataFrame) -> list[str]:
    """SFIGF's own numbers are named even where they compare with nothing."""
    own = apart[apart["method"] == OURS[0]]
    lines = [
        f"- {dataset_label(row['dataset'])}: {metric_label(row['metric'])} {number_text(row['value'], row['unit'])} "
        f"({row['protocol_as_stated']}; {row['source']})."
        for row in own.to_dict("records")
    ]
    return (
        ["\n".join(["What the released SFIGF code recorded, comparable with none of ours:", "", *lines])]
        if lines
        else []
    )
