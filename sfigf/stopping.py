"""When a long job shall stop: at its end, after so many seconds, or when told to; never in the middle of a step."""

from __future__ import annotations

import contextlib
import signal
import time
from types import FrameType, TracebackType
from typing import Any

SLICE_ENDED = 75
"""Exit status of a job that stopped because its time was up: not done, and not failed (EX_TEMPFAIL of sysexits.h)."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Context manager; ask ``stop.wanted()`` between steps, and leave when it says so.

    The first SIGTERM or SIGINT is remembered, and raised again when the context is left; a second one acts at once.

    Args:
        seconds: Time from now on; None for no limit.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._told: int | None = None
        self._before: dict[int, Any] = {}

    def wanted(self) -> bool:
        """Whether to stop now."""
        return self._told is not None or (self._end is not None and time.monotonic() >= self._end)

    def __enter__(self) -> Stop:
        with contextlib.suppress(ValueError):  # signals belong to the main thread
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        if self._told is not None and kind is None:
            signal.raise_signal(self._told)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._told = number
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
