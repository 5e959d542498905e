"""A study that has been run: its files by name, and what must be in order before its weights are given away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sfigf.config import MethodSettings, load_effective
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.plan import Run, method_settings, runs
from sfigf.published import Mean
from sfigf.weights import read_facts


class FinishedStudy:
    """The results of a study, laid out as the workflow does.

    Args:
        results: Its results folder.
        data: Its data folder; by default beside the results.

    Raises:
        UserError: If the results hold no settings.
    """

    def __init__(self, results: str | Path, data: str | Path | None = None) -> None:
        self.results = Path(results)
        self.data = self.results.parent / "data" if data is None else Path(data)
        self.settings = load_effective(self.results / "config.yaml")
        self.name = self.settings.study
        self.audit = self.results / "audit/splits.json"
        self.runs = runs(self.settings)

    def weights(self, run: Run) -> Path:
        """Weight file of a run."""
        return self.results / f"weights/{run.path}.safetensors"

    def log(self, run: Run) -> Path:
        """Training log of a run."""
        return self.results / f"training/{run.path}.jsonl"

    def cost(self, run: Run) -> Path:
        """What a run cost."""
        return self.results / f"costs/{run.path}.json"

    def scores(self, run: Run) -> Path:
        """Score file of a run."""
        return self.results / f"scores/{run.path}.csv"

    def samples(self, run: Run) -> Path:
        """The test samples that a run restored."""
        return self.data / f"degraded/{run.task}/{run.condition}/test.safetensors"

    def line(self, run: Run) -> MethodSettings:
        """Settings of the method of a run."""
        return method_settings(self.settings, run.task, run.method, run.condition)

    def training_data(self, run: Run) -> Path:
        """Samples that a run was trained on, as far as they were kept."""
        return self.samples(run).with_name("train.safetensors")

    def metrics(self, run: Run) -> list[str]:
        """Metrics of a run, the main one first."""
        return self.settings.part(run.task, run.condition).metrics

    def learned(self, only: Sequence[str] = ()) -> list[Run]:
        """Learned runs, or those whose path begins with one of ``only``.

        Raises:
            UserError: If there is none, or one of ``only`` begins none.
        """
        known = [run for run in self.runs if run.learned]
        for start in only:
            if not any(run.path.startswith(start) for run in known):
                raise UserError(f"no learned run of study '{self.name}' begins with '{start}', as {known[0].path} does")
        return [run for run in known if not only or run.path.startswith(tuple(only))]

    def check(self, chosen: Sequence[Run]) -> None:
        """Refuse what may not be published.

        Raises:
            UserError: Files that are missing, weights of other settings or data, an audit or self-test that failed.
        """
        for kind in (self.weights, self.log, self.cost, self.scores):
            missing = [kind(run) for run in chosen if not kind(run).is_file()]
            if missing:
                raise UserError(
                    f"{len(missing)} of {len(chosen)} runs lack a file, first {missing[0]}; finish the study"
                )
        here = {file: sha256_of(file) for file in {self.training_data(run) for run in chosen} if file.is_file()}
        for run in chosen:
            facts, data = read_facts(self.weights(run)), self.training_data(run)
            trained = facts.get("config_digest")
            if trained != run.digest:
                raise UserError(f"{self.weights(run)}: trained under other settings ({trained}, not {run.digest})")
            if data in here and here[data] != facts["data_digest"]["train"]:
                raise UserError(f"{self.weights(run)}: trained on other samples than {data} holds; train it again")
        tasks = sorted({run.task for run in chosen})
        self._check_audit(tasks)
        self._check_self_tests(tasks)

    def _check_audit(self, tasks: Sequence[str]) -> None:
        report = _report(self.audit)
        for task in tasks:
            parts = [part for key, part in report.items() if key.partition(" ")[0] == task]
            if not parts:
                raise UserError(f"{self.audit}: says nothing of {task}; run the study's audit")
            for part in parts:
                self._check_sides(task, part)

    def _check_sides(self, task: str, part: dict[str, Any]) -> None:
        sides = {side: set(scenes) for side, scenes in part["sides"].items()}
        seen = sorted(sides["test"] & (sides["train"] | sides["validation"]))
        alike = part["closest"]["similarity"]
        if not part["declared_leaks"] and (seen or alike >= part["limits"]["similarity"]):
            what = f"{seen[0]} is tested and trained on" if seen else f"scenes on two sides are {alike:.2f} alike"
            raise UserError(f"{self.audit}: the audit of {task} failed: {what}; nothing is published")

    def _check_self_tests(self, tasks: Sequence[str]) -> None:
        """Compute the self-tests once more from the scores of bicubic; they raise."""
        tested = [run for run in self.runs if run.method == "bicubic" and run.task in tasks]
        if not tested:
            return
        from sfigf.protocols.selftest import run_self_tests
        from sfigf.tables.scores import image_means, read_scores

        _report(self.results / "audit/self-test.json")
        run_self_tests(image_means(read_scores(map(self.scores, tested))))


def _report(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UserError(f"{path}: no such proof, or not readable: it did not pass; nothing is published") from None


def means_of(scores: str | Path, metrics: Sequence[str]) -> tuple[Mean, ...]:
    """Average a score file over the images of each test set, in the order of the metrics."""
    from sfigf.tables.scores import read_scores

    frame = read_scores([scores])
    found = [
        Mean(
            dataset,
            metric,
            rows["unit"].iloc[0],
            bool(rows["higher_is_better"].iloc[0]),
            len(rows),
            float(f"{rows['value'].mean():.6g}"),
        )
        for metric in metrics
        for dataset, rows in frame[frame["metric"] == metric].groupby("dataset", sort=True)
    ]
    return tuple(found)
