"""Commands for people: list what there is, check and print settings, plan a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sfigf.interface import UserError


def resolve(
    settings: Annotated[str, typer.Option(help="Merged settings as JSON.")],
    output: Annotated[Path, typer.Option(help="YAML file to write.")],
) -> None:
    """Validate merged settings and write them as one file."""
    from sfigf.config import write_effective

    write_effective(settings, output)


def show(
    config: Annotated[list[Path], typer.Option(help="Settings files, later ones change earlier ones.")],
) -> None:
    """Check settings files and print the result, every key."""
    import yaml

    from sfigf.config import load_settings
    from sfigf.planning import read_settings

    settings = read_settings(config)
    load_settings(settings, str(config[-1]))
    print(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), end="")


def listing(
    what: Annotated[str, typer.Argument(help="methods, metrics, datasets or tasks.")],
    plugin: Annotated[list[str] | None, typer.Option(help="Plug-in to load first.")] = None,
) -> None:
    """List what there is, one line each."""
    from sfigf.registry import load_plugins, registered
    from sfigf.tasks import TASKS

    load_plugins(plugin or [])
    if what == "tasks":
        for task in TASKS.values():
            print(f"{task.name:8} {task.title}: {task.about}; conditions {', '.join(task.conditions)}")
        return
    if what not in ("methods", "metrics", "datasets"):
        raise UserError(f"cannot list '{what}'; there are methods, metrics, datasets, tasks")
    for name, cls in registered(what.removesuffix("s")).items():  # type: ignore[arg-type]
        facts = [", ".join(getattr(cls, "tasks", ())), str(getattr(cls, "kind", getattr(cls, "unit", "")))]
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        print(f"{name:24} {facts[0]:24} {facts[1]:14} {summary}")


def methods(
    task: Annotated[str | None, typer.Option(help="depth, pan, focus or raw; all of them by default.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the page of all methods instead.")] = None,
    plugin: Annotated[list[str] | None, typer.Option(help="Plug-in to load first.")] = None,
) -> None:
    """List every method: kind, parameters, multiply-adds, source, what it was proven against."""
    from sfigf.catalogue import catalogue
    from sfigf.files import write_text
    from sfigf.registry import load_plugins
    from sfigf.tables.method_page import method_list, method_page

    load_plugins(plugin or [])
    entries = catalogue(task)
    if markdown is None:
        print(method_list(entries))
    else:
        write_text(markdown, method_page(entries))


def plan(
    config: Annotated[list[Path], typer.Option(help="Settings files, later ones change earlier ones.")],
    costs: Annotated[list[Path], typer.Option(help="Measured seconds per step (`sfigf costs`, `sfigf time-steps`).")],
    cores: Annotated[str, typer.Option(help="Trainings side by side: a number, or all.")] = "all",
) -> None:
    """Say what a study trains and about how long that takes, from nothing."""
    from sfigf.costs import read_costs
    from sfigf.planning import describe_plan, read_study

    print(describe_plan(read_study(config), read_costs(*costs), _cores(cores)))


def _cores(text: str) -> int:
    import os

    if text == "all":
        here = getattr(os, "sched_getaffinity", None)
        return len(here(0)) if here else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"--cores is '{text}'; it is a whole number from 1 on, or all")
    return int(text)


def costs(
    output: Annotated[Path, typer.Option(help="CSV file to write; its row of the rest of a study is kept.")],
    weights: Annotated[list[Path] | None, typer.Option(help="Weight file; once per training.")] = None,
    log: Annotated[list[Path] | None, typer.Option(help="Its training log, in the same order.")] = None,
    rest: Annotated[float | None, typer.Option(help="Seconds of all but the trainings, in the row's place.")] = None,
) -> None:
    """Write what trainings took, for `sfigf plan`."""
    from sfigf.costs import write_costs

    write_costs(output, weights or [], log or [], rest)


def readme(
    readme: Annotated[Path, typer.Option(help="Page that holds the two markers.")],
    summary: Annotated[list[Path], typer.Option(help="Summary table of a task (CSV); once per task.")],
    output: Annotated[Path, typer.Option(help="Page to write.")],
    picture: Annotated[list[str] | None, typer.Option(help="TASK=FILE; the first of a task counts.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for the pictures, made small.")] = None,
) -> None:
    """Put the results of a run between the markers of a page."""
    from sfigf.readme import refresh_page

    refresh_page(readme, summary, picture or [], pictures, output)


COMMANDS = [
    ("list", listing),
    ("methods", methods),
    ("show", show),
    ("plan", plan),
    ("costs", costs),
    ("readme", readme),
    ("resolve", resolve),
]
