"""How far a restoration is: a bar on a terminal; elsewhere a line per image where there are several, else nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sfigf.small_files import one_line


class Bar:
    """Context manager; ask it for a callback per image, and tell it when that is done.

    Args:
        images: How many there are.
    """

    def __init__(self, images: int) -> None:
        self.images = images
        self._began = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._all = self._bar.add_task("images", total=self.images, visible=self.images > 1)
            self._one = self._bar.add_task("", total=1.0)
        return self

    def begin(self, name: str) -> Callable[[float], None]:
        """Begin an image; returns what takes its share done, 0 to 1."""
        self._began = time.monotonic()
        if self._bar is None:
            return lambda share: None
        self._bar.update(self._one, description=one_line(name), completed=0)
        return lambda share: self._bar.update(self._one, completed=share)

    def end(self, line: str) -> None:
        """End an image with a line on what became of it; shown where there are several."""
        if self._bar is not None:
            self._bar.advance(self._all)
        elif self.images > 1:
            print(f"{one_line(line)}, {time.monotonic() - self._began:.1f} s", file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
