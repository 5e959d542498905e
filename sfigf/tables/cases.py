"""What speaks for a task: its main comparisons, case by case, with the rivals that matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pandas as pd

from sfigf.tables.comparisons import main_cases
from sfigf.tables.names import condition_label, dataset_label, method_label, metric_label
from sfigf.tables.sentences import Row, listing
from sfigf.tables.statistics import MIN_IMAGES
from sfigf.tables.summary import ALL, Run
from sfigf.tables.verdicts import OURS

ABLATIONS = {"image-only": "image guidance alone", "feature-only": "feature guidance alone"}


@dataclasses.dataclass(frozen=True)
class Rival:
    """Whom SFIGF is compared with, how that is called, the comparison, and the rival's mean."""

    run: Run
    called: str
    row: Row
    mean: Row


@dataclasses.dataclass(frozen=True)
class Case:
    """One condition, data set (or all) and metric that speaks for the task.

    Attributes:
        condition: The condition.
        dataset: The data set, or ``all``.
        datasets: The data sets that are meant.
        whole: Whether these are all data sets of the condition.
        means: Rows of the summary.
        rows: Rows of the comparisons.
        parts: Of ``all``, the comparisons by data set, where there are several.
    """

    condition: str
    dataset: str
    datasets: list[str]
    whole: bool
    means: pd.DataFrame
    rows: pd.DataFrame
    parts: pd.DataFrame

    @property
    def place(self) -> str:
        """The data sets as a phrase; nothing where the condition says it, or all of the condition are meant."""
        label = listing([dataset_label(name) for name in self.datasets])
        unsaid = self.whole and len(self.datasets) > 1
        return "" if unsaid or label == condition_label(self.condition) else f" on {label}"

    @property
    def ours(self) -> Row:
        return self._mean_of(OURS)

    @property
    def few(self) -> bool:
        return int(self.ours["images"]) < MIN_IMAGES

    @property
    def metric(self) -> str:
        return metric_label(self.ours["metric"])

    def ablations(self) -> list[Rival]:
        """Either guidance alone, as far as it was run."""
        runs = {(OURS[0], variant): called for variant, called in ABLATIONS.items()}
        return [self._rival(run, called) for run, called in runs.items() if self.has(run)]

    def best(self) -> list[Rival]:
        """The best learned baseline and the best classical method, as far as there are any."""
        learned = ~self.means["group"].isin(["classical", "ablation"]) & (self.means["method"] != OURS[0])
        chosen = {"the best learned baseline": learned, "the best classical method": self.means["group"] == "classical"}
        return [rival for called, rows in chosen.items() for rival in self._first(self.means[rows], called)]

    def _first(self, rows: pd.DataFrame, called: str) -> Iterable[Rival]:
        ranked = rows[rows["rank"] > 0].sort_values("rank", kind="stable")
        for row in ranked.head(1).to_dict("records"):
            run = (row["method"], row["variant"])
            named = called if len(rows) > 1 else called.replace("best", "only")
            yield self._rival(run, f"{named} {method_label(*run)}")

    def by_dataset(self, rival: Rival) -> list[Row]:
        """The same comparison by data set, where there are several."""
        return self._against(self.parts, rival.run).to_dict("records")

    def _rival(self, run: Run, called: str) -> Rival:
        return Rival(run, called, self._against(self.rows, run).iloc[0].to_dict(), self._mean_of(run))

    def _against(self, rows: pd.DataFrame, run: Run) -> pd.DataFrame:
        wanted = [*OURS, *run]
        return rows[(rows[["method", "variant", "against_method", "against_variant"]] == wanted).all(axis=1)]

    def has(self, run: Run) -> bool:
        """Whether a run is among the means."""
        return bool(((self.means["method"] == run[0]) & (self.means["variant"] == run[1])).any())

    def _mean_of(self, run: Run) -> Row:
        chosen = (self.means["method"] == run[0]) & (self.means["variant"] == run[1])
        return self.means[chosen].iloc[0].to_dict()


def gather_main_cases(statistics: pd.DataFrame, summary: pd.DataFrame) -> list[Case]:
    """Return the cases of a task in which SFIGF was run, in the order of the summary."""
    cases = [_gather(statistics, summary, *case) for case in main_cases(summary)]
    return [case for case in cases if case.has(OURS)]


def _gather(statistics: pd.DataFrame, summary: pd.DataFrame, condition: str, dataset: str, metric: str) -> Case:
    means, rows = (
        frame[(frame["condition"] == condition) & (frame["metric"] == metric)] for frame in (summary, statistics)
    )
    datasets = [name for name in means["dataset"].unique() if name != ALL] if dataset == ALL else [dataset]
    several = (rows["dataset"] != ALL) & (dataset == ALL) & (len(datasets) > 1)
    every = summary[(summary["condition"] == condition) & (summary["dataset"] != ALL)]["dataset"].nunique()
    here, against = (frame[frame["dataset"] == dataset] for frame in (means, rows))
    return Case(condition, dataset, datasets, len(datasets) == every, here, against, rows[several])
