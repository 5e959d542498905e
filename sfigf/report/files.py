"""Files of the results that become part of the page: figures with their text alternatives, tables to save."""

from __future__ import annotations

import dataclasses

from sfigf.report.folder import Folder
from sfigf.report.grids import data_uri

_KINDS = {".jpg": "image/jpeg", ".png": "image/png"}
_TABLES = (
    ("{}.csv", "every score"),
    ("{}-summary.csv", "means and ranks"),
    ("{}-statistics.csv", "paired statistics"),
    ("{}-robustness.csv", "scores of disturbed inputs"),
    ("{}-cost.csv", "parameters and multiply-adds"),
    ("{}-timing.csv", "seconds"),
    ("{}.tex", "tables of means for a paper"),
    ("{}.md", "the page of the task"),
)


@dataclasses.dataclass(frozen=True)
class FigureFile:
    """A drawn figure: address, text alternative and a line below."""

    name: str
    uri: str
    alt: str
    caption: str
    size: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Download:
    """A file to save from the page."""

    name: str
    words: str
    uri: str


def figure(folder: Folder, name: str, alt: str, caption: str = "") -> FigureFile | None:
    """Return a figure of the study, or None where it was not drawn."""
    from PIL import Image

    path = folder.find("figures", name)
    if path is None:
        return None
    with Image.open(path) as image:
        size = image.size
    return FigureFile(name, data_uri(_KINDS[path.suffix], path.read_bytes()), alt, caption, size)


def drawn(folder: Folder) -> list[str]:
    """Names of all figures, also of those too large for the page; what a killed command left half-drawn is none."""
    return sorted(path.name for path in (folder.results / "figures").glob("[!.]*") if path.suffix in _KINDS)


def of_task(folder: Folder, task: str) -> list[Download]:
    """Return the tables of a task."""
    names = [(name.format(task), words) for name, words in _TABLES]
    texts = [(name, words, folder.text("tables", name)) for name, words in names]
    return [
        Download(name, f"{task}: {words}", data_uri("text/plain;charset=utf-8", text.encode()))
        for name, words, text in texts
        if text
    ]
