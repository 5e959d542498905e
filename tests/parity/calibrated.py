"""What the tests of parity share: the rows of a set, computed and found equal."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sfigf.calibration import Result, Verdict, calibrate, read_rows
from sfigf.calibration.report import line


def equal_rows(
    reference: Path, name: str, metrics: Collection[str] | None = None, data: Path | None = None
) -> list[Result]:
    """Compute the rows of a set whose metric is among ``metrics`` (all if None) and assert that each is equal."""
    folder = reference / "metrics"
    rows = [row for row in read_rows(folder) if row.set == name and (metrics is None or row.metric in metrics)]
    results = list(calibrate(rows, folder, data))
    unequal = [line(result) for result in results if result.verdict is not Verdict.EQUAL]
    assert not unequal, "\n".join(unequal)
    assert len(results) == len(rows)
    return results
