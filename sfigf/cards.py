"""Data set cards and carriers: what a set is, who may use it, and which file of the package index it travels in.

A *carrier* is one file that ships data (a source archive or wheel of the index, an installed package, or a folder kept
in the repository). A *card* names the members of a carrier that make up a data set, each pinned by sha256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sfigf.interface import TaskName, UserError
from sfigf.registry import nearest

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
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
    project: str
    licence: str
    origin: str
    version: str = ""
    file: str = ""
    sha256: Sha256 | Literal[""] = ""
    size_bytes: int = Field(0, ge=0)
    package: str = ""
    folder: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Carrier:
        missing = [key for key in _NEEDS[self.kind] if not getattr(self, key)]
        if missing:
            raise ValueError(f"a carrier of kind '{self.kind}' needs {', '.join(missing)}")
        return self


class Member(_Strict):
    """One file inside a carrier; where a member is a whole scene, also the place it shows and its part."""

    path: str
    sha256: Sha256
    place: Name | None = None
    part: Part | None = None


class Crop(_Strict):
    """One scene cut from a larger picture: half-open pixel spans on the coarsest grid of the scene."""

    name: Name
    place: Name
    part: Part
    rows: Span
    columns: Span


class Card(_Strict):
    """What a data set is, and what may be done with it; ``meta`` is copied to every scene."""

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


def load_card(path: str | Path) -> Card:
    """Read a data set card.

    Raises:
        UserError: If the file is missing, not YAML, or has a wrong, missing or unknown key; the key is named.
    """
    return _checked(Card, _mapping(path), str(path))


def load_carriers(path: str | Path) -> dict[str, Carrier]:
    """Read the carriers by name.

    Raises:
        UserError: As for ``load_card``.
    """
    return {name: _checked(Carrier, entry, f"{path}: {name}") for name, entry in _mapping(path).items()}


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


Model = TypeVar("Model", bound=_Strict)


def _checked(model: type[Model], entry: Any, where: str) -> Model:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        known = {**Card.model_fields, **Carrier.model_fields, **Member.model_fields, **Crop.model_fields}
        unknown = first["type"] == "extra_forbidden"
        hint = nearest(str(first["loc"][-1]), known) if unknown else ""
        what = f"unknown key '{key}'" if unknown else f"{key or 'entry'}: {first['msg']}"
        raise UserError(f"{where}: {what}{hint}") from error


def _mapping(path: str | Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content
