"""Start the reading process, watch it, and count; one that dies or hangs is started again behind that input."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

OUTCOMES = ("read", "refused", "crashed", "hung", "greedy", "wrong")
GOOD = ("read", "refused")
_ROOT = Path(__file__).resolve().parents[2]
_WARM_SECONDS = 300
CHILD = "tests.hostile.child"


@dataclasses.dataclass
class Row:
    """Counts of one reader, and a line for each input that it failed."""

    reader: str
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    failures: list[str] = dataclasses.field(default_factory=list)

    def add(self, index: int, outcome: str, line: str) -> None:
        self.counts[outcome] += 1
        if outcome not in GOOD:
            self.failures.append(f"{self.reader}, input {index}, {outcome}: {line}")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is tried: inputs ``first`` to ``last`` - 1 of each reader; input n is always the same file for a seed.

    Attributes:
        keep: Folder that gets a copy of every input, or None.
    """

    modules: Sequence[str]
    readers: Sequence[str]
    seed: int
    first: int
    last: int
    keep: str | None = None


def count(plan: Plan) -> list[Row]:
    """Try everything; rows in the order of the plan's readers.

    Raises:
        RuntimeError: If the reading process cannot even read a whole file.
    """
    jobs = [(name, index) for name in plan.readers for index in range(plan.first, plan.last)]
    rows = {name: Row(name) for name in plan.readers}
    start = 0
    while start < len(jobs):
        with tempfile.TemporaryDirectory() as folder:
            watch = _Watch(jobs, rows, start)
            watch.follow(plan, folder)
            start = watch.next
    return list(rows.values())


class _Watch:
    """Follows one child from job ``start`` on; ``next`` is where its successor begins."""

    def __init__(self, jobs: list[tuple[str, int]], rows: dict[str, Row], start: int) -> None:
        self.jobs, self.rows, self.next = jobs, rows, start
        self.begun: dict[str, Any] | None = None
        self.is_read = False

    def follow(self, plan: Plan, folder: str) -> None:
        arguments = json.dumps(dataclasses.asdict(plan) | {"start": self.next, "folder": folder})
        command = [sys.executable, "-m", CHILD, arguments]
        with (
            (Path(folder) / "errors").open("w+b") as errors,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, cwd=_ROOT, start_new_session=True
            ) as child,
        ):
            hung = not self._listen(child)
            if hung:
                os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
            if self.begun is not None:
                self._lost(hung, status)
            elif self.next < len(self.jobs):
                errors.seek(0)
                raise RuntimeError(f"{self.jobs[self.next][0]}: {errors.read().decode(errors='replace')[-2000:]}")

    def _listen(self, child: subprocess.Popen[bytes]) -> bool:
        """Hear a child out; False if it falls silent."""
        for line in _lines(child, lambda: _WARM_SECONDS if self.begun is None else self.begun["seconds"]):
            if line is None:
                return False
            if "begin" in line:
                self.begun, self.is_read = line, False
            elif "read" in line:
                self.is_read = True
            else:
                self._close(line["outcome"], line["said"])
        return True

    def _lost(self, hung: bool, status: int) -> None:
        """Count the input that a child was at when it ended; a second opinion that fails is no fault of the reader."""
        if self.is_read:
            self._close("read", "")
        elif hung:
            self._close("hung", "no answer in time")
        else:
            self._close("crashed", f"signal {-status}" if status < 0 else f"the process ended with {status}")

    def _close(self, outcome: str, said: str) -> None:
        assert self.begun is not None
        name, index = self.jobs[self.begun["begin"]]
        self.rows[name].add(index, outcome, f"{self.begun['file']}, {self.begun['done']}: {said}")
        self.next, self.begun = self.begun["begin"] + 1, None


def _lines(child: subprocess.Popen[bytes], seconds: Callable[[], float]) -> Iterator[dict[str, Any] | None]:
    """Yield what a child says; None if it says nothing for so long."""
    assert child.stdout is not None
    held = b""
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not ready.select(seconds()):
                yield None
                return
            got = os.read(child.stdout.fileno(), 2**16)
            if not got:
                return
            *whole, held = (held + got).split(b"\n")
            yield from map(json.loads, whole)
