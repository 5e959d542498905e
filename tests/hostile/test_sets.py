"""Damaged files of data sets and checkpoints, in a process of their own; whole sets with one file damaged."""

from __future__ import annotations

import pytest

from tests.hostile import gathered
from tests.hostile.running import Plan, Row, count

NAMES = [reader.name for reader in gathered("sets")]
INPUTS, INPUTS_OF_SETS = 100, 25


def inputs(name: str) -> int:
    """Fewer of what takes long: a whole set, a network."""
    return INPUTS_OF_SETS if name.startswith("sets: all of") else INPUTS


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    found: list[Row] = []
    for tried in (INPUTS, INPUTS_OF_SETS):
        names = [name for name in NAMES if inputs(name) == tried]
        found += count(Plan(["sets"], names, seed=5, first=0, last=tried))
    return {row.reader: row for row in found}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_sets_are_read_as_they_are_or_refused(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.failures == []
    assert row.counts.total() == inputs(name)
    assert row.counts["read"] > 0
    assert row.counts["refused"] > 0
