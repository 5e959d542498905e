"""Faults of a run of the whole workflow: real Snakemake, real commands, a tiny study."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.faults import disk, judge
from tests.faults.outcome import Outcome, Strike, in_time, struck_by
from tests.faults.processes import Run, orphans, working_in
from tests.faults.study import SLOW, Job, Study

TARGETS = ("results/metrics.json", "results/tables/depth-statistics.csv")
_BESIDE = ("draw", "sheet", "report", "robustness", "tabulate-robustness")
_CLOCK = f"{ROOT}/tests/faults/clock{os.pathsep}{ROOT}"
_YEAR_S = 366 * 86400.0


def on_the_way(study: Study) -> list[Job]:
    """The jobs of a run up to the tables; figures and the report are struck as single commands."""
    return [job for job in study.jobs if job.words[0] not in _BESIDE]


class Case:
    """A folder in which a part of the workflow is already done, and a moment to strike."""

    def __init__(self, study: Study, folder: Path, todo: list[Job], rng: random.Random) -> None:
        self.study, self.folder, self.todo, self.rng = study, folder, todo, rng
        self._runs = 0

    def start(self, **changes: str) -> Run:
        """Start the workflow, as ``make`` does but for releasing a lock."""
        self._runs += 1
        log = self.study.home / f"{self.folder.name}-run{self._runs}.log"
        return Run(self.study.snakemake(self.folder, "--cores", "2", *TARGETS), log, changes)

    def files(self) -> set[str]:
        """Every file and folder that is there now."""
        found: set[str] = set()
        for place, folders, names in os.walk(self.folder):
            found.update(f"{place}/{name}" for name in (*folders, *names))
        return found

    def moment(self, run: Run) -> str | None:
        """Wait for a drawn moment: so many new files, temporary ones included; None if the run ended first."""
        wanted = self.rng.randint(1, 5 * len(self.todo))
        seen = self.files()
        new = 0
        while new < wanted:
            if run.process.poll() is not None:
                return None
            there = self.files()
            new, seen = new + len(there - seen), seen | there
            time.sleep(0.01)
        return f"{new} new files, {len(self.todo)} jobs to do"


def to_all(number: int) -> Callable[[Case], Strike]:
    """A signal to the whole process group, as Ctrl-C in a terminal, or a closed one, sends it."""

    def strike(case: Case) -> Strike:
        run = case.start()
        where = case.moment(run)
        struck = where is not None and run.send_group(number)
        run.wait()
        return Strike(struck, where or "", number != signal.SIGKILL)

    return strike


def to_snakemake(number: int) -> Callable[[Case], Strike]:
    """A signal to Snakemake alone."""

    def strike(case: Case) -> Strike:
        run = case.start()
        where = case.moment(run)
        if where:
            run.process.send_signal(number)
        run.wait()
        return Strike(where is not None, where or "", number != signal.SIGKILL)

    return strike


def to_a_job(program: str) -> Callable[[Case], Strike]:
    """kill -9 of one process of a job: the command, or the shell around it."""

    def strike(case: Case) -> Strike:
        run = case.start()
        where, victim = case.moment(run), None
        while where and victim is None and run.process.poll() is None:
            named = [process for process in working_in(case.folder) if program in _programs(process)]
            victim = case.rng.choice(named) if named else None
        if victim is not None:
            with contextlib.suppress(psutil.Error):
                where = f"{' '.join(victim.cmdline()[1:4])[-30:]}"
                victim.kill()
        run.wait()
        return Strike(victim is not None, where or "")

    return strike


def _programs(process: psutil.Process) -> set[str]:
    with contextlib.suppress(psutil.Error):
        return {Path(word).name for word in process.cmdline()[:2]}
    return set()


def a_long_job(case: Case) -> Strike:
    """kill -9 of Snakemake while a job runs that would go on for a long time."""
    (case.folder / SLOW).touch()
    run = case.start()
    while not any("sfigf" in _programs(process) for process in working_in(case.folder)):
        if run.process.poll() is not None:
            return Strike(False, "")
        time.sleep(0.05)
    time.sleep(case.rng.uniform(0, 2))
    run.process.kill()
    run.wait()
    return Strike(True, f"{len(case.todo)} jobs to do")


def two_runs(case: Case) -> Strike:
    """The same run twice in one folder, the second one as ``make`` starts it."""
    pause = case.rng.choice([0.0, case.rng.uniform(0, 10)])
    first = case.start()
    time.sleep(pause)
    refused = unlock(case.folder)
    second = None if refused else case.start()
    statuses = [run.wait() for run in (first, second) if run is not None]
    complaints = [] if 0 in statuses else ["neither did it"]
    return Strike(True, f"{pause:.1f} s apart", True, tuple(complaints))


def full_disk(case: Case) -> Strike:
    """A disk with less room than the run needs."""
    made = sum((case.study.whole / output).stat().st_size for job in case.todo for output in job.outputs)
    room = case.rng.randrange(made + 200_000)
    with disk.filled(case.folder, room):
        status = case.start().wait()
    return Strike(status != 0, f"{room} of {made} bytes free", True)


def clock(case: Case) -> Strike:
    """Files from any year, a clock years ahead, then everything is killed; the next run has the right clock."""
    for path in case.folder.rglob("*"):
        os.utime(path, (moment := time.time() + case.rng.uniform(-30, 12) * _YEAR_S, moment))
    shift = case.rng.uniform(-30, 12) * _YEAR_S
    run = case.start(PYTHONPATH=_CLOCK, FAULTS_CLOCK_S=str(shift))
    where = case.moment(run)
    run.send_group(signal.SIGKILL)
    run.wait()
    return Strike(where is not None, f"{shift / _YEAR_S:+.1f} years, {where}")


FAULTS: dict[str, Callable[[Case], Strike]] = {
    "kill -9 of Snakemake": to_snakemake(signal.SIGKILL),
    "kill -9 of a command": to_a_job("sfigf"),
    "kill -9 of a job's shell": to_a_job("bash"),
    "kill -9 of everything": to_all(signal.SIGKILL),
    "kill -9 of Snakemake, a long job": a_long_job,
    "Ctrl-C": to_all(signal.SIGINT),
    "SIGTERM to everything": to_all(signal.SIGTERM),
    "SIGTERM to Snakemake": to_snakemake(signal.SIGTERM),
    "terminal closed (SIGHUP)": to_all(signal.SIGHUP),
    "two runs in one folder": two_runs,
    "clock jumps": clock,
    "disk full (tmpfs)": full_disk,
}


_SLOWED = {"kill -9 of Snakemake, a long job": ("degrade", "train", "restore-set", "score")}
"""Faults that need a run to begin with a command that can be slowed."""


def try_fault(study: Study, fault: str, seed: int) -> Outcome | None:
    """Strike a run, judge what is there, run again as ``make`` does, judge what has become."""
    small = "tmpfs" in fault
    if small and not disk.mountable():
        return None
    rng, began = random.Random(f"workflow {fault} {seed}"), time.monotonic()
    jobs = on_the_way(study)
    begins = [place for place, job in enumerate(jobs[:-2]) if fault not in _SLOWED or job.words[0] in _SLOWED[fault]]
    todo = jobs[rng.choice(begins) :]
    without = tuple(
        output for job in (*todo, *(job for job in study.jobs if job not in jobs)) for output in job.outputs
    )
    with disk.folder_for(study, without, small) as folder:
        strike = struck_by(FAULTS[fault], Case(study, folder, todo, rng))
        if not strike.struck:
            return None
        losses = [*strike.complaints, *after_the_fault(study, folder, strike)]
        losses += in_time(after_all(study, folder))
        left = judge.left(folder)
    return Outcome("workflow", fault, seed, strike.where, tuple(losses), len(left), time.monotonic() - began)


def after_the_fault(study: Study, folder: Path, strike: Strike) -> Iterator[str]:
    """Complain of what must not be there the moment after a fault."""
    yield from (f"orphan: {name}" for name in orphans(folder))
    yield from judge.broken(folder, study.whole, compared(study))
    left = judge.left(folder)
    if len(left) > (0 if strike.tidy else 2):  # as many as there are cores
        yield f"left behind: {', '.join(left)}"


def after_all(study: Study, folder: Path) -> Iterator[str]:
    """Run again, as ``make`` does, and complain of what is not as in an undisturbed run."""
    (folder / SLOW).unlink(missing_ok=True)
    refused = unlock(folder)
    if refused:
        yield f"not unlocked: {refused}"
    run = Run(study.snakemake(folder, "--cores", "2", *TARGETS), study.home / f"{folder.name}-again.log")
    if run.wait():
        yield f"again: {run.said()[-400:]!r}"
    yield from judge.differing(folder, study.whole, compared(study))
    locks = folder / ".snakemake/locks"
    if locks.is_dir() and any(locks.iterdir()):
        yield "locks are still there"


def unlock(folder: Path) -> str:
    """Release a stale lock as the Makefile does; what was said if it was refused."""
    words = [sys.executable, f"{ROOT}/scripts/unlock.py", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def compared(study: Study) -> list[str]:
    """Everything a run makes up to the tables, but tables of seconds and what a run removes itself."""
    outputs = [output for job in on_the_way(study) for output in job.outputs]
    return [output for output in outputs if not judge.measured(output) and not output.startswith("data/rendered/")]
