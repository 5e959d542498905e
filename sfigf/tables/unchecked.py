"""Part of docs/results.md: what could not be checked, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sfigf.cards import Card, load_card
from sfigf.interface import TASK_NAMES, UserError
from sfigf.tables.finished import Finished
from sfigf.tables.names import dataset_label, metric_label, number_text, task_label
from sfigf.tables.published import stand
from sfigf.tables.render import plain_table
from sfigf.tables.verdicts import OURS

_UNTESTED = (
    "Readers and the whole chain were tried on miniature files in the layout of these sets; the publishers' own files "
    "were not at hand. `by hand`: open, but no file of it is fetched by program; `request`, `form`: the publisher asks "
    "who uses it."
)
_ACCESS = {"open": "by hand", "form": "form", "request": "request"}
# How far a published row came before it was set aside; the furthest reason of all studies counts.
_REASONS = ("no protocol of ours", "protocol `", "test on", "does not score by", "does not compute", "counts in")
_VERBS = {"score": "scores", "test on": "tests on", "compute": "computes"}


def untested(folder: Path) -> Iterator[str]:
    """Sets whose real files no reader has read."""
    cards = [load_card(path) for path in sorted(folder.glob("*.yaml"))]
    lines = [_card_line(card) for card in cards if card.get is not None and not card.tested]
    yield "### Data that were not at hand"
    if not lines:
        yield "Every set with a card was read from its publisher's own files."
        return
    yield _UNTESTED
    yield plain_table(("Set", "Tasks", "Access", "How to come by it"), lines)


def _card_line(card: Card) -> list[str]:
    assert card.get is not None
    steps = re.sub(r"\s+", " ", card.get.steps).strip()
    return [f"{card.title} (`{card.name}`)", ", ".join(card.tasks), _ACCESS[card.get.access], steps.replace("|", "\\|")]


def apart(studies: Sequence[Finished], published: pd.DataFrame) -> Iterator[str]:
    """Published numbers that stand beside nothing in any study, by the furthest reason."""
    lines, own = [], []
    for task in TASK_NAMES:
        rows = published[published["task"] == task]
        frames = [stand(published, s.summary(task), task, s.protocols(task)).apart for s in studies if task in s.tasks]
        left = {key: _furthest(key, frames) for key in rows.index if all(key in frame.index for frame in frames)}
        for reason, count in Counter(left.values()).most_common():
            lines.append([task_label(task), f"{count} of {len(rows)}", reason])
        own += [row for row in rows.loc[[*left]].to_dict("records") if row["method"] == OURS[0]]
    yield "### Published numbers that stand beside none of ours"
    yield (
        "A published number is set beside ours under the same protocol, data set, condition, metric and unit only."
        if lines
        else "Every published number we know of stands beside one of ours."
    )
    if lines:
        yield plain_table(("Task", "Numbers", "Why not"), lines)
    if own:
        yield "Among them these of SFIGF itself; nothing of ours can be held against them:"
        yield "\n".join(
            f"- {dataset_label(row['dataset'])}, {metric_label(row['metric'])} "
            f"{number_text(row['value'], row['unit'])}: {row['protocol_as_stated']} ({row['source']})."
            for row in own
        )


def _furthest(key: Any, frames: Sequence[pd.DataFrame]) -> str:
    if not frames:
        return "no study read here has the task"
    reasons = [str(frame.loc[key, "reason"]) for frame in frames]
    reason = max(reasons, key=lambda text: max(place for place, mark in enumerate(_REASONS) if mark in text))
    said = re.sub(r"this study does not (score|test on|compute)", lambda m: f"no study here {_VERBS[m[1]]}", reason)
    return said.replace("this study counts", "ours count")


def quoted(page: str, heading: str, start: str) -> str:
    """Return the block of a page below a heading that begins so: a paragraph, a table or a list.

    Raises:
        UserError: If there is none; the page was reworded, and the words here must follow.
    """
    _, found, rest = page.partition(f"## {heading}\n")
    blocks = rest.partition("\n## ")[0].split("\n\n")
    block = next((block.strip("\n") for block in blocks if block.strip("\n").startswith(start)), None)
    if not found or block is None:
        raise UserError(
            f"the page about the paper has nothing under '{heading}' that begins '{start}'; was it reworded?"
        )
    return block
