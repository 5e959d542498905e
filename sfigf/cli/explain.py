"""The command that says where a file is from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def explain(
    result: Annotated[Path, typer.Argument(help="A file that the workflow made: weights, scores, a table, a picture.")],
    deep: Annotated[bool, typer.Option("--deep", help="Go on with its inputs, their inputs, and so on.")] = False,
    config: Annotated[Path, typer.Option(help="Settings in force, within the folder of the study.")] = Path(
        "results/config.yaml"
    ),
) -> None:
    """Print how a file was made: command, inputs, digests, seeds, versions, and whether that still holds."""
    from sfigf.explain import explain as lines_of

    print("\n".join(line for line in lines_of(result, config, deep=deep)))


COMMANDS: list[tuple[str, Any]] = [("explain", explain)]
