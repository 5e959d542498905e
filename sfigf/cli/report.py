"""The command that writes the report. It imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def report(
    results: Annotated[Path, typer.Option(help="Folder of a study's results: tables, figures, restored, weights.")],
    output: Annotated[Path, typer.Option(help="The page (HTML), one file that needs no network.")],
    samples: Annotated[
        Path | None, typer.Option(help="Folder of the degraded samples; without it no pictures.")
    ] = None,
    published: Annotated[Path | None, typer.Option(help="Published numbers (CSV) to stand beside ours.")] = None,
    commit: Annotated[str, typer.Option(help="What the repository is at, for the provenance.")] = "",
    weights: Annotated[Path | None, typer.Option(help="Folder of the weights, if not within the results.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Folder of the training logs, if not within the results.")] = None,
) -> None:
    """Write the report of a study: tables, pictures, statistics and provenance on one page."""
    from sfigf.report.folder import Folder
    from sfigf.report.page import write_report

    write_report(Folder(results, samples, weights, logs), output, published, commit)


COMMANDS: list[tuple[str, Any]] = [("report", report)]
