"""What the weights of a training are selected on, and the quirks of the released code, said aloud. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from sfigf.interface import Sample, UserError
from sfigf.store import SampleFile
from sfigf.training_settings import Training

_QUIRK_TEXTS = {
    "shuffle": "the samples are walked in file order, never shuffled",
    "selection": "the weights are SELECTED ON THE TEST IMAGES; their scores there are too good",
    "colour": "the guide is shown as BGR, normalised with the statistics of RGB",
    "gradient": "the gradient term of the loss is detached and trains nothing",
}


class Samples(Protocol):
    """Samples in memory, or a file of them that reads one by one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...


class _OfDataset:
    """The samples of one data set in a file."""

    def __init__(self, file: SampleFile, dataset: str) -> None:
        self._file = file
        meta = [file.records.facts(index)["meta"] for index in range(len(file))]
        self._chosen = [index for index, facts in enumerate(meta) if facts.get("dataset") == dataset]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Sample:
        return self._file[self._chosen[index]]

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def selected_on(training: Training) -> str:
    """What the weights of a training are selected on: ``validation``, ``test``, or ``nothing``: the last step's."""
    if training.selection == "none":
        return "nothing"
    return "test" if training.released("selection") else "validation"


def part_checked(training: Training) -> str:
    """Part that the watched metric is computed on: ``validation``, or ``test`` with ``quirks.selection: released``."""
    return "test" if training.released("selection") else "validation"


def checked_on(training: Training, first_test: str, path: str | Path) -> Samples:
    """Return the samples that the watched metric is computed on, read one by one.

    Args:
        training: The settings, every quirk written out.
        first_test: First selection of the test sets; with ``quirks.selection: released`` its samples alone count.
        path: Samples as ``sfigf degrade`` writes them.

    Raises:
        UserError: If the file holds another part than the settings say, or nothing of the first test set.
    """
    file, wanted = SampleFile(path), part_checked(training)
    part = file.about.get("part", wanted)
    if part != wanted:
        raise UserError(
            f"{path}: samples of the {part} part, but weights are selected on {wanted}; give those, or change "
            "training.quirks.selection"
        )
    if wanted == "validation":
        return file
    chosen = _OfDataset(file, first_test.partition(":")[0])
    if not len(chosen):
        raise UserError(f"{path}: no sample of '{first_test}', the first test set, to select on; degrade it again")
    return chosen


def quirk_notes(training: Training) -> list[dict[str, Any]]:
    """The first lines of a log: each quirk of the released code that is on, in words."""
    on = [quirk for quirk in _QUIRK_TEXTS if training.released(quirk)]
    return [{"event": "quirk", "quirk": quirk, "text": f"as released: {_QUIRK_TEXTS[quirk]}"} for quirk in on]
