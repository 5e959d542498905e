"""Where the files of a study lie, and what of them is there."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.config import read_yaml
from sfigf.interface import UserError
from sfigf.robustness.curves import COLUMNS as PERTURBATIONS
from sfigf.tables.comparisons import COLUMNS as STATISTICS
from sfigf.tables.comparisons import read_statistics
from sfigf.tables.costs import read_counted, read_measured
from sfigf.tables.protocol import metrics_named, protocols_named, read_task
from sfigf.tables.robustness import read_curves
from sfigf.tables.scores import read_scores
from sfigf.tables.summary import read_summary


@dataclasses.dataclass(frozen=True)
class Folder:
    """Results of a study; ``samples`` are its degraded images, None where no pictures are wanted.

    ``weights`` and ``logs`` lie within the results unless they are taken from elsewhere, say from published ones.
    """

    results: Path
    samples: Path | None
    weights: Path | None = None
    logs: Path | None = None

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """The settings in force."""
        settings = read_yaml(self.results / "config.yaml")
        if not isinstance(settings, dict) or not settings.get("tasks"):
            raise UserError(f"{self.results / 'config.yaml'}: names no task; run the study first")
        return settings

    @property
    def tasks(self) -> list[str]:
        """Tasks of the study whose tables are there."""
        return [task for task in self.settings["tasks"] if self.find("tables", f"{task}-summary.csv")]

    def find(self, *parts: str) -> Path | None:
        """A file of the results, or None where it is not there."""
        path = self.results.joinpath(*parts)
        return path if path.is_file() else None

    def text(self, *parts: str) -> str:
        """Content of a file of the results; nothing where it is not there."""
        path = self.find(*parts)
        return "" if path is None else _text(path)

    def facts(self, *parts: str) -> dict[str, Any]:
        """Content of a JSON file of the results; empty where it is not there."""
        try:
            facts = json.loads(self.text(*parts) or "{}")
            if not isinstance(facts, dict):
                raise ValueError(f"a {type(facts).__name__}, not an object")
            return facts
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.results.joinpath(*parts)}: not readable JSON ({error}); make it again") from error

    def weight_file(self, run: str) -> Path | None:
        """The weights of a run ``task/condition/method/variant/seed0``, or None where they are not there."""
        path = (self.weights or self.results / "weights") / f"{run}.safetensors"
        return path if path.is_file() else None

    def log(self, run: str) -> str:
        """The training log of a run; nothing where it is not there."""
        path = (self.logs or self.results / "training") / f"{run}.jsonl"
        return _text(path) if path.is_file() else ""

    def test_samples(self, task: str, condition: str) -> Path | None:
        """The degraded test images of a condition, or None where they are not there."""
        if self.samples is None:
            return None
        path = self.samples / task / condition / "test.safetensors"
        return path if path.is_file() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); make it again") from None


@dataclasses.dataclass(frozen=True)
class TaskResults:
    """Everything a study says of one task; empty frames and texts for what it does not."""

    name: str
    settings: dict[str, Any]
    scores: pd.DataFrame
    summary: pd.DataFrame
    counted: pd.DataFrame
    timing: pd.DataFrame
    statistics: pd.DataFrame
    robustness: pd.DataFrame
    words: dict[str, Any]

    @property
    def conditions(self) -> list[str]:
        """Conditions in the order of the tables."""
        return list(dict.fromkeys(self.summary["condition"]))

    @property
    def metrics(self) -> list[str]:
        """Metrics in the order of the settings, the main one first."""
        return metrics_named(self.settings)

    @property
    def protocols(self) -> dict[str, list[str]]:
        """Protocols named, by condition."""
        return protocols_named(self.settings)

    def runs(self, condition: str) -> list[tuple[str, str, int]]:
        """Method, variant and seed of every run of a condition, in the order of the tables."""
        scores = self.scores[self.scores["condition"] == condition]
        seeds = scores.groupby(["method", "variant"])["seed"].unique()
        ordered = dict.fromkeys(self.of(condition)[["method", "variant"]].itertuples(index=False, name=None))
        return [(*run, int(seed)) for run in ordered for seed in sorted(seeds[run])]

    def of(self, condition: str) -> pd.DataFrame:
        """Means of one condition."""
        return self.summary[self.summary["condition"] == condition]


def read_results(folder: Folder, task: str) -> TaskResults:
    """Read the tables of a task.

    Raises:
        UserError: If a table that is there cannot be read, or means are given of a run without scores.
    """
    tables = folder.results / "tables"
    scores, summary = read_scores([tables / f"{task}.csv"], task), read_summary(tables / f"{task}-summary.csv")
    run = ["condition", "method", "variant"]
    unknown = set(summary[run].itertuples(index=False, name=None)) - set(scores[run].itertuples(index=False, name=None))
    if unknown:
        name = "/".join(min(unknown))
        raise UserError(f"{tables / f'{task}-summary.csv'}: {name} has no image in {task}.csv; tabulate both again")
    return TaskResults(
        name=task,
        settings=read_task(folder.results / "config.yaml", task),
        scores=scores,
        summary=summary,
        counted=read_counted([tables / f"{task}-cost.csv"]),
        timing=read_measured([tables / f"{task}-timing.csv"]),
        statistics=_statistics(folder.find("tables", f"{task}-statistics.csv")),
        robustness=_robustness(folder.find("tables", f"{task}-robustness.csv")),
        words=folder.facts("tables", f"{task}-words.json"),
    )


def _statistics(path: Path | None) -> pd.DataFrame:
    return pd.DataFrame(columns=[*STATISTICS]) if path is None else read_statistics(path)


def _robustness(path: Path | None) -> pd.DataFrame:
    return pd.DataFrame(columns=[*PERTURBATIONS]) if path is None else read_curves([path])
