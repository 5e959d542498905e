"""One row of the table of reference values, and what became of it."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from sfigf.interface import UserError

Entry = TypeVar("Entry")
COLUMNS = ("set", "metric", "options", "value", "reference", "tolerance")


@dataclasses.dataclass(frozen=True)
class Row:
    """A value of a reference implementation.

    Attributes:
        set: Name of the arrays it was taken of.
        metric: The reference's name for it, such as ``Liu.Q_G``.
        options: Which image of the set, and how; parts separated by semicolons.
        value: What the reference gave; NaN where it gave that.
        tolerance: Largest difference that still counts as equal; None where the value is NaN.
        reference: Repository@commit:file, or paper.
    """

    set: str
    metric: str
    options: str
    value: float
    tolerance: float | None
    reference: str


class NotOurs(Exception):
    """A row that nothing of ours stands for; the message says why."""


class HeldElsewhere(Exception):
    """A row that a test of its own holds; the message names it."""


Evaluator = Callable[[Row], float]


def ours(table: Mapping[str, Entry], name: str) -> Entry:
    """Return the function or array that a row names.

    Raises:
        NotOurs: If there is none of that name.
    """
    if name not in table:
        raise NotOurs(f"nothing of ours is called {name} in this set")
    return table[name]


class Verdict(StrEnum):
    """What a comparison came to."""

    EQUAL = "equal"
    WRONG = "wrong"
    NOT_OURS = "not ours"
    ELSEWHERE = "elsewhere"


@dataclasses.dataclass(frozen=True)
class Result:
    """Our value beside a row's, or None and why there is none."""

    row: Row
    ours: float | None
    verdict: Verdict
    why: str = ""

    @property
    def difference(self) -> float | None:
        """Ours less theirs; None without ours, NaN where one of the two is."""
        return None if self.ours is None else self.ours - self.row.value


def compared(row: Row, ours: float) -> Result:
    """Say whether ``ours`` is the row's value within its tolerance; NaN equals NaN alone."""
    if math.isnan(row.value) or math.isnan(ours):
        equal = math.isnan(row.value) and math.isnan(ours)
    else:
        equal = abs(ours - row.value) <= (row.tolerance or 0)
    return Result(row, ours, Verdict.EQUAL if equal else Verdict.WRONG)


def read_rows(folder: str | Path) -> list[Row]:
    """Read ``expected.csv`` of a folder of reference values.

    Raises:
        UserError: If it is not there, or lacks a column, or holds a value that is no number.
    """
    path = Path(folder) / "expected.csv"
    if not path.is_file():
        raise UserError(f"reference values not present: no {path}; name the folder that holds it with --reference")
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise UserError(f"{path}: no column {', '.join(sorted(missing))}; it needs {', '.join(COLUMNS)}")
        return [_row(cells, path, reader.line_num) for cells in reader]


def _row(cells: dict[str, str], path: Path, line: int) -> Row:
    try:
        value = float(cells["value"])
        tolerance = None if cells["tolerance"].startswith("none") else float(cells["tolerance"].split()[0])
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{path}, line {line}: value or tolerance is no number; restore the file") from error
    return Row(cells["set"], cells["metric"], cells["options"], value, tolerance, cells["reference"])
