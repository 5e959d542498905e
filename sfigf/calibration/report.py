"""Results as lines for people and as a table for programs."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable

from sfigf.calibration.rows import Result, Verdict

COLUMNS = ("set", "metric", "options", "ours", "theirs", "difference", "tolerance", "verdict", "why", "reference")


def line(result: Result) -> str:
    """One line: verdict, set, metric, ours, theirs, difference, tolerance, options; or why there is no ours."""
    row = result.row
    start = f"{result.verdict:9} {row.set:17} {row.metric:30}"
    if result.ours is None:
        return f"{start} {row.value:>15.10g}  {row.options}: {result.why}"
    tolerance = "" if row.tolerance is None else f"{row.tolerance:.1e}"
    numbers = f"{result.ours:>15.10g} {row.value:>15.10g} {result.difference:>9.1e} {tolerance:>8}"
    return f"{start} {numbers}  {row.options}"


def summary(name: str, results: Iterable[Result]) -> str:
    """One line for a set: how many rows came to what, and how near the nearest to its tolerance is."""
    results = list(results)
    counts = Counter(result.verdict for result in results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    undefined = sum(result.verdict is Verdict.EQUAL and math.isnan(result.row.value) for result in results)
    told += f" ({undefined} undefined in both)" if undefined else ""
    shares = [abs(r.difference) / r.row.tolerance for r in results if r.difference is not None and r.row.tolerance]
    largest = f"; largest difference {max(shares):.2g} x tolerance" if shares else ""
    return f"{name}: {len(results)} rows, {told}{largest}"


def table(results: Iterable[Result]) -> str:
    """All results as CSV, numbers in full."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        row = result.row
        numbers = [
            "" if value is None else repr(value) for value in (result.ours, row.value, result.difference, row.tolerance)
        ]
        writer.writerow([row.set, row.metric, row.options, *numbers, result.verdict, result.why, row.reference])
    return stream.getvalue()
