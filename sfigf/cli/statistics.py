"""The command that compares methods over the same images. It imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def compare(
    task: Annotated[str, typer.Option(help="depth, pan, focus or raw.")],
    score: Annotated[list[Path], typer.Option("--score", help="Scores of the task (CSV), such as its table of all.")],
    summary: Annotated[Path, typer.Option(help="Means and ranks of the same scores (CSV).")],
    csv: Annotated[Path, typer.Option(help="Every comparison: difference, interval, p and what it allows one to say.")],
    words: Annotated[Path, typer.Option(help="The task in words (JSON): headline, paragraphs, conditions.")],
    latex: Annotated[Path | None, typer.Option(help="The main comparisons for a paper.")] = None,
) -> None:
    """Compare SFIGF with every other method image by image: differences, intervals, tests, and words."""
    import json

    from sfigf.files import write_text
    from sfigf.tables import comparisons, scores, statistics_latex
    from sfigf.tables.summary import read_summary
    from sfigf.tables.words import task_words

    means = read_summary(summary)
    rows = comparisons.compare_methods(scores.read_scores(score, task), means)
    scores.write_table(csv, rows)
    write_text(words, json.dumps(task_words(task, rows, means), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    if latex is not None:
        write_text(latex, statistics_latex.latex_statistics(task, rows, means))


COMMANDS: list[tuple[str, Any]] = [("compare", compare)]
