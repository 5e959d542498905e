"""Damaged images of every format: some hundred each, in a process of their own, so that a crash is seen."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from sfigf.interface import UserError
from tests.hostile import Reader, child, gathered, running
from tests.hostile.running import Plan, Row, count

NAMES = [reader.name for reader in gathered("images")]
INPUTS = 150


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """All of it in one process: starting one costs more than the reading."""
    return {row.reader: row for row in count(Plan(["images"], NAMES, seed=7, first=0, last=INPUTS))}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_images_are_read_as_they_are_or_refused(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.failures == []
    assert row.counts.total() == INPUTS
    assert row.counts["read"] > INPUTS / 20
    assert row.counts["refused"] > INPUTS / 5


def _badly(path: Path) -> str:
    """A reader with every fault there is: which one is the first letter of the file."""
    match path.read_bytes()[:1]:
        case b"k":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"h":
            signal.pause()
        case b"m":
            return str(len(bytearray(2**33)))
        case b"e":
            raise KeyError("x")
        case b"l":
            raise UserError("one\ntwo")
        case b"t":
            Path("trap").mkdir()
    return "fine"


def _letters(folder: Path) -> list[Path]:
    (folder / "x").write_bytes(b"x")
    return [folder / "x"]


def _to_letter(path: Path, rng: np.random.Generator) -> str:
    path.write_bytes(b"khmeltxx"[(place := int(rng.integers(8))) : place + 1])
    return "letter"


READERS = [Reader("badly", _letters, _badly, _to_letter, lambda path: "fine" if rare(path) else None, seconds=2)]


def rare(path: Path) -> bool:
    return path.read_bytes() == b"x"


def test_every_fault_of_a_reader_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself: a death, a hang, a bomb, an exception, two lines, a trap are told apart, and it goes on."""
    monkeypatch.setattr(running, "CHILD", "tests.hostile.test_images")
    (row,) = count(Plan([], ["badly"], seed=0, first=0, last=40))
    assert row.counts.total() == 40
    expected = {"read", "crashed", "hung", "wrong"} | ({"greedy"} if sys.platform == "linux" else set())
    assert set(row.counts) == expected
    said = "\n".join(row.failures)
    assert "signal 11" in said
    assert "KeyError" in said
    assert "not one line" in said
    assert "left ['trap'] behind" in said


if __name__ == "__main__":
    child.main(READERS)
