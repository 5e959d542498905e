"""Inject faults and count what is lost: ``python -m tests.faults --only train --count 5 --seed 3``."""

from __future__ import annotations

import argparse
import itertools
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults import commands, workflow
from tests.faults.line import bad_line
from tests.faults.outcome import Outcome, markdown
from tests.faults.study import GIFT, Job, Study


def main() -> int:
    """Inject the faults that are asked for; 1 if anything was lost."""
    asked = _asked()
    began, outcomes = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        for outcome in inject(Path(place).resolve(), asked):
            print(outcome.line, flush=True)
            outcomes.append(outcome)
    about = (
        f"{len(outcomes)} faults, seed {asked.seed}, {(time.monotonic() - began) / 60:.0f} min, Python"
        f" {platform.python_version()} on {platform.system()}."
    )
    text = markdown(outcomes, about)
    print("\n" + text)
    if asked.markdown:
        asked.markdown.parent.mkdir(parents=True, exist_ok=True)
        asked.markdown.write_text(text)
    return int(any(outcome.losses for outcome in outcomes) or not outcomes)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="a command such as train or 'draw zoom', or workflow")
    parser.add_argument("--fault", default="", help="faults whose name holds this")
    parser.add_argument("--count", type=int, default=230, help="how many faults to inject")
    parser.add_argument("--seed", type=int, default=0, help="the moments are drawn from it")
    parser.add_argument("--runs", type=int, default=40, help="how many of them strike a run of the whole workflow")
    parser.add_argument("--markdown", type=Path, help="file to write the tables to")
    return parser.parse_args()


def inject(home: Path, asked: argparse.Namespace) -> Iterator[Outcome]:
    """Make the undisturbed study, then inject one fault after the other."""
    study = Study(home)
    study.make()
    with bad_line(study.whole / "data/fetched" / GIFT) as server:
        fetching = study.fetching(server.index)
        with_fetch = [fetching, *study.jobs]
        jobs = {job.kind: job for job in reversed(with_fetch) if not asked.only or job.kind == asked.only}
        runs = 0 if asked.only not in ("", "workflow") else asked.runs if jobs else asked.count
        if asked.only in ("", "fetch"):
            commands.measure(study, fetching)
        cases = [(job, fault) for job in jobs.values() for fault in commands.FAULTS if commands.fits(fault, job)]
        cases = [case for case in cases if asked.fault in case[1]]
        yield from itertools.islice(_of_commands(study, cases, asked.seed, server), asked.count - runs)
        faults = [fault for fault in workflow.FAULTS if asked.fault in fault]
        yield from itertools.islice(_of_runs(study, faults, asked.seed), runs)


def _of_commands(study: Study, cases: list[tuple[Job, str]], seed: int, server: Any) -> Iterator[Outcome]:
    """Every fault of every command in a drawn order, round after round."""
    for turn in itertools.count(seed):
        drawn = random.Random(turn).sample(cases, len(cases))
        tried = (commands.try_fault(study, job, fault, turn, server) for job, fault in drawn)
        struck = False
        for outcome in filter(None, tried):
            struck = True
            yield outcome
        if not struck:
            return


def _of_runs(study: Study, faults: list[str], seed: int) -> Iterator[Outcome]:
    for turn in itertools.count(seed) if faults else ():
        yield from filter(None, (workflow.try_fault(study, fault, turn) for fault in faults))


if __name__ == "__main__":
    sys.exit(main())
