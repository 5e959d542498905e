"""A person's own copy of a data set: where it is looked for, what of it is there, and what to do next.

The order is always the study's own folder, then each data mirror, then, for open sets alone, the address on the card.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sfigf.cards import Card, Get
from sfigf.datasets.members import problem_of
from sfigf.files import sha256_of, write_text
from sfigf.interface import UserError
from sfigf.mirrors import folders_only
from sfigf.transfer import Patience, download, public

State = Literal["ready", "partly there", "missing"]


@dataclasses.dataclass(frozen=True)
class Copy:
    """What of a set lies in one folder: how many members of how many are right, and what is wrong with the others."""

    folder: Path
    right: int
    problems: tuple[str, ...]

    @property
    def state(self) -> State:
        """``ready`` if nothing is wrong, ``missing`` if nothing is right."""
        if not self.problems:
            return "ready"
        return "partly there" if self.right or self.folder.is_dir() else "missing"


def look(card: Card, folder: Path) -> Copy:
    """Hold a folder against the members of a card: presence, number of files, sha256 where it is known."""
    wrong = [problem_of(member, folder / member.path, digests=True) for member in card.members.values()]
    problems = tuple(problem for problem in wrong if problem)
    return Copy(folder, len(wrong) - len(problems), problems)


def look_everywhere(card: Card, own: str | Path, mirrors: Sequence[str | Path] = ()) -> Copy:
    """Return the first whole copy in the order of search, or the one that comes nearest.

    Raises:
        UserError: If the card says nothing of copies.
    """
    folders_only((own, *mirrors))
    for place in (own, *mirrors):
        if Path(place).is_file():
            raise UserError(f"{place}: a file, a folder of data sets was expected; name another or take it away")
    copies = [look(card, Path(place) / _get(card).folder) for place in (own, *mirrors)]
    return next((copy for copy in copies if not copy.problems), max(copies, key=lambda copy: copy.right))


def collect(
    card: Card, own: str | Path, mirrors: Sequence[str | Path], output: str | Path, patience: Patience | None = None
) -> Path:
    """Find a whole copy, or complete the one in ``own`` from the card's address; write where it lies as JSON.

    Raises:
        UserError: If there is no whole copy and the set is not open, or cannot be fetched; says what to do.
    """
    copy = look_everywhere(card, own, mirrors)
    if copy.problems and _get(card).address:
        folder = Path(own) / _get(card).folder
        _complete(card, folder, patience or Patience())
        copy = look(card, folder)
    if copy.problems:
        where = f"{_first(copy)}{''.join(f'; no folder {mirror}' for mirror in absent(mirrors))}"
        raise UserError(f"data set '{card.name}' is {copy.state} ({where}). {next_step(card, copy, own)}")
    write_text(output, json.dumps({"dataset": card.name, "folder": copy.folder.as_posix()}, indent=1) + "\n")
    return copy.folder


def absent(mirrors: Sequence[str | Path]) -> list[Path]:
    """The data mirrors that are not there: not mounted, or misspelt."""
    return [Path(mirror) for mirror in mirrors if not Path(mirror).is_dir()]


def next_step(card: Card, copy: Copy, own: str | Path) -> str:
    """Say what a person does to have the whole set."""
    get = _get(card)
    if not copy.problems:
        return f"nothing: {copy.folder}"
    if get.address:
        return f"The run fetches what is missing from {public(get.address)}"
    asks = {"open": "", "form": " (its publisher asks for a form)", "request": " (its publisher gives it on request)"}
    steps = " ".join(get.steps.split()).rstrip(".")
    where = f"Its folder: {(Path(own) / get.folder).as_posix()}, or {get.folder} in a folder of data_mirrors"
    return f"{steps}{asks[get.access]}. {where}. Home page: {card.homepage}"


def _complete(card: Card, folder: Path, patience: Patience) -> None:
    """Fetch the members that are not right, each resumed, proven and renamed."""
    for member in card.members.values():
        path = folder / member.path
        if not problem_of(member, path, digests=True):
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UserError(f"{path.parent}: a file is where this folder should be; take it away") from None
        part = path.with_name(path.name + ".part")
        address = _get(card).address + member.path
        download(address, part, member.size_bytes or 0, patience)
        if sha256_of(part) != member.sha256:
            part.unlink()
            raise UserError(f"{public(address)}: not the file that the card of {card.name} names (sha256 differs)")
        part.replace(path)


def _get(card: Card) -> Get:
    if card.get is None:
        raise UserError(f"data set '{card.name}' is no copy of a person's own: its files come with {card.carrier}")
    return card.get


def _first(copy: Copy) -> str:
    more = f" and {len(copy.problems) - 1} more" if len(copy.problems) > 1 else ""
    return f"{copy.folder}: {copy.problems[0]}{more}"
