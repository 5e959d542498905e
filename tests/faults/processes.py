"""Processes that may be struck: commands forked from a warm server, whole runs in a session of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import ROOT
from tests.faults.hooks import Hook

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
HANGS_S = 300.0
"""A command of a tiny study that takes longer hangs."""


class Command:
    """One ``sfigf`` command in a folder, in a session of its own; what it says goes to ``log``."""

    def __init__(self, words: Sequence[str], folder: Path, log: Path, hooks: Sequence[Hook] = ()) -> None:
        os.environ.update(THREADS)
        context: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
        if sys.platform == "linux":
            context.set_forkserver_preload(["tests.faults.warm"])
        self.log = log
        self.process: BaseProcess = context.Process(target=_run, args=(list(words), folder, log, list(hooks)))
        self.began = time.monotonic()
        self.process.start()

    def send(self, number: int) -> bool:
        """Send a signal; whether there was a process to receive it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, number)
            return self.process.is_alive() or self.process.exitcode == -number
        return False

    def wait(self, seconds: float = HANGS_S) -> int:
        """Wait for the end and return the exit status, minus the signal if one ended it.

        Raises:
            TimeoutError: If it does not end; it is killed.
        """
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"still running after {seconds:.0f} s")
        return self.process.exitcode

    def stopped(self) -> bool:
        """Whether a signal has stopped the process, to go on later."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
        return False

    def said(self) -> str:
        """Everything it wrote to its standard output and error."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def _run(words: list[str], folder: Path, log: Path, hooks: list[Hook]) -> None:
    os.setsid()
    os.chdir(folder)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from sfigf.cli import main

    for hook in hooks:
        hook.install()
    main(words)


class Run:
    """A run of the workflow, in a session and process group of its own."""

    def __init__(self, words: Sequence[str], log: Path, changes: dict[str, str] | None = None) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, **THREADS, "PATH": path, "PYTHONPATH": str(ROOT), **(changes or {})}
        self.log, self.began = log, time.monotonic()
        with log.open("w") as sink:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment, start_new_session=True
            )

    def send_group(self, number: int) -> bool:
        """Send a signal to everything in the group, as a terminal does; whether there was something."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
            return True
        return False

    def wait(self, seconds: float = HANGS_S) -> int:
        """Wait for the end of Snakemake itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send_group(signal.SIGKILL)
            self.process.wait()
            raise TimeoutError(f"still running after {seconds:.0f} s") from None

    def said(self) -> str:
        """Everything it wrote."""
        return self.log.read_text(errors="replace")


def working_in(folder: Path) -> list[psutil.Process]:
    """Living processes that work in a folder or below it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def orphans(folder: Path, seconds: float = 10.0) -> list[str]:
    """Wait for a folder's processes to end, and end those that do not; return what they were."""
    end = time.monotonic() + seconds
    while (living := working_in(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    names = []
    for process in living:
        with contextlib.suppress(psutil.Error):
            names.append(" ".join(process.cmdline()[:4]))
            process.kill()
    return names
