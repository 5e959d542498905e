"""Which data sets are there: one line each, and what to do next."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from pathlib import Path

from sfigf.cards import Card, Carrier, load_card, load_carriers, origin_of
from sfigf.collect import Copy, absent, look_everywhere, next_step
from sfigf.datasets.members import open_members
from sfigf.datasets.prepare import read_card
from sfigf.interface import UserError

_WIDTH = 118


@dataclasses.dataclass(frozen=True)
class Line:
    """One data set: its state, and what a person does next."""

    name: str
    tasks: str
    state: str
    tested: str
    then: str


def describe(
    cards: str | Path,
    carriers: str | Path,
    own: str | Path,
    mirrors: Sequence[str | Path],
    fetched: str | Path,
    read: bool = False,
) -> str:
    """Return the state of every data set as text; with ``read`` every scene of a person's own copies is read.

    Raises:
        UserError: If a card or the list of carriers cannot be read.
    """
    known = load_carriers(carriers)
    lines = []
    for path in sorted(Path(cards).glob("*.yaml")):
        card = load_card(path)
        carrier = origin_of(card, known) if card.carrier or card.get else None
        lines.append(_own_line(card, own, mirrors, read) if card.get else _carried_line(card, carrier, Path(fetched)))
    if not lines:
        raise UserError(f"{cards}: no data set card in it; name the folder with --cards")
    ready = sum(line.state == "ready" for line in lines)
    head = f"{ready} of {len(lines)} data sets ready; own copies are looked for in {own}"
    places = "".join(f", then {mirror}" for mirror in mirrors)
    places += "".join(f"; THERE IS NO FOLDER {mirror}" for mirror in absent(mirrors))
    return "\n".join([f"{head}{places}", "", *(_shown(line) for line in lines)])


def _own_line(card: Card, own: str | Path, mirrors: Sequence[str | Path], read: bool) -> Line:
    copy = look_everywhere(card, own, mirrors)
    then = next_step(card, copy, own)
    state: str = copy.state
    if state == "partly there":
        then = f"{copy.right} of {len(card.members)} members in {copy.folder}: {'; '.join(copy.problems[:3])}. {then}"
    if state == "ready":
        state, then = _read(card, copy) if read else (state, f"{_proof(card)}: {copy.folder}")
    return Line(card.name, ", ".join(card.tasks), state, "yes" if card.tested else "no", then)


def _proof(card: Card) -> str:
    pinned = sum(member.sha256 is not None for member in card.members.values())
    return "every sha256 agrees" if pinned == len(card.members) else "all files are there; --read checks what they hold"


def _read(card: Card, copy: Copy) -> tuple[str, str]:
    """Read every scene, or say what is wrong."""
    try:
        count = sum(1 for _ in read_card(card, open_members(card, None, copy.folder, copy.folder)))
    except UserError as error:
        return "partly there", str(error)
    return "ready", f"{count} scenes read, all as the card expects: {copy.folder}"


def _carried_line(card: Card, carrier: Carrier | None, fetched: Path) -> Line:
    tasks = ", ".join(card.tasks)
    if carrier is None:
        return Line(card.name, tasks, "ready", "yes", "the workflow makes it")
    if carrier.kind != "index":
        return Line(card.name, tasks, "ready", "yes", f"comes with {carrier.package or 'this repository'}")
    if (fetched / carrier.file).is_file():
        return Line(card.name, tasks, "ready", "yes", f"{fetched / carrier.file}")
    size = f"{carrier.size_bytes / 1e6:.0f} MB"
    return Line(card.name, tasks, "missing", "yes", f"the run fetches {carrier.file} ({size})")


def _shown(line: Line) -> str:
    head = f"{line.name:15} {line.tasks:12} {line.state:13} tested: {line.tested:4}"
    return textwrap.fill(line.then, _WIDTH, initial_indent=f"{head} ", subsequent_indent=" " * 16)
