"""A job of the workflow ends when its run is gone: nothing goes on for nobody after a kill -9 of Snakemake.

The run names itself in the environment of its jobs. Each job looks after it once a second, and tells itself to end as
SIGTERM would: what was begun in temporary files is taken away, and a training leaves a checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import threading
import time
from pathlib import Path

VARIABLE = "SFIGF_RUN"
"""Holds what names the run that a job belongs to: its process id, and where that id means it."""
_LOOK_EVERY_S = 1.0


def this_run() -> str:
    """Return what names this process to its jobs: ``4711@host/pid:[4026531836]``."""
    return f"{os.getpid()}@{_here()}"


def _here() -> str:
    """The machine, and the container: elsewhere the same process id is another process."""
    with contextlib.suppress(OSError):
        return f"{platform.node()}/{os.readlink('/proc/self/ns/pid')}"
    return platform.node()


def follow() -> None:
    """Watch the run named in the environment; nothing to do without one, or if it is not of this machine."""
    named, _, where = os.environ.get(VARIABLE, "").partition("@")
    if named.isdecimal() and where == _here():
        threading.Thread(target=_end_with, args=(int(named),), name="leash", daemon=True).start()


def _end_with(run: int) -> None:
    while _alive(run):
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _alive(process: int) -> bool:
    """Whether a process is there and has not ended, though nobody may have asked for its status yet."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (ProcessLookupError, OverflowError):
        return False
    except (OSError, IndexError):  # not ours to signal, or a system without /proc
        return True
    return state not in "ZX"
