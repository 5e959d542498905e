"""Faults of one command: struck by a signal, a full disk, a bad line, a wrong clock, or by its own twin."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import disk, judge, line
from tests.faults.hooks import AtByte, AtEvent, Hook, WrongClock
from tests.faults.outcome import Outcome, Strike, in_time, struck_by
from tests.faults.processes import Command, orphans
from tests.faults.study import USUAL, Job, Study

_ENDED = {signal.SIGINT: 130, signal.SIGTERM: 143}
_YEAR_S = 366 * 86400.0


class Case:
    """A command in a folder of its own, ready to be struck."""

    def __init__(self, study: Study, job: Job, folder: Path, rng: random.Random, server: Any) -> None:
        self.study, self.job, self.folder, self.rng, self.server = study, job, folder, rng, server
        self.changes, self.seconds = study.takes[job].changes, study.takes[job].seconds
        self._commands = 0

    def start(self, *hooks: Hook) -> Command:
        """Start the command."""
        self._commands += 1
        log = self.study.home / f"{self.folder.name}-{self._commands}.log"
        return Command(self.job.words, self.folder, log, [*USUAL, *hooks])

    def event(self) -> int:
        """One of the changes of files, drawn."""
        return self.rng.randint(1, self.changes)


def at_event(number: int) -> Callable[[Case], Strike]:
    """A signal right before a drawn change of a file."""

    def strike(case: Case) -> Strike:
        event = case.event()
        command = case.start(AtEvent(case.folder, event, number))
        return _ended(command, number, f"change {event} of {case.changes}")

    return strike


def at_time(number: int) -> Callable[[Case], Strike]:
    """A signal at a drawn time of the command."""

    def strike(case: Case) -> Strike:
        moment = case.rng.uniform(0.0, case.seconds)
        command = case.start()
        time.sleep(moment)
        command.send(number)
        return _ended(command, number, f"after {moment:.2f} s of {case.seconds:.2f} s")

    return strike


def _ended(command: Command, number: int, where: str) -> Strike:
    status, complaints = command.wait(), []
    early = -number  # before there was a handler
    if status not in (0, early, _ENDED.get(signal.Signals(number), early)):
        complaints.append(f"exit status {status}: {command.said()[-200:]!r}")
    return Strike(status != 0, where, number != signal.SIGKILL, tuple(complaints))


def within_a_write(kill: bool) -> Callable[[Case], Strike]:
    """Killed, or refused, at a drawn byte of the largest file that is written."""

    def strike(case: Case) -> Strike:
        largest = max((case.study.whole / output).stat().st_size for output in case.job.outputs)
        limit = case.rng.randrange(largest)
        command = case.start(AtByte(limit, kill))
        status, where = command.wait(), f"byte {limit} of {largest}"
        if kill:
            return Strike(status != 0, where)
        return Strike(status != 0, where, tidy=True)

    return strike


def full_disk(case: Case) -> Strike:
    """A disk with less room than the command needs; it is made larger afterwards."""
    made = sum((case.study.whole / output).stat().st_size for output in case.job.outputs)
    room = case.rng.randrange(made)
    with disk.filled(case.folder, room):
        command = case.start()
        status = command.wait()
    complaints = judge.said_badly(command.said()) if status else []
    complaints += [f"exit status {status}, not 2"] if status not in (0, 2) else []
    return Strike(status != 0, f"{room} of {made} bytes free", True, tuple(complaints))


def clock(case: Case) -> Strike:
    """Files from any year, a clock that is years ahead, a kill, and then a clock that is years behind."""
    for path in (path for path in case.folder.rglob("*") if not path.name.endswith("-summary.csv")):
        os.utime(path, (moment := time.time() + case.rng.uniform(-30, 12) * _YEAR_S, moment))
    event = case.event()
    ahead, behind = case.rng.uniform(0, 12) * _YEAR_S, -case.rng.uniform(0, 30) * _YEAR_S
    status = case.start(WrongClock(ahead), AtEvent(case.folder, event)).wait()
    command = case.start(WrongClock(behind))
    complaints = [f"with a clock behind: {command.said()[-200:]!r}"] if command.wait() else []
    return Strike(status != 0, f"{ahead / _YEAR_S:+.1f}, {behind / _YEAR_S:+.1f} years", False, tuple(complaints))


def two_at_once(case: Case) -> Strike:
    """The same command twice in one folder."""
    pause = case.rng.choice([0.0, case.rng.uniform(0, case.seconds)])
    first = case.start()
    time.sleep(pause)
    second = case.start()
    return Strike(True, f"{pause:.2f} s apart", True, tuple(_one_of(case, first, second)))


def frozen(case: Case) -> Strike:
    """The command stops before a drawn change, the same command runs, then the first goes on."""
    event = case.event()
    first = case.start(AtEvent(case.folder, event, signal.SIGSTOP))
    while not first.stopped() and first.process.is_alive():
        time.sleep(0.01)
    second = case.start()
    with contextlib.suppress(TimeoutError):
        second.process.join(30)
    first.send(signal.SIGCONT)
    return Strike(True, f"change {event} of {case.changes}", True, tuple(_one_of(case, first, second)))


def _one_of(case: Case, first: Command, second: Command) -> Iterator[str]:
    """Of two at least one does it; the other does it too, or is refused in one line."""
    statuses = [(command, command.wait()) for command in (first, second)]
    if all(status for _, status in statuses):
        yield "neither did it"
    for command, status in statuses:
        if status:
            yield from judge.said_badly(command.said())


def bad_line(case: Case) -> Strike:
    """Up to four requests, each meets a drawn fault of the line."""
    faults = case.rng.choices(line.FAULTS, k=case.rng.randint(1, 4))
    case.server.faults[:] = faults
    command = case.start()
    status = command.wait()
    case.server.faults.clear()
    complaints = judge.said_badly(command.said()) if status else []
    return Strike(True, ", ".join(faults), False, tuple(complaints))


FAULTS: dict[str, Callable[[Case], Strike]] = {
    "kill -9 at a change": at_event(signal.SIGKILL),
    "kill -9 at a time": at_time(signal.SIGKILL),
    "killed within a write": within_a_write(kill=True),
    "Ctrl-C at a change": at_event(signal.SIGINT),
    "SIGTERM at a change": at_event(signal.SIGTERM),
    "SIGTERM at a time": at_time(signal.SIGTERM),
    "disk full (tmpfs)": full_disk,
    "disk full (limit)": within_a_write(kill=False),
    "clock jumps": clock,
    "twice at once": two_at_once,
    "stopped, and a second": frozen,
    "bad line": bad_line,
}


def fits(fault: str, job: Job) -> bool:
    """Whether a fault can strike a command here."""
    if fault == "bad line":
        return job.words[0] == "fetch"
    return fault != "disk full (tmpfs)" or disk.mountable()


def measure(study: Study, job: Job) -> None:
    """Run a command that is not the workflow's undisturbed, in a folder without what it makes."""
    with disk.folder_for(study, job.outputs, small=False) as folder:
        study.undisturbed(job, folder)


def try_fault(study: Study, job: Job, fault: str, seed: int, server: Any) -> Outcome | None:
    """Strike a command, judge what is there, run it again, judge what has become; None if the fault did not strike."""
    rng, began = random.Random(f"{job.kind} {fault} {seed}"), time.monotonic()
    with disk.folder_for(study, job.outputs, small=fault == "disk full (tmpfs)") as folder:
        if job.words[0] != "fetch" and rng.random() < 0.5:
            for output in job.outputs:
                (folder / output).write_bytes(judge.OLDER)
        case = Case(study, job, folder, rng, server)
        strike = struck_by(FAULTS[fault], case)
        if not strike.struck:
            return None
        losses = [*strike.complaints, *after_the_fault(study, job, folder, strike), *in_time(after_all(case))]
        left = judge.left(folder)
    return Outcome(job.kind, fault, seed, strike.where, tuple(losses), len(left), time.monotonic() - began)


def after_the_fault(study: Study, job: Job, folder: Path, strike: Strike) -> Iterator[str]:
    """Complain of what must not be there the moment after a fault."""
    yield from (f"orphan: {name}" for name in orphans(folder))
    yield from judge.broken(folder, study.whole, job.outputs)
    left = [name for name in judge.left(folder) if not (job.words[0] == "fetch" and name.endswith(".part"))]
    most = 0 if strike.tidy else 2 if "clock" in strike.where else 1
    if len(left) > most:
        yield f"left behind: {', '.join(left)}"
    for checkpoint in folder.rglob("last.pt"):
        if not zipfile.is_zipfile(checkpoint) or zipfile.ZipFile(checkpoint).testzip() is not None:
            yield "half a checkpoint"


def after_all(case: Case) -> Iterator[str]:
    """Run the same command again and complain of what is not as in an undisturbed run."""
    command = case.start()
    status = command.wait()
    if status:
        yield f"again: exit status {status}: {command.said()[-300:]!r}"
    yield from judge.differing(case.folder, case.study.whole, case.job.outputs)
    words = case.job.words
    if "--checkpoints" in words and (case.folder / words[words.index("--checkpoints") + 1]).exists():
        yield "checkpoints are still there"
