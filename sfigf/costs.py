"""Measured seconds per training step: the table of costs, read and written. Loads no torch."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sfigf.files import write_text
from sfigf.interface import UserError
from sfigf.plan import digest
from sfigf.small_files import read_small_text
from sfigf.training_settings import Training


@dataclasses.dataclass(frozen=True, order=True)
class Cost:
    """What one training step took.

    Attributes:
        task: Task name; ``-`` for the rest of a study.
        method: Method line.
        variant: Variant of the method.
        batch_size: Patches per step.
        patch_px: Side of a patch of the truth.
        seconds_per_step: Mean over the steps measured.
        options: Digest of the method's options: another width is another cost.
        device: ``cpu``, ``cuda`` ... with the name of the device where it is known.
    """

    task: str
    method: str
    variant: str
    batch_size: int
    patch_px: int
    seconds_per_step: float
    options: str = ""
    device: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a cost is of, whatever the size and the device."""
        return self.task, self.method, self.variant, self.options

    @property
    def pixels(self) -> int:
        """Patch pixels per step."""
        return self.batch_size * self.patch_px**2

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU was measured."""
        return not self.device.startswith("cpu")


COLUMNS = tuple(field.name for field in dataclasses.fields(Cost))
_REST = ("-", "rest", "-")
_FIRST_STUDY = "mini"
"""The study that a rest without a name is of."""


@dataclasses.dataclass(frozen=True)
class Costs:
    """All that was measured, and the seconds of one study without its trainings."""

    rows: tuple[Cost, ...] = ()
    rest: float | None = None
    rest_of: str = _FIRST_STUDY

    def of(self, key: tuple[str, str, str, str], training: Training, *, gpu: bool) -> Cost | None:
        """Return what was measured at the size of a training, or else nearest to it; None if nothing was."""
        wanted = Cost(*key[:3], training.batch_size, training.patch_px, 0.0)
        there = [row for row in self.rows if row.key == key and row.on_gpu == gpu]
        return min(there, key=lambda row: abs(math.log(row.pixels / wanted.pixels)), default=None)


def read_costs(*paths: str | Path) -> Costs:
    """Read tables of costs; of two rows that agree in all but the seconds the later counts. No file, no row.

    Raises:
        UserError: If a file holds something else.
    """
    rows: dict[tuple[Any, ...], Cost] = {}
    rest, rest_of = None, _FIRST_STUDY
    for path in paths:
        for row in _read_rows(path):
            if row.key[:3] == _REST:
                rest, rest_of = row.seconds_per_step, row.options or _FIRST_STUDY
            else:
                rows[(*row.key, row.batch_size, row.patch_px, row.device)] = row
    return Costs(tuple(rows.values()), rest, rest_of)


def write_table(path: str | Path, costs: Costs) -> None:
    """Write a table of costs in a fixed order."""
    lines = [[_text(value) for value in dataclasses.astuple(row)] for row in sorted(costs.rows)]
    if costs.rest is not None:
        lines.append([*_REST, "1", "1", f"{costs.rest:.4g}", costs.rest_of, ""])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *lines])
    write_text(path, text.getvalue())


def write_costs(
    path: str | Path, weights: Iterable[str | Path], logs: Iterable[str | Path], rest_seconds: float | None = None
) -> None:
    """Write what trainings took, one row per task, method, variant and size: the mean over conditions and seeds.

    Args:
        path: CSV file; what it says of the rest of the study is kept.
        weights: Weight files.
        logs: Their training logs, in the same order.
        rest_seconds: Seconds of all but the trainings, in place of what the file says.

    Raises:
        UserError: If a log is not that of its weights, or is not finished.
    """
    found: dict[Cost, list[float]] = {}
    weights, logs = list(weights), list(logs)
    if len(weights) != len(logs):
        raise UserError(f"{len(weights)} weight files and {len(logs)} logs; give one --log for each --weights")
    for weight, log in zip(weights, logs, strict=True):
        row = _measured(weight, log)
        found.setdefault(dataclasses.replace(row, seconds_per_step=0.0), []).append(row.seconds_per_step)
    rows = [
        dataclasses.replace(row, seconds_per_step=math.fsum(sorted(all_)) / len(all_)) for row, all_ in found.items()
    ]
    before = read_costs(path)
    rest = before.rest if rest_seconds is None else rest_seconds
    write_table(path, Costs(tuple(rows), rest, _study_of(weights) or before.rest_of))


def _study_of(weights: Iterable[str | Path]) -> str:
    """The study that weights were trained in; empty if they do not say, or several do."""
    from sfigf.weights import read_facts

    named = {read_facts(weight).get("study", "") for weight in weights}
    return named.pop() if len(named) == 1 else ""


def _measured(weights: str | Path, log: str | Path) -> Cost:
    """What a training was, and its seconds per step."""
    from sfigf.weights import read_facts

    facts = read_facts(weights)
    training = facts["training"]
    try:
        events = [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines()]
        end = events[-1]
        steps = max(event["step"] for event in events if event["event"] == "train")
        seconds, device = float(end["seconds"]), str(end["device"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{log}: not the log of a finished training ({error}); train again") from None
    if steps != training["steps"]:
        raise UserError(f"{log}: has {steps} steps, {weights} {training['steps']}; give the files in the same order")
    return Cost(
        facts["task"],
        facts["label"],
        facts["variant"],
        training["batch_size"],
        training["patch_px"],
        seconds / steps,
        digest(facts["options"]),
        device,
    )


def _read_rows(path: str | Path) -> list[Cost]:
    if not Path(path).is_file():
        return []
    try:
        return [_row(row) for row in csv.DictReader(io.StringIO(read_small_text(path), newline=""))]
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise UserError(f"{path}: not a table of costs ({error}); remove it and run `make remember`") from None


def _row(row: Mapping[str, str | None]) -> Cost:
    sizes = int(row["batch_size"] or ""), int(row["patch_px"] or "")
    names = row["task"] or "", row["method"] or "", row["variant"] or ""
    return Cost(*names, *sizes, float(row["seconds_per_step"] or ""), row.get("options") or "", row.get("device") or "")


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
