"""A section of the page: rows measured together, and how to show them. It can be kept as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmarks.alone import Row


@dataclasses.dataclass
class Section:
    """Rows that were measured side by side.

    Attributes:
        title: Heading.
        text: What was measured, with its sizes.
        rows: By form, as ``side_by_side`` returns them.
        measures: Calls that get a column of milliseconds, a ratio and a peak each, with their headings.
        facts: Further columns: heading and format of a number, by its key in the row.
        baseline: The form that ratios are against; none without it.
        first: Heading of the forms' column.
        rate: Calls as a number per second instead of milliseconds.
        date: When it was measured.
        command: By what command.
    """

    title: str
    text: str
    rows: dict[str, Row]
    measures: dict[str, str] = dataclasses.field(default_factory=dict)
    facts: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    baseline: str = ""
    first: str = "form"
    rate: bool = False
    date: str = ""
    command: str = ""

    def times(self, form: str, measure: str) -> float | None:
        """How many times faster than the baseline a form is."""
        return self.ratio(self.baseline, form, measure)

    def ratio(self, above: str, below: str, key: str) -> float | None:
        """The quotient of two rows' numbers, None where one is missing."""
        upper, lower = (self.rows.get(form, {}).get(key) for form in (above, below))
        return None if upper is None or not lower or lower < 0 else upper / lower

    def table(self) -> str:
        """The rows in Markdown."""
        heads = [self.first]
        for name, label in self.measures.items():
            heads += [f"{label}, {'1/s' if self.rate else 'ms'}"] + ["times"] * bool(self.baseline)
            heads += ["peak MB"] * self._known(f"{name}_peak")
        heads += [label for label, _ in self.facts.values()]
        return markdown(heads, [self._line(form) for form in self.rows])

    def _line(self, form: str) -> list[str]:
        row, cells = self.rows[form], [form]
        if "failed" in row:
            return [form, row["failed"]]
        for name in self.measures:
            seconds = row.get(name)
            shown = None if seconds is None else 1 / seconds if self.rate else seconds * 1e3
            cells.append(row.get(f"{name}_failed") or number(shown))
            if self.baseline:
                cells.append(number(self.times(form, name), ".3g"))
            if self._known(f"{name}_peak"):
                cells.append(number(row.get(f"{name}_peak"), ".0f"))
        reason = row.get("facts_failed", "")
        return cells + [number(row.get(key), style) or reason for key, (_, style) in self.facts.items()]

    def _known(self, key: str) -> bool:
        return any(key in row for row in self.rows.values())


def markdown(heads: list[str], lines: list[list[str]]) -> str:
    """A Markdown table; lines that are too short are filled up."""
    rows = [heads, ["---"] * len(heads), *(line + [""] * (len(heads) - len(line)) for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def number(value: Any, style: str = "") -> str:
    """A number in a cell; without a style three digits count, and none is written as a power of ten."""
    if value is None:
        return ""
    if style:
        return format(value, style)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
