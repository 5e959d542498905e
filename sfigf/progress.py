"""Progress of a training: a bar with loss, metric and time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any


class Progress:
    """Context manager; call ``update`` once a step.

    Args:
        facts: Task, condition, label, variant, seed of the training.
        total: Steps in all.
        start: Steps already done.
        every_seconds: Pause between lines where there is no terminal.
        shown: False says nothing: of several processes one speaks.
    """

    def __init__(
        self, facts: Mapping[str, Any], total: int, start: int = 0, every_seconds: float = 20.0, *, shown: bool = True
    ) -> None:
        self.shown = shown
        self.title = f"{facts['task']} {facts['condition']} {facts['label']}/{facts['variant']} seed {facts['seed']}"
        self.total, self.start, self.every = total, start, every_seconds
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self.shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
            self._bar = Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, completed=self.start, note="")
        return self

    def update(self, step: int, loss: float, best: float | None) -> None:
        """Show the step, its loss and the best validation value so far."""
        if not self.shown:
            return
        note = f"loss {loss:.4g}" + (f", best {best:.4g}" if best is not None else "")
        if self._bar is not None:
            self._bar.update(self._task, completed=step, note=note)
            return
        now = time.monotonic()
        if now - self._said >= self.every or step == self.total:
            left = (now - self._began) / max(1, step - self.start) * (self.total - step)
            # Who told a job to end may have ended the reader of its lines first: that must not cost the checkpoint.
            with contextlib.suppress(BrokenPipeError):
                print(f"{self.title}: step {step}/{self.total}, {note}, {left:.0f} s left", file=sys.stderr, flush=True)
            self._said = now

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
