"""The results on the front page: a table and pictures of the last run, between two markers, never typed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from sfigf.files import replacing, write_text
from sfigf.interface import UserError
from sfigf.tables.names import condition_label, method_label, metric_label, number_text, task_label
from sfigf.tables.protocol import seed_warning
from sfigf.tables.render import Cell, markdown
from sfigf.tables.summary import read_summary
from sfigf.tables.verdicts import OURS, main_rows
from sfigf.tasks import TASKS

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
MAX_BYTES, WIDTH_PX = 300_000, 1600
_HEADS = ("Task", "Main metric", "Images", "Without training", "Learned baselines", "SFIGF's ablations", "SFIGF")
_INTRODUCTION = (
    "Written by the run. Each number is the mean of the task's main metric over its real test images that have a "
    "ground truth; the best of a row is **bold**."
)


def refresh_page(
    page: str | Path,
    summaries: Iterable[str | Path],
    pictures: Iterable[str],
    folder: str | Path | None,
    output: str | Path,
) -> None:
    """Write ``page`` to ``output`` with the results of a run between its markers; the rest stays as it is.

    Args:
        page: Markdown file with one ``BEGIN`` and one ``END`` marker.
        summaries: Summary tables of the tasks, as ``sfigf tabulate`` writes them.
        pictures: ``TASK=FILE``; of several for a task the first counts.
        folder: Where the pictures go, as ``<task>.jpg`` of at most ``MAX_BYTES``.
        output: Markdown file to write; it may be ``page``.

    Raises:
        UserError: Markers missing, a picture of an unknown task or that cannot be read, or no folder for pictures.
    """
    text = _read(page)
    before, after = _around(text, page)
    frame = pd.concat([read_summary(path) for path in summaries], ignore_index=True)
    links = _place_pictures(_named(pictures), folder, Path(output).parent)
    write_text(output, f"{before}{BEGIN}\n{results_block(frame, links)}\n{END}{after}")


def results_block(summary: pd.DataFrame, links: Mapping[str, str]) -> str:
    """Return the table and the pictures as Markdown; ``links`` maps a task to the address of its picture."""
    cases = {key: main_rows(rows) for key, rows in summary.groupby(["task", "condition"], sort=False)}
    ordered = sorted(cases, key=lambda case: _order(case[0]))
    table = markdown([[Cell(head) for head in _HEADS], *(_row(cases[case]) for case in ordered)])
    parts = [_INTRODUCTION, table, seed_warning(int(summary["seeds"].max())), *_gallery(links)]
    return "\n\n".join(parts)


def shrink_picture(source: str | Path, output: str | Path) -> None:
    """Write a picture as JPEG, at most ``WIDTH_PX`` wide and ``MAX_BYTES`` large: quality goes first, then size.

    Raises:
        UserError: If the picture cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(source) as opened:
            picture = opened.convert("RGB")
    except OSError as error:
        raise UserError(f"{source}: not a readable picture ({error}); run the rule that draws it") from None
    width = min(WIDTH_PX, picture.width)
    while True:
        small = picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS)
        for quality in (88, 78, 68):
            with replacing(output) as temporary:
                small.save(temporary, "JPEG", quality=quality, optimize=True)
            if Path(output).stat().st_size <= MAX_BYTES:
                return
        width = width * 4 // 5


def _row(rows: pd.DataFrame) -> list[Cell]:
    first, ours = rows.iloc[0], rows["method"] == OURS[0]
    full = ours & (rows["variant"] == OURS[1])
    classical = ~ours & (rows["group"] == "classical")
    parts = [rows[classical], rows[~ours & ~classical], rows[ours & ~full], rows[full]]
    name = f"{task_label(first['task'])}, {condition_label(first['condition'])}"
    metric = metric_label(first["metric"], first["unit"], bool(first["higher_is_better"]))
    return [Cell(name), Cell(metric), Cell(str(first["images"])), *(Cell(_listing(part)) for part in parts)]


def _listing(rows: pd.DataFrame) -> str:
    return "<br>".join(_entry(row) for row in rows.to_dict("records")) or "–"


def _entry(row: Mapping[str, object]) -> str:
    ours = row["method"] == OURS[0]
    name = str(row["variant"]) if ours else method_label(str(row["method"]), str(row["variant"]))
    mean = number_text(float(row["mean"]))  # type: ignore[arg-type]
    text = mean if ours and row["variant"] == OURS[1] else f"{name} {mean}"
    return f"**{text}**" if row["rank"] == 1 and math.isfinite(float(row["mean"])) else text  # type: ignore[arg-type]


def _gallery(links: Mapping[str, str]) -> list[str]:
    """The first task's picture; the others as links, so that the page stays one page."""
    if not links:
        return []
    first, *others = sorted(links, key=_order)
    shown = f"![{task_label(first)}: a close-up of every method, and its error]({links[first]})"
    more = ", ".join(f"[{task_label(task).lower()}]({links[task]})" for task in others)
    return [shown, f"The same for {more}."] if others else [shown]


def _order(task: str) -> int:
    return list(TASKS).index(task) if task in TASKS else len(TASKS)


def _named(pictures: Iterable[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for picture in pictures:
        task, _, file = picture.partition("=")
        if task not in TASKS or not file:
            raise UserError(f"--picture '{picture}' is not TASK=FILE; tasks are {', '.join(TASKS)}")
        named.setdefault(task, file)
    return named


def _place_pictures(named: Mapping[str, str], folder: str | Path | None, page: Path) -> dict[str, str]:
    if named and folder is None:
        raise UserError("pictures need a folder to go to; name it with --pictures")
    links = {}
    for task, file in named.items():
        assert folder is not None
        copy = Path(folder) / f"{task}.jpg"
        shrink_picture(file, copy)
        links[task] = Path(os.path.relpath(copy, page)).as_posix()
    return links


def _read(page: str | Path) -> str:
    try:
        return Path(page).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{page}: not a readable page ({error})") from None


def _around(text: str, page: str | Path) -> tuple[str, str]:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in before + after:
        raise UserError(f"{page}: needs one line '{BEGIN}' and below it one '{END}'")
    return before, after
