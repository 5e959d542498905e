"""The list of published weights, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sfigf.published import Entry, State
from sfigf.tables.names import dataset_label, metric_label, number_text, run_name

_HEAD = ("weights", "parameters", "bytes", "main metric", "sha256", "here")
_RIGHT = (1, 2)


def weight_list(folder: str | Path, entries: Sequence[Entry], states: Mapping[str, State]) -> str:
    """Return a table, best read at 120 columns or more, and a line on what is missing or damaged.

    Args:
        folder: Folder of the index.
        entries: What is published.
        states: By path.
    """
    rows = [_HEAD, *(_row(entry, states[entry.path]) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place in _RIGHT else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, _verdict(folder, Counter(states.values()))])


def _row(entry: Entry, state: State) -> tuple[str, ...]:
    name = f"{entry.study} {entry.task} {entry.condition} {run_name(entry.method, entry.variant)} seed {entry.seed}"
    metric = entry.main[0]
    values = ", ".join(f"{number_text(mean.value)} {dataset_label(mean.dataset)}" for mean in entry.main)
    label = metric_label(metric.metric, metric.unit, metric.higher_is_better)
    return name, f"{entry.parameters:,}", f"{entry.bytes:,}", f"{label} {values}", entry.sha256[:12], state


def _verdict(folder: str | Path, count: Counter[State]) -> str:
    words = [f"{sum(count.values())} in {folder}", f"{count['ready']} ready"]
    words += [f"{count['missing']} missing: `dvc pull` brings them"] if count["missing"] else []
    words += [f"{count['damaged']} damaged: remove them and `dvc pull`"] if count["damaged"] else []
    return "; ".join(words)
