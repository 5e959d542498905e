"""SIGTERM to Snakemake alone, as a cluster or a service manager sends it, ends a run at every moment."""

import signal
import time

import pytest

from tests.workflow.house import House


@pytest.fixture
def busy(tmp_path):
    """A run that is choosing its next jobs, with the scheduler's lock in its hand; the file says that it has begun."""
    house = House.build(tmp_path / "house")
    asked = tmp_path / "asked"
    house.bin.mkdir()
    solver = house.bin / "cbc"
    solver.write_text(f"#!/bin/sh\n: > '{asked}'\nsleep 3\nexit 1\n")
    solver.chmod(0o755)
    run = house.start("snakemake", "--cores", "2", "--scheduler-ilp-solver", "COIN_CMD")
    yield house, run, asked
    run.kill()
    run.wait()


def test_a_run_that_is_choosing_jobs_ends_at_sigterm(busy):
    house, run, asked = busy
    while not asked.exists():
        assert run.poll() is None, (house.folder / "started.log").read_text()
        time.sleep(0.05)
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=60) == 1
    assert "Will exit after finishing currently running jobs" in (house.folder / "started.log").read_text()
    assert not (house.folder / "results/report.html").exists()
