"""What goes wrong inside a process: it is struck at its n-th change of a file, or at a byte, or its clock is wrong."""

from __future__ import annotations

import dataclasses
import datetime
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Protocol

_CHANGES = {
    "os.rename": (0, 1), "os.remove": (0,), "os.chmod": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,),
    "tempfile.mkstemp": (0,),
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Hook(Protocol):
    """Something to set up in a process before its command begins."""

    def install(self) -> None: ...


@dataclasses.dataclass(frozen=True)
class AtEvent:
    """Send this process a signal right before its n-th change of a file below a folder.

    Changes are the audit events of PEP 578: opened for writing, renamed, removed, and a lock taken. A temporary file
    that is read back before its rename counts as well. With ``number`` 0 nothing happens, and the file ``count`` says
    how many changes there were.
    """

    folder: Path
    number: int
    send: int = signal.SIGKILL
    count: Path | None = None

    def install(self) -> None:
        seen, home = 0, f"{self.folder}{os.sep}"
        counter = os.open(self.count, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if self.count else None

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            if not _changes(event, arguments, home):
                return
            seen += 1
            if counter is not None:
                os.pwrite(counter, str(seen).encode(), 0)
            if seen == self.number:
                os.kill(os.getpid(), self.send)

        sys.addaudithook(hook)


def _changes(event: str, arguments: tuple[Any, ...], home: str) -> bool:
    """Whether an audit event announces a change of a file below a folder."""
    if event == "fcntl.flock":
        return True
    if event == "open":
        path, _, flags = arguments
        hidden = isinstance(path, str | os.PathLike) and os.path.basename(os.fspath(path)).startswith(".")
        return (bool(flags & _WRITING) or hidden) and _below(path, home)
    return any(_below(arguments[place], home) for place in _CHANGES.get(event, ()))


def _below(path: Any, home: str) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    return os.path.abspath(os.fsdecode(path)).startswith(home)


@dataclasses.dataclass(frozen=True)
class AtByte:
    """No file may grow beyond so many bytes: writing fails as on a full disk, or kills in the middle of the write.

    The second reaches code outside Python too. Source: setrlimit(2), RLIMIT_FSIZE and SIGXFSZ.
    """

    most_bytes: int
    kill: bool

    def install(self) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if self.kill else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.most_bytes, self.most_bytes))


@dataclasses.dataclass(frozen=True)
class WrongClock:
    """The time of day is wrong by so many seconds."""

    seconds: float

    def install(self) -> None:
        shift_clock(self.seconds)


def shift_clock(seconds: float) -> None:
    """Shift what ``time`` and ``datetime`` say the time of day is; the monotonic clock stays as it is."""
    right, plain = time.time, datetime.datetime

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return plain.now(tz) + datetime.timedelta(seconds=seconds)

    time.time = lambda: right() + seconds
    time.time_ns = lambda: int((right() + seconds) * 1e9)
    datetime.datetime = Shifted  # type: ignore[misc]


@dataclasses.dataclass(frozen=True)
class OftenSaved:
    """A training leaves a checkpoint after each step, not each minute, so that a small one has some to lose."""

    def install(self) -> None:
        from sfigf.train import Trainer

        until, _, seconds = Trainer.run.__defaults__ or (None, 60.0, None)
        Trainer.run.__defaults__ = (until, 0.0, seconds)


@dataclasses.dataclass(frozen=True)
class ShortPatience:
    """A download gives up within a second, not within minutes."""

    def install(self) -> None:
        from sfigf import fetch
        from sfigf.transfer import Patience

        fetch.Patience = lambda: Patience(attempts=4, timeout_s=0.3, pause_s=0.01)  # type: ignore[assignment,misc]
