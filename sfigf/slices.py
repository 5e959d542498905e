"""The trainings of a study in slices of time: each goes on where the last slice left it, here or on another machine."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sfigf.checkpoint import load_checkpoint
from sfigf.config import Study, write_effective
from sfigf.files import sha256_of, write_text
from sfigf.interface import UserError
from sfigf.plan import Run, method_settings, runs
from sfigf.planning import read_settings, read_study
from sfigf.selection import part_checked
from sfigf.stopping import SLICE_ENDED
from sfigf.training_code import checkpoint_name, training_code
from sfigf.weights import read_facts

_STOPPED = (SLICE_ENDED, 143, -15)
"""Exit statuses of a training that left a checkpoint: its time was up, or it was told to end."""
_PAUSE = 0.2
_digest = functools.cache(sha256_of)


@dataclasses.dataclass(frozen=True)
class Places:
    """The folders of a study's trainings; in each the files are called as the workflow calls them."""

    data: Path
    checkpoints: Path
    weights: Path
    logs: Path


@dataclasses.dataclass(frozen=True)
class Training:
    """One learned run of a study, its budget and its files."""

    run: Run
    steps: int
    train: Path
    checked: Path
    checkpoints: Path
    weights: Path
    log: Path

    @property
    def mark(self) -> Path:
        """Says that these settings and this code made the weights, by their sha256."""
        return self.checkpoints.with_name(f"{self.checkpoints.name}.done")

    @property
    def said(self) -> Path:
        """What the training says while it runs."""
        return self.checkpoints.with_name(f"{self.checkpoints.name}.txt")


@dataclasses.dataclass(frozen=True)
class State:
    """How far a training is: ``done``, ``begun``, ``new`` or ``failed``; seconds are those spent in all slices."""

    name: str
    steps: int = 0
    seconds: float = 0.0
    why: str = ""


def trainings(study: Study, places: Places, only: str = "") -> list[Training]:
    """List the learned runs of a study in its order, with the files that the workflow gives them.

    Raises:
        UserError: If no training begins with ``only``.
    """
    chosen = [run for run in runs(study) if run.learned and run.path.startswith(only)]
    if not chosen:
        raise UserError(f"study '{study.study}' has no training that begins with '{only}'; `sfigf plan` lists them")
    return [_training(study, places, run) for run in chosen]


def _training(study: Study, places: Places, run: Run) -> Training:
    settings = method_settings(study, run.task, run.method, run.condition).training
    data = places.data / run.task / run.condition
    return Training(
        run,
        settings.steps,
        data / "train.safetensors",
        data / f"{part_checked(settings)}.safetensors",
        places.checkpoints / checkpoint_name(run, training_code(study, run)),
        places.weights / f"{run.path}.safetensors",
        places.logs / f"{run.path}.jsonl",
    )


def state_of(training: Training) -> State:
    """Say how far a training is.

    It is done when weights and log are there, of the same settings and data, and no mark says that other code made
    them. Weights without a mark are the workflow's, which keeps its own books.
    """
    if _is_done(training):
        return State("done", training.steps, _seconds(training.log))
    checkpoint = load_checkpoint(training.checkpoints)
    return State("begun", checkpoint["step"], checkpoint["seconds"]) if checkpoint else State("new")


def _seconds(log: Path) -> float:
    try:
        return float(json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["seconds"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{log}: not the log of a finished training ({error}); remove it and train again") from None


def _is_done(training: Training) -> bool:
    if not (training.weights.is_file() and training.log.is_file()):
        return False
    facts = read_facts(training.weights)
    if facts.get("config_digest") != training.run.digest:
        return False
    for part, path in (("train", training.train), ("validation", training.checked)):
        if path.is_file() and (facts.get("data_digest") or {}).get(part) != _digest(path):
            return False
    marks = training.mark.parent.glob(f"{training.run.path.replace('/', '-')}-*.done")
    made_by = {mark.name for mark in marks if mark.read_text(encoding="utf-8").strip() == sha256_of(training.weights)}
    return not made_by or training.mark.name in made_by


class Slice:
    """One slice: trainings side by side until they are done or the time is up.

    Args:
        config: The effective settings.
        seconds: Time from now on until everything has stopped.
        margin: Seconds of it that are kept for stopping: a step, a validation and a checkpoint.
        jobs: How many at a time.
        device: As ``sfigf train`` takes it.
    """

    def __init__(self, config: Path, seconds: float, margin: float, jobs: int, device: str) -> None:
        self.config, self.jobs, self.device, self.margin = config, jobs, device, margin
        self.end = time.monotonic() + seconds
        self.failed: dict[Training, str] = {}
        self._running: dict[subprocess.Popen[bytes], Training] = {}

    def run(self, left: Sequence[Training]) -> None:
        """Train what is left, in the order given; whatever ends the slice, no training is left running."""
        waiting = list(left)
        try:
            while (waiting or self._running) and self._time_left() > 0:
                while waiting and len(self._running) < self.jobs:
                    self._start(waiting.pop(0))
                time.sleep(min(_PAUSE, max(0.0, self._time_left())))
                self._reap()
        finally:
            self._stop()

    def _time_left(self) -> float:
        return self.end - self.margin - time.monotonic()

    def _start(self, training: Training) -> None:
        run = training.run
        options = {
            "config": self.config, "task": run.task, "condition": run.condition, "method": run.method,
            "variant": run.variant, "seed": run.seed, "train": training.train, "validation": training.checked,
            "checkpoints": training.checkpoints, "log": training.log, "weights": training.weights,
            "device": self.device, "seconds": f"{self._time_left():.0f}",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        training.said.parent.mkdir(parents=True, exist_ok=True)
        with training.said.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "sfigf", "train", *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._running[process] = training

    def _reap(self) -> None:
        for process in [process for process in self._running if process.poll() is not None]:
            training = self._running.pop(process)
            if process.returncode == 0:
                write_text(training.mark, f"{sha256_of(training.weights)}\n")
                training.said.unlink(missing_ok=True)
            elif process.returncode not in _STOPPED:
                self.failed[training] = _last_line(training.said) or f"exit status {process.returncode}"

    def _stop(self) -> None:
        for process in self._running:
            process.terminate()
        end = time.monotonic() + self.margin
        for process in [*self._running]:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:  # its last checkpoint, about a minute old, stays
                process.kill()
                process.wait()
                self._running.pop(process)
        self._reap()


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run_slice(
    config: Sequence[Path],
    places: Places,
    seconds: float,
    margin: float | None = None,
    jobs: int = 1,
    only: str = "",
    device: str = "auto",
) -> dict[Training, State]:
    """Train what a study has left for so many seconds, the begun trainings first, then in the study's order.

    Args:
        config: Settings files, later ones change earlier ones.
        places: Where data lie, and checkpoints, weights and logs go.
        seconds: Everything has stopped by then.
        margin: Seconds of them kept for stopping; None takes a tenth, 30 at most.
        jobs: Trainings side by side.
        only: Only trainings whose path begins so.
        device: As ``sfigf train`` takes it.

    Returns:
        Every chosen training with its state after the slice.

    Raises:
        UserError: If the settings are wrong, or samples of a training that is left are not there.
    """
    began = time.monotonic()
    study = read_study(config)
    chosen = trainings(study, places, only)
    states = {training: state_of(training) for training in chosen}
    left = sorted((t for t in chosen if states[t].name != "done"), key=lambda t: states[t].name != "begun")
    for path in (path for training in left for path in (training.train, training.checked)):
        if not path.is_file():
            raise UserError(f"{path}: no such samples; make them with `snakemake data`, or name the folder with --data")
    effective = places.checkpoints / f"{study.study}.yaml"
    write_effective(json.dumps(read_settings(config)), effective)
    margin = min(30.0, seconds / 10) if margin is None else margin
    work = Slice(effective, seconds - (time.monotonic() - began), margin, jobs, device)
    work.run(left)
    after = {training: state_of(training) for training in chosen}
    return {
        training: dataclasses.replace(state, name="failed", why=work.failed[training])
        if training in work.failed
        else state
        for training, state in after.items()
    }


def describe(states: dict[Training, State]) -> Iterator[str]:
    """Yield the table of a slice: what is done, what is left."""
    width = max(len(training.run.path) for training in states)
    yield f"{'training':{width}}  state   {'steps':>19}  {'seconds':>9}"
    for training, state in states.items():
        steps = f"{state.steps:,} / {training.steps:,}"
        yield f"{training.run.path:{width}}  {state.name:6}  {steps:>19}  {state.seconds:9,.0f}"
    done = sum(state.name == "done" for state in states.values())
    yield f"{done} of {len(states)} done, {len(states) - done} left"
    for training, state in states.items():
        if state.why:
            yield f"failed: {training.run.path}: {state.why}"
