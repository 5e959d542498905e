"""A job of the workflow ends when its run is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sfigf.leash import VARIABLE, this_run
from tests.conftest import ROOT
from tests.faults.processes import THREADS, orphans

WAITS = """
import time
from sfigf.cli import app, main

@app.command("wait")
def wait():
    print("waiting", flush=True)
    time.sleep(60)

main(["wait"])
"""


def named(process: int) -> str:
    """How a run with this process id names itself."""
    return f"{process}@{this_run().partition('@')[2]}"


def test_a_job_that_begins_after_the_end_of_its_run_ends_at_once() -> None:
    run = subprocess.Popen([sys.executable, "-c", ""])
    run.wait()
    environment = {**os.environ, **THREADS, "PYTHONPATH": str(ROOT), VARIABLE: named(run.pid)}
    job = subprocess.run([sys.executable, "-c", WAITS], env=environment, capture_output=True, timeout=50, check=False)
    assert job.returncode == 128 + signal.SIGTERM


def test_a_job_ends_with_its_run() -> None:
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    environment = {**os.environ, **THREADS, "PYTHONPATH": str(ROOT), VARIABLE: named(run.pid)}
    job = subprocess.Popen([sys.executable, "-c", WAITS], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert job.stdout is not None
        assert job.stdout.readline() == "waiting\n"
        assert job.poll() is None
        run.kill()  # and nobody asks for its status: it stays a zombie
        assert job.wait(30) == 128 + signal.SIGTERM
    finally:
        for process in (run, job):
            process.kill()
            process.wait()


@pytest.mark.parametrize("run", ["", "none", "99999999", "99999999@elsewhere"])
def test_a_run_that_cannot_be_seen_is_not_followed(run: str) -> None:
    environment = {**os.environ, **THREADS, "PYTHONPATH": str(ROOT), VARIABLE: run}
    code = WAITS.replace("time.sleep(60)", "time.sleep(1.5)")
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode == 0


def test_an_orphan_is_found(tmp_path: Path) -> None:
    """The harness itself: a process that goes on in the folder is seen, and ended."""
    folder = tmp_path.resolve()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=folder)
    assert len(orphans(folder, seconds=0.5)) == 1
    assert process.wait(10) == -signal.SIGKILL
    assert orphans(folder, seconds=0.5) == []
