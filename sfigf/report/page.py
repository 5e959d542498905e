"""The page: gathers what there is of a study and fills the template."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from sfigf.files import write_text
from sfigf.interface import UserError
from sfigf.report import failures, provenance
from sfigf.report.files import Download, FigureFile, drawn, figure, of_task
from sfigf.report.folder import Folder, TaskResults, read_results
from sfigf.report.grids import Table, data_uri, sort_value
from sfigf.report.markup import inline
from sfigf.report.overview import Card, cards, extent, headlines, highlights
from sfigf.report.sections import TaskSection, task_section
from sfigf.tables.published import read_published
from sfigf.tables.render import Cell


@dataclasses.dataclass(frozen=True)
class Page:
    """Everything the template shows."""

    title: str
    study: str
    facts: list[str]
    cards: list[Card]
    lead: list[Markup]
    overview: Table
    tasks: list[TaskSection]
    scenes: FigureFile | None
    splits: Table | None
    failed: list[Markup]
    failures: list[Table]
    limits: list[Markup]
    whole: list[tuple[str, str]]
    provenance: Table
    downloads: list[Download]
    drawn: list[str]


def write_report(
    folder: Folder,
    output: str | Path,
    published: str | Path | None = None,
    commit: str = "",
) -> None:
    """Write the report of a study: one HTML file that needs no network.

    Args:
        folder: Results and samples of the study.
        output: HTML file.
        published: Published numbers; those under a protocol of the study stand beside ours.
        commit: What the repository was when the page was written.

    Raises:
        UserError: If the study has no table yet, or a file of it cannot be read.
    """
    if not folder.tasks:
        raise UserError(f"{folder.results}: holds no table of any task; run the study first")
    tasks = [read_results(folder, task) for task in folder.tasks]
    rows = read_published(published) if published else None
    write_text(output, render(gather(folder, tasks, rows, commit)))


def gather(folder: Folder, tasks: Sequence[TaskResults], published: pd.DataFrame | None, commit: str) -> Page:
    """Bring together what the page shows."""
    tasks = list(tasks)
    settings = folder.settings
    sentences, listed = failures.failures(tasks)
    found = provenance.records(folder, tasks)
    return Page(
        title=str(settings.get("title") or "Guided image restoration"),
        study=str(settings.get("study", "")),
        facts=extent(tasks, settings),
        cards=[card for task in tasks for card in cards(task)],
        lead=[inline(text) for text in highlights(tasks)],
        overview=headlines(tasks),
        tasks=[task_section(folder, task, published) for task in tasks],
        scenes=figure(folder, "rendered-contact-sheet.jpg", "Rendered rooms, colour beside disparity", _SCENES),
        splits=_splits(folder),
        failed=[inline(text) for text in sentences],
        failures=[each for each in (listed, failures.undefined(tasks)) if each],
        limits=[inline(text) for text in failures.limits(folder, tasks)],
        whole=provenance.whole(settings, commit),
        provenance=provenance.table(found),
        downloads=[*_common_downloads(folder, found), *(file for task in tasks for file in of_task(folder, task.name))],
        drawn=drawn(folder),
    )


_SCENES = "Rooms rendered by this project, for training and validation alone; no test image is rendered."


def render(page: Page) -> str:
    """Fill the template; the style and the script become part of the page."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["sort_value"] = sort_value
    environment.globals |= {"style": Markup(_file("style.css")), "script": Markup(_file("page.js"))}
    return environment.get_template("page.html.jinja").render(page=page) + "\n"


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _splits(folder: Folder) -> Table | None:
    """How many scenes each side of a split holds, and how near training and test come."""
    heads = ("Task", "Training", "Validation", "Test", "Nearest pair across the split", "Similarity", "Limit")
    lines = []
    for task, facts in folder.facts("audit", "splits.json").items():
        sides, closest = facts.get("sides") or {}, facts.get("closest") or {}
        counts = [str(len(sides.get(side) or [])) for side in ("train", "validation", "test")]
        pair = " – ".join(closest.get("pair") or []) or "n/a"
        limit = (facts.get("limits") or {}).get("similarity", "n/a")
        lines.append([Cell(text) for text in (task, *counts, pair, str(closest.get("similarity", "n/a")), str(limit))])
    return Table("splits", "Scenes on each side of the splits", [[Cell(h) for h in heads], *lines]) if lines else None


def _common_downloads(folder: Folder, found: list[dict[str, Any]]) -> list[Download]:
    text = json.dumps(found, indent=1, sort_keys=True)
    files = [Download("provenance.json", "every run, digests in full", data_uri("application/json", text.encode()))]
    for name, words in (("config.yaml", "the settings in force"), ("metrics.json", "every mean")):
        if content := folder.text(name):
            files.append(Download(name, words, data_uri("text/plain;charset=utf-8", content.encode())))
    return files
