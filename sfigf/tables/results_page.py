"""The page docs/results.md: what was reproduced, what could not be checked, what quirks are worth; from files alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from sfigf.interface import UserError
from sfigf.tables.finished import Finished, Training, read_finished
from sfigf.tables.names import number_text, task_label
from sfigf.tables.published import read_published
from sfigf.tables.quirk_effects import effect_table, effects, image_table
from sfigf.tables.render import plain_table, quantity
from sfigf.tables.reproduced import beside, self_tests, standings
from sfigf.tables.unchecked import apart, quoted, untested
from sfigf.tables.verdicts import OURS

_OPENING = """\
# Results

Written by `scripts/results_page.py` from the files of finished studies, and by nothing else; no number here was typed.
[paper.md](paper.md) says what the released code does, [protocols.md](protocols.md) what each protocol fixes,
[benchmark.md](benchmark.md) holds more metrics; each run's `results/tables` has every image."""
_PAPER = "Of the study `config/paper.yaml`, the authors' own data, sizes and schedules, [paper.md](paper.md) says:"
_QUIRKS = (
    "Two trainings that are equal in all but one quirk: network, seed, patches, budget, test images. Difference: as "
    "released minus corrected, in the mean over images and seeds. `Seeds alone`: how far the corrected trainings of "
    "single seeds lie apart; a difference within that may be chance. Trainings are short; a quirk may weigh more, or "
    "less, in those of the paper."
)


@dataclasses.dataclass(frozen=True)
class Sources:
    """What the page is made of.

    Attributes:
        studies: Name and ``results`` folder of each study, in the order of the page; those not there are named.
        quirks: The same of the study that pairs trainings with and without quirks.
        cards: Folder of the data set cards.
        published: Published numbers (CSV).
        paper: docs/paper.md, whose facts about the released code are quoted.
        commit: What the repository is at; empty if not known.
    """

    studies: Sequence[tuple[str, Path]]
    quirks: tuple[str, Path]
    cards: Path
    published: Path
    paper: Path
    commit: str = ""


def results_page(sources: Sources) -> str:
    """Return the page.

    Raises:
        UserError: If no study is there at all, or a file that is there cannot be read.
    """
    named = [*sources.studies, sources.quirks]
    read = {name: found for name, folder in named if (found := read_finished(folder, name))}
    if not read:
        raise UserError(f"no finished study in {', '.join(str(folder) for _, folder in named)}; run one first")
    studies = [read[name] for name, _ in sources.studies if name in read]
    published, paper = read_published(sources.published), sources.paper.read_text(encoding="utf-8")
    parts = [_OPENING, *_what_was_read(read, sources)]
    parts += ["## What we reproduced", *self_tests(studies), *beside(studies, published), *standings(studies)]
    parts += ["## What we could not check, and why", *untested(sources.cards), *apart(studies, published)]
    parts += ["### The full reproduction", _PAPER, quoted(paper, "What was tested", "Not tested:")]
    parts += ["## What differs from the released code", *_differences(read.get(sources.quirks[0]), sources, paper)]
    parts += ["## What it cost", *_costs([*read.values()])]
    return "\n\n".join(parts) + "\n"


def _what_was_read(read: Mapping[str, Finished], sources: Sources) -> Iterator[str]:
    heads = ("Study", "Read from", "Title", "Tasks", "Trainings", "Seeds", "Tables of")
    yield "## What was read"
    yield plain_table(heads, map(_read_line, read.values()))
    absent = [f"`{name}`" for name, _ in [*sources.studies, sources.quirks] if name not in read]
    at = f"The page was written at commit `{sources.commit}`." if sources.commit else "No commit was given."
    missing = f" Not there when this page was written, and so left out: {', '.join(absent)}." if absent else ""
    yield f"{at} Tables are dated by the clock of their files.{missing}"


def _read_line(found: Finished) -> list[str]:
    study, tasks, seeds = found.study, ", ".join(found.tasks), ", ".join(map(str, found.study.seeds))
    return [study.study, f"`{found.name}`", study.title, tasks, str(len(found.trainings)), seeds, found.day]


def _differences(finished: Finished | None, sources: Sources, paper: str) -> Iterator[str]:
    heading = "Quirks of the released code"
    yield quoted(paper, heading, "| quirk |")
    yield quoted(paper, heading, "Not quirks but settings:")
    found = effects(finished) if finished else []
    yield "### What each quirk is worth"
    if not found:
        yield f"Not measured: there is no finished study in `{sources.quirks[0]}`."
    else:
        yield _QUIRKS
        yield effect_table(found)
        yield "\n".join(effect.sentence for effect in found)
        yield "On each test image:"
        yield image_table(found)
    yield "### What cannot be switched"
    yield quoted(paper, heading, "- Augmentation.")


def _costs(studies: Sequence[Finished]) -> Iterator[str]:
    lines = []
    for finished in studies:
        for task in finished.tasks:
            done = [training for training in finished.trainings if training.path.startswith(f"{task}/")]
            own = [t.seconds for t in done if t.path.split("/")[2:4] == [*OURS]]
            costs = finished.costs(task)
            costs = costs[(costs["method"] == OURS[0]) & (costs["variant"] == OURS[1])]
            lines.append([finished.study.study, task_label(task), *_spent(done, own), *_sizes(costs)])
    yield "Time of training by the logs, of restoring by the cost files; SFIGF is its full variant."
    heads = (
        "Study",
        "Task",
        "Trainings",
        "All together",
        "One SFIGF",
        "On",
        "Parameters of SFIGF",
        "Restoring a megapixel",
    )
    yield plain_table(heads, lines)


def _spent(done: Sequence[Training], own: Sequence[float]) -> list[str]:
    if not done:
        return ["0", "–", "–", "–"]
    mean = _time(sum(own) / len(own)) if own else "–"
    return [str(len(done)), _time(sum(t.seconds for t in done)), mean, ", ".join(sorted({t.device for t in done}))]


def _sizes(costs: pd.DataFrame) -> list[str]:
    if costs.empty:
        return ["–", "–"]
    sizes = dict.fromkeys(quantity(value) for value in costs["parameters"])
    seconds, devices = costs["seconds_per_megapixel"], sorted(set(costs["device"]))
    return [" or ".join(sizes), f"{number_text(float(seconds.mean()))} s on {', '.join(devices)}"]


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.1f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
