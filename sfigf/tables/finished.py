"""A finished study, read back from its folder."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.config import Study, load_effective
from sfigf.interface import UserError
from sfigf.tables.costs import read_counted, read_measured
from sfigf.tables.protocol import protocols_named, read_task
from sfigf.tables.scores import read_scores
from sfigf.tables.summary import read_summary


@dataclasses.dataclass(frozen=True)
class Training:
    """Seconds of one training, where, and the study's path of it."""

    path: str
    seconds: float
    device: str


@dataclasses.dataclass(frozen=True)
class Finished:
    """The results of one study; ``folder`` is its ``results``, ``name`` how the page calls the place."""

    folder: Path
    name: str

    @functools.cached_property
    def study(self) -> Study:
        """Its settings."""
        return load_effective(self.folder / "config.yaml")

    @property
    def tasks(self) -> list[str]:
        """Tasks whose tables are there."""
        return [task for task in self.study.tasks if (self.folder / f"tables/{task}-summary.csv").is_file()]

    def summary(self, task: str) -> pd.DataFrame:
        """Means of a task."""
        return read_summary(self.folder / f"tables/{task}-summary.csv")

    def scores(self, task: str) -> pd.DataFrame:
        """Every score of a task."""
        return read_scores([self.folder / f"tables/{task}.csv"], task)

    def costs(self, task: str) -> pd.DataFrame:
        """What was counted and measured, one row per run."""
        counted = read_counted([self.folder / f"tables/{task}-cost.csv"])
        timed = read_measured([self.folder / f"tables/{task}-timing.csv"])
        return counted.merge(timed, on=["task", "condition", "method", "variant"])

    def protocols(self, task: str) -> dict[str, list[str]]:
        """Protocols that the study names, by condition."""
        return protocols_named(read_task(self.folder / "config.yaml", task))

    def words(self, task: str) -> dict[str, Any]:
        """What the numbers say, where the study has it."""
        return self._json(f"tables/{task}-words.json")

    @property
    def self_tests(self) -> list[dict[str, Any]]:
        """What bicubic gave where a protocol says what it must give."""
        return list(self._json("audit/self-test.json").get("passed", ()))

    @property
    def trainings(self) -> list[Training]:
        """Every training that left a log."""
        return list(self._trainings())

    def _trainings(self) -> Iterator[Training]:
        home = self.folder / "training"
        for log in sorted(home.rglob("[!.]*.jsonl")):
            try:
                end = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
                ended = Training(
                    log.relative_to(home).with_suffix("").as_posix(), float(end["seconds"]), str(end["device"])
                )
            except (OSError, ValueError, LookupError, TypeError, RecursionError):
                continue  # of a training that has not ended
            if end.get("event") == "end":
                yield ended

    @property
    def day(self) -> str:
        """Day on which the tables were written last, by the clock of the files."""
        times = [path.stat().st_mtime for path in (self.folder / "tables").glob("*-summary.csv")]
        return datetime.datetime.fromtimestamp(max(times), datetime.UTC).strftime("%Y-%m-%d")

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{path}: not readable JSON ({error}); make it again") from None


def read_finished(folder: Path, name: str) -> Finished | None:
    """Return a study with tables, or None where there is none."""
    finished = Finished(folder, name)
    return finished if (folder / "config.yaml").is_file() and finished.tasks else None
