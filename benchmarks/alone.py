"""Every form in a process of its own, so that its peak is its own; all of them in turns, so that they share the day."""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import gauge
from benchmarks.sizes import Sizes

Calls = dict[str, Callable[[], Any]]
Row = dict[str, Any]
BUILD_SECONDS, CALL_SECONDS = 300.0, 3600.0


@dataclasses.dataclass(frozen=True)
class Form:
    """What a process of its own is to measure.

    Attributes:
        make: Builds the calls there, warmed up: what is measured by its name, and ``facts``, a call that returns
            numbers for the row (an error, for one).
        arguments: Of ``make``.
        hidden: Modules that must not be found there.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
    """

    make: Callable[..., Calls]
    arguments: tuple[Any, ...]
    hidden: tuple[str, ...] = ()
    threads: int = 1
    device: str = "cpu"


class Failed(Exception):
    """What went wrong in the other process, in a line."""


class Alone:
    """A process that waits to be asked: ``calls``, ``peak``, ``seconds`` or ``value`` of a call."""

    def __init__(self, form: Form) -> None:
        self._connection, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(other, form), daemon=True)
        self._process.start()
        other.close()

    def ask(self, what: str, name: str = "") -> Any:
        """Return the answer.

        Raises:
            Failed: If the call failed there, took too long, or took the process with it.
        """
        try:
            self._connection.send((what, name))
            longest = BUILD_SECONDS if what == "calls" else CALL_SECONDS
            if not self._connection.poll(longest):
                self._process.kill()
                raise Failed(f"took longer than {longest:.0f} s")
            done, answer = self._connection.recv()
        except (EOFError, OSError):
            raise Failed("the process was ended, for want of memory most likely") from None
        if not done:
            raise Failed(answer)
        return answer

    def end(self) -> None:
        """Let the process go."""
        self._connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


def side_by_side(forms: Mapping[str, Form], sizes: Sizes) -> dict[str, Row]:
    """Measure all forms in turns.

    Returns:
        For each form: ``<call>`` in seconds (the shortest of several), ``<call>_peak`` in MB, the facts; what failed
        has its error's first line under ``<call>_failed``, or ``failed`` where nothing could be built.
    """
    waiting = {name: Alone(form) for name, form in forms.items()}
    rows: dict[str, Row] = {name: {} for name in forms}
    try:
        calls = {name: _built(alone, rows[name]) for name, alone in waiting.items()}
        for name, alone in waiting.items():
            _first_time(alone, rows[name], calls[name])
        for _ in range(sizes.repeats):
            for name, alone in waiting.items():
                _once_more(alone, rows[name], sizes.seconds)
    finally:
        for alone in waiting.values():
            alone.end()
    for row in rows.values():
        row.pop("spent", None)
    return rows


def _built(alone: Alone, row: Row) -> set[str]:
    try:
        return alone.ask("calls")
    except Failed as failure:
        row["failed"] = str(failure)
        return set()


def _first_time(alone: Alone, row: Row, calls: set[str]) -> None:
    """Memory first, while the process has held nothing yet, then the facts."""
    row["spent"] = {}
    for name in [*sorted(calls - {"facts"}), *sorted(calls & {"facts"})]:
        try:
            if name == "facts":
                row.update(alone.ask("value", name))
            else:
                row[f"{name}_peak"], row[name] = alone.ask("peak", name)
                row["spent"][name] = row[name]
        except Failed as failure:
            row[f"{name}_failed"] = str(failure)
    _say(".")


def _once_more(alone: Alone, row: Row, limit: float) -> None:
    for name, spent in row.get("spent", {}).items():
        if spent < limit:
            try:
                seconds = alone.ask("seconds", name)
            except Failed as failure:
                row[f"{name}_failed"], row["spent"][name] = str(failure), limit
                continue
            row[name] = min(row[name], seconds)
            row["spent"][name] += max(seconds, gauge.LEAST_SECONDS)
            _say(".")


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _serve(connection: Connection, form: Form) -> None:
    for module in form.hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    calls: Calls = {}
    while True:
        try:
            what, name = connection.recv()
        except EOFError:
            return
        try:
            if what == "calls":
                calls = _made(form)
            connection.send((True, _answer(what, name, calls, form)))
        except Exception as error:
            connection.send((False, first_line(error)))


def _made(form: Form) -> Calls:
    import torch

    if form.hidden:
        logging.getLogger("sfigf").setLevel(logging.ERROR)  # that the compiler is missing is no news here
    torch.set_num_threads(form.threads)
    return form.make(*form.arguments)


def _answer(what: str, name: str, calls: Calls, form: Form) -> Any:
    if what == "calls":
        return set(calls)
    if what == "value":
        return calls[name]()
    if what == "seconds":
        return gauge.seconds_of(calls[name], form.device)
    took: list[float] = []
    peak = gauge.peak_of(lambda: took.append(gauge.seconds_once(calls[name], form.device)), form.device)
    return peak, took[0]


def first_line(error: BaseException) -> str:
    """``RuntimeError: what it says first``, at most 160 characters."""
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:160]
