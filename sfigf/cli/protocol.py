"""Commands about protocols: list them, write their page, and hold a run's scores against what they must give."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Scores = Annotated[list[Path], typer.Option("--score", help="Score file (CSV); give it once per run.")]


def protocols(
    markdown: Annotated[Path | None, typer.Option(help="Write all of them, with their traps, to this page.")] = None,
) -> None:
    """List the protocols, or write their page."""
    from sfigf.files import write_text
    from sfigf.protocols import PROTOCOLS
    from sfigf.tables.protocol_page import protocol_page

    if markdown is not None:
        write_text(markdown, protocol_page())
        return
    for protocol in PROTOCOLS.values():
        typer.echo(f"{protocol.name:20}{protocol.task:7}{protocol.title}")


def self_test(
    score: Scores,
    config: Annotated[Path, typer.Option(help="The effective configuration.")],
    output: Annotated[Path, typer.Option(help="Report (JSON): what was held against what.")],
) -> None:
    """Check the scores of bicubic against the protocols' own numbers; a difference ends the run."""
    import json

    from sfigf.config import load_effective
    from sfigf.files import write_text
    from sfigf.protocols.selftest import run_self_tests
    from sfigf.tables.scores import image_means, read_scores

    named = dict.fromkeys(name for _, _, part in load_effective(config).parts() for name in part.protocols)
    report = run_self_tests(image_means(read_scores(score)), named)
    write_text(output, json.dumps(report, indent=2, allow_nan=False) + "\n")


COMMANDS: list[tuple[str, Any]] = [("protocols", protocols), ("self-test", self_test)]
