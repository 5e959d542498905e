"""Data set cards and carriers: what a set is, who may use it, and where its files come from.

A *carrier* is one file that ships data (a source archive or wheel of the index, an installed package, or a folder kept
in the repository). A *card* names the members of a carrier that make up a data set, each pinned by sha256. Sets that
no package carries are a person's own copy: their cards say under ``get`` where it is looked for and how to come by it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sfigf.interface import TaskName, UserError
from sfigf.registry import nearest
from sfigf.small_files import check_plain, one_line, read_small_text, read_strict_yaml

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Part = Literal["train", "validation", "test", "all"]
Span = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]]
_NEEDS = {"index": ("version", "file", "sha256", "size_bytes"), "installed": ("package",), "vendored": ("folder",)}


class _Strict(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Carrier(_Strict):
    """One file, installed package or folder that ships data.

    ``index`` carriers name a file of the package index, its sha256 and size; ``installed`` ones an importable package;
    ``vendored`` ones a folder, relative to the working directory.
    """

    kind: Literal["index", "installed", "vendored"]
    project: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    licence: str
    origin: str
    version: str = ""
    file: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9._+-]*)?$")
    sha256: Sha256 | Literal[""] = ""
    size_bytes: int = Field(0, ge=0)
    package: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_.]*)?$")
    folder: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Carrier:
        missing = [key for key in _NEEDS[self.kind] if not getattr(self, key)]
        if missing:
            raise ValueError(f"a carrier of kind '{self.kind}' needs {', '.join(missing)}")
        return self


class Member(_Strict):
    """One file of a set, or with ``pattern`` and ``count`` a folder with so many files.

    Where a member is a whole scene, also the place it shows and its part. A digest nobody could measure is null: such
    a file is held against what the card expects of its scenes.
    """

    path: str
    sha256: Sha256 | None = None
    size_bytes: Annotated[int, Field(gt=0)] | None = None
    pattern: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    place: Name | None = None
    part: Part | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Member:
        if (self.pattern is None) != (self.count is None) or (self.pattern and self.sha256):
            raise ValueError("a folder needs pattern and count, and has no sha256")
        for words in (self.path, "*" if self.pattern is None else self.pattern):
            if not words.strip("/.") or words.startswith("/") or ".." in words.split("/") or not words.isprintable():
                raise ValueError(f"path '{words}' leaves the folder of the set")
        return self


class Get(_Strict):
    """How a person comes by a copy, and the folder it is looked for in, below ``data/own`` and each data mirror.

    ``open`` sets with an ``address`` are fetched file by file, each pinned by sha256; ``form`` and ``request`` sets
    never are: their publishers want to know who uses them.
    """

    folder: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
    access: Literal["open", "form", "request"]
    steps: str
    address: str = Field(default="", pattern=r"^(https?://.+/)?$")


class ExpectedArray(_Strict):
    """Shape (null: any size) and range (both ends included) of one array of every scene."""

    shape: list[int | None] | None = None
    range: tuple[float, float] | None = None


class Expect(_Strict):
    """What is known of a set without its digests: how many scenes, and what each holds."""

    scenes: int | None = Field(default=None, ge=1)
    arrays: dict[str, ExpectedArray] = {}


class Crop(_Strict):
    """One scene cut from a larger picture: half-open pixel spans on the coarsest grid of the scene."""

    name: Name
    place: Name
    part: Part
    rows: Span
    columns: Span


class Card(_Strict):
    """What a data set is, and what may be done with it.

    ``meta`` is copied to every scene. ``parts`` lists the scenes of each part, read from the split files that the card
    names; scenes in none are left out. ``tested`` says that the reader has read the real files. ``leak`` owns up to a
    split of the publisher's that shows one place on two sides.
    """

    name: Name
    title: str
    tasks: list[TaskName]
    carrier: str | None
    licence: str
    citation: str
    homepage: str
    unit: str
    split: str
    notes: str = ""
    members: dict[Name, Member] = {}
    crops: list[Crop] = []
    meta: dict[str, Any] = {}
    get: Get | None = None
    tested: bool = False
    parts: dict[Part, list[Name]] = {}
    expect: Expect = Expect()
    leak: str = ""

    @model_validator(mode="after")
    def _fetched_files_are_pinned(self) -> Card:
        if self.get is None:
            loose = [role for role, member in self.members.items() if self.carrier and member.sha256 is None]
        else:
            fetched = self.get.address
            if fetched and self.get.access != "open":
                raise ValueError(f"a set of access '{self.get.access}' is never fetched: leave its address out")
            known = {role: member.sha256 and member.size_bytes for role, member in self.members.items()}
            loose = [role for role in known if fetched and not known[role]]
        if loose:
            raise ValueError(f"what is fetched needs sha256 (and size_bytes): {', '.join(loose[:3])}")
        return self


def load_card(path: str | Path) -> Card:
    """Read a data set card and the split files that it names.

    Raises:
        UserError: If a file is missing, not YAML, or has a wrong, missing or unknown key, or if a scene stands twice in
            the splits; file and key are named.
    """
    entry = _mapping(path)
    if isinstance(entry.get("parts"), dict):
        entry = entry | {"parts": _read_splits(Path(path).parent, entry["parts"])}
    return _checked(Card, entry, str(path))


def _read_splits(folder: Path, files: dict[str, Any]) -> dict[str, list[str]]:
    """Scene names of each part; one name a line, ``#`` begins a comment."""
    parts: dict[str, list[str]] = {}
    seen: dict[str, Path] = {}
    for part, name in files.items():
        path = Path(os.path.normpath(folder / str(name)))
        try:
            lines = read_small_text(path).splitlines()
        except UserError as error:
            raise UserError(f"{error}: the card names it as its split '{part}'") from None
        parts[part] = [word for line in lines if (word := line.partition("#")[0].strip())]
        for scene in parts[part]:
            if scene in seen:
                raise UserError(f"{path}: scene '{scene}' is also in {seen[scene]}; a scene stands once, on one side")
            seen[scene] = path
    return parts


def load_carriers(path: str | Path) -> dict[str, Carrier]:
    """Read the carriers by name.

    Raises:
        UserError: As for ``load_card``.
    """
    carriers = _mapping(path)
    for name in carriers:
        if not re.fullmatch("[a-z0-9][a-z0-9-]*", str(name)):
            raise UserError(one_line(f"{path}: carrier '{name}': a name is of a-z, 0-9 and -, which does not begin it"))
    return {str(name): _checked(Carrier, entry, f"{path}: {name}") for name, entry in carriers.items()}


def carrier_of(card: Card, carriers: dict[str, Carrier]) -> Carrier:
    """Return the carrier a card names.

    Raises:
        UserError: If the card has none (its data are made, not fetched), or names an unknown one.
    """
    if card.carrier is None:
        raise UserError(f"data set '{card.name}' has no carrier: {card.notes or 'it is made by the workflow'}")
    if card.carrier not in carriers:
        raise UserError(f"data set '{card.name}': unknown carrier '{card.carrier}'{nearest(card.carrier, carriers)}")
    return carriers[card.carrier]


def origin_of(card: Card, carriers: dict[str, Carrier]) -> Carrier | None:
    """Return the carrier a card names, or None where its files are a person's own copy."""
    return None if card.get is not None else carrier_of(card, carriers)


Model = TypeVar("Model", bound=_Strict)


def _checked(model: type[Model], entry: Any, where: str) -> Model:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        known = {key for part in (Card, Carrier, Member, Crop, Get, Expect) for key in part.model_fields}
        unknown = first["type"] == "extra_forbidden"
        hint = nearest(str(first["loc"][-1]), known) if unknown else ""
        what = f"unknown key '{key}'" if unknown else f"{key or 'entry'}: {first['msg']}"
        raise UserError(one_line(f"{where}: {what}{hint}")) from error


def _mapping(path: str | Path) -> dict[str, Any]:
    content = read_strict_yaml(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, got {type(content).__name__}")
    check_plain(content, str(path))
    return content
