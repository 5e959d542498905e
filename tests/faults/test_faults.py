"""A dozen faults; `make torture` injects some hundred."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import commands, disk, judge, workflow
from tests.faults.line import bad_line
from tests.faults.outcome import Strike, in_time, struck_by
from tests.faults.study import GIFT, Job, Study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A tiny study, run undisturbed up to its tables."""
    study = Study(tmp_path_factory.mktemp("faults").resolve())
    study.make({job.rule for job in workflow.on_the_way(study)})
    return study


@pytest.fixture(scope="module")
def server(study: Study) -> Iterator[Any]:
    with bad_line(study.whole / "data/fetched" / GIFT) as server:
        yield server


def job_of(study: Study, kind: str, server: Any) -> Job:
    if kind != "fetch":
        return next(job for job in study.jobs if job.kind == kind)
    job = study.fetching(server.index)
    if job not in study.takes:
        commands.measure(study, job)
    return job


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("train", "kill -9 at a change"),
        ("train", "stopped, and a second"),
        ("train", "SIGTERM at a change"),
        ("prepare", "killed within a write"),
        ("degrade", "disk full (tmpfs)"),
        ("render", "disk full (limit)"),
        ("restore-set", "Ctrl-C at a change"),
        ("score", "clock jumps"),
        ("tabulate", "kill -9 at a change"),
        ("fetch", "kill -9 at a change"),
        ("fetch", "killed within a write"),
        ("fetch", "bad line"),
        ("fetch", "stopped, and a second"),
        ("train", "disk full (tmpfs)"),
    ],
)
def test_a_fault_loses_nothing(study: Study, server: Any, kind: str, fault: str) -> None:
    job = job_of(study, kind, server)
    if not commands.fits(fault, job):
        pytest.skip("a small disk can be mounted on Linux alone, by root")
    outcomes = (commands.try_fault(study, job, fault, seed, server) for seed in range(5))
    outcome = next(filter(None, outcomes))
    assert not outcome.losses, outcome.line


def test_a_killed_run_leaves_no_orphan_and_loses_nothing(study: Study) -> None:
    outcome = workflow.try_fault(study, "kill -9 of Snakemake, a long job", seed=25)
    assert outcome is not None
    assert not outcome.losses, outcome.line


def test_the_judge_sees_what_is_half_written_and_what_differs(tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "folder"
    for place in (whole, folder):
        place.mkdir()
        (place / "a.csv").write_text("one,two\n")
    assert judge.broken(folder, whole, ["a.csv", "b.csv"]) == []
    assert judge.differing(folder, whole, ["a.csv", "b.csv"]) == ["missing: b.csv"]
    (folder / "a.csv").write_text("one,")
    assert judge.broken(folder, whole, ["a.csv"]) == ["half-written: a.csv"]
    (folder / ".a-0abc_def.csv").write_text("one")
    (folder / "gift.tar.gz.part").write_text("one")
    assert judge.left(folder) == [".a-0abc_def.csv", "gift.tar.gz.part"]
    assert judge.said_badly("sfigf: disk full: free some") == []
    assert judge.said_badly("Traceback (most recent call last):\nOSError: no")
    assert judge.said_badly("")


def test_a_file_written_in_place_is_a_loss(study: Study, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself: a command that writes under its final name is found out."""
    job = Job("broken", ("score", "--help"), ("results/scores/in-place.csv",))
    monkeypatch.setitem(study.takes, job, study.takes[job_of(study, "score", server)])
    monkeypatch.setitem(commands.FAULTS, "half", _half)
    (study.whole / job.outputs[0]).write_text("whole")
    outcome = commands.try_fault(study, job, "half", 0, server)
    assert outcome is not None
    assert f"half-written: {job.outputs[0]}" in outcome.losses
    assert f"differs: {job.outputs[0]}" in outcome.losses


def test_what_hangs_is_a_loss_and_does_not_end_the_count() -> None:
    def hanging(case: None) -> Strike:
        raise TimeoutError("still running after 300 s")

    def complaints() -> Iterator[str]:
        yield "differs: a.csv"
        raise TimeoutError("still running after 300 s")

    assert struck_by(hanging, None).complaints == ("hangs: still running after 300 s",)
    assert list(in_time(complaints())) == ["differs: a.csv", "hangs: still running after 300 s"]


def _half(case: commands.Case) -> commands.Strike:
    (case.folder / case.job.outputs[0]).write_text("wh")
    return commands.Strike(True, "in the middle")


@pytest.mark.skipif(not disk.mountable(), reason="a small disk can be mounted on Linux alone, by root")
def test_a_small_disk_is_really_full(study: Study) -> None:
    with disk.folder_for(study, (), small=True) as folder:
        with disk.filled(folder, room=0), pytest.raises(OSError, match="No space left"):
            (folder / "more").write_bytes(b"1" * 5000)
        (folder / "more").write_bytes(b"1" * 5000)
