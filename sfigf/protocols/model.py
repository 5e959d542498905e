"""What a protocol is: which rows of a score file it speaks of, and everything that makes its numbers what they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from sfigf.interface import TaskName


@dataclasses.dataclass(frozen=True)
class Case:
    """Data sets that a protocol treats alike.

    Attributes:
        tests: Data sets, or ``name:part`` where only that part may be tested.
        conditions: Study conditions whose samples follow the protocol.
        metrics: Our metrics, the main one first.
    """

    tests: tuple[str, ...]
    conditions: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets, without their parts."""
        return tuple(test.partition(":")[0] for test in self.tests)

    def tested_by(self, selections: Sequence[str]) -> bool:
        """Whether a study that tests on ``selections`` tests one of the data sets, and of it nothing else."""
        return any(self._matches(test, selections) for test in self.tests)

    @staticmethod
    def _matches(test: str, selections: Sequence[str]) -> bool:
        name, _, part = test.partition(":")
        chosen = {selection for selection in selections if selection.partition(":")[0] == name}
        return chosen == {test} if part else bool(chosen)


@dataclasses.dataclass(frozen=True)
class Trap:
    """A detail that moves the numbers, by how much it was measured to, and where."""

    what: str
    effect: str
    source: str


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a part of the field scores a task; frozen, with nothing left to taste.

    Attributes:
        name: Slug, as settings and ``config/published.csv`` write it.
        degradation: How the input is made, in words; ``cases`` name the study conditions that do it.
        normalisation: What the network is given.
        crop: What is left out of a metric.
        unit: Unit of the main metric.
        averaging: How single images become one number.
        cases: Rows of a score file it speaks of; empty where no condition of ours makes its inputs.
        source: Paper, or repository@commit.
        remark: What else must be said, or nothing.
    """

    name: str
    task: TaskName
    title: str
    degradation: str
    normalisation: str
    crop: str
    unit: str
    averaging: str
    source: str
    cases: tuple[Case, ...] = ()
    traps: tuple[Trap, ...] = ()
    remark: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric of every case, once, the main one first."""
        return tuple(dict.fromkeys(metric for case in self.cases for metric in case.metrics))

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every data set it is defined for, once."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.datasets))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every study condition it scores, once."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.conditions))

    def metrics_on(self, dataset: str, condition: str) -> tuple[str, ...]:
        """Return the metrics it speaks of there; none where it does not."""
        return tuple(dict.fromkeys(metric for case in self._on(dataset, condition) for metric in case.metrics))

    def _on(self, dataset: str, condition: str) -> Iterator[Case]:
        return (case for case in self.cases if dataset in case.datasets and condition in case.conditions)
