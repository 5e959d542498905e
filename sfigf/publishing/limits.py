"""What not to expect of a network, in words that its facts allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sfigf.plan import Run
from sfigf.published import Entry
from sfigf.publishing.study import FinishedStudy
from sfigf.tables.names import dataset_label

_FEW_IMAGES = 10
_OF_TASK = {
    "depth": "The guide must lie on the map: no alignment is done, and edges of the photograph that are none in depth "
    "can show.",
    "pan": "It takes {target} bands in the order of its training data, and a panchromatic band; another sensor has "
    "other bands and blurs otherwise.",
    "focus": "The two photographs must be aligned and of one size; what moves between them is not handled.",
    "raw": "It takes an RGGB mosaic; noise and colours are those of the sensor it was trained for.",
}


def limits(study: FinishedStudy, run: Run, facts: dict[str, Any], entry: Entry) -> list[str]:
    """Return sentences, the gravest first."""
    return [*_of_condition(run, facts), *_of_data(study, run), *_of_numbers(study, run, entry)]


def _of_condition(run: Run, facts: dict[str, Any]) -> Iterator[str]:
    if run.condition == "red-oracle":
        yield "The guide of its training is the clean red channel of the truth: a bound, nothing to use."
    factor = run.condition.partition("-")[0]
    if run.task in ("depth", "pan") and factor[:1] == "x":
        yield f"Trained for a target {factor[1:]} times coarser than its guide; other factors are untested."
    yield _OF_TASK[run.task].format(**facts["signature"])


def _of_data(study: FinishedStudy, run: Run) -> Iterator[str]:
    part = study.settings.part(run.task, run.condition)
    names = [dataset_label(name) for name in dict.fromkeys(s.partition(":")[0] for s in part.train)]
    yield f"It has seen {', '.join(names)} and nothing else; how it does on other pictures, these tests alone say."
    if all(selection.partition(":")[0] == "rendered" for selection in part.train):
        yield "Rendered scenes alone: no noise of a real sensor was in its training."


def _of_numbers(study: FinishedStudy, run: Run, entry: Entry) -> Iterator[str]:
    few = [mean for mean in entry.main if mean.images < _FEW_IMAGES]
    if few:
        told = ", ".join(f"{mean.images} of {dataset_label(mean.dataset)}" for mean in few)
        yield f"Few test images ({told}): a small difference in these means is no proof."
    seeds = sorted(other.seed for other in study.runs if _but_for_seed(other) == _but_for_seed(run))
    if len(seeds) == 1:
        yield "One seed was trained: how far chance moves the numbers is not known."
    else:
        yield f"One of {len(seeds)} seeds; the spread over all stands in the study's tables."


def _but_for_seed(run: Run) -> tuple[str, ...]:
    return (run.task, run.condition, run.method, run.variant)
