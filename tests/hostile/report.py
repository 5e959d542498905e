"""The counts as a table, and as lines for whoever has to mend something."""

from __future__ import annotations

from collections.abc import Sequence

from tests.hostile.running import GOOD, OUTCOMES, Row


def table(rows: Sequence[Row]) -> str:
    """A Markdown table: reader, inputs tried, and each outcome; the last row is the sum."""
    heads = ("reader", "inputs", *OUTCOMES)
    lines = [_line(heads), _line(["---", *["--:"] * (len(heads) - 1)])]
    lines += [_line((row.reader, *_numbers(row))) for row in rows]
    sums = [sum(numbers) for numbers in zip(*map(_numbers, rows), strict=True)]
    return "\n".join([*lines, _line(("**all**", *sums))]) + "\n"


def failures(rows: Sequence[Row]) -> list[str]:
    """A line for each input that was neither read nor refused."""
    return [line for row in rows for line in row.failures]


def is_clean(rows: Sequence[Row]) -> bool:
    """Whether every input was read or refused."""
    return all(outcome in GOOD for row in rows for outcome in row.counts)


def _numbers(row: Row) -> list[int]:
    return [row.counts.total(), *(row.counts[outcome] for outcome in OUTCOMES)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
