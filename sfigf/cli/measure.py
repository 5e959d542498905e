"""Commands about the measures themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    reference: Annotated[
        Path, typer.Option(help="Folder of reference values, with expected.csv and its arrays.")
    ] = Path("../shared/reference/metrics"),
    set_name: Annotated[list[str] | None, typer.Option("--set", help="Only this set; may be repeated.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of data sets, for rows that need whole ones.")] = None,
    only_wrong: Annotated[bool, typer.Option("--only-wrong", help="Print no row but those outside.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write every row to this table (CSV).")] = None,
) -> None:
    """Print our metrics beside the reference implementations' values; exit 1 if one is outside its tolerance."""
    from sfigf.calibration import Result, Verdict, read_rows
    from sfigf.calibration import calibrate as calibrate_rows
    from sfigf.calibration.report import line, summary, table
    from sfigf.files import write_text
    from sfigf.interface import UserError
    from sfigf.registry import nearest

    rows = read_rows(reference)
    known = list(dict.fromkeys(row.set for row in rows))
    for name in set_name or ():
        if name not in known:
            raise UserError(f"unknown set '{name}'{nearest(name, known)}; there are {', '.join(known)}")
    wanted = [name for name in known if not set_name or name in set_name]
    results: list[Result] = []
    for name in wanted:
        of_set = []
        for result in calibrate_rows([row for row in rows if row.set == name], reference, data):
            of_set.append(result)
            if result.verdict is Verdict.WRONG or not only_wrong:
                typer.echo(line(result))
        typer.echo(summary(name, of_set))
        results += of_set
    if output is not None:
        write_text(output, table(results))
    if any(result.verdict is Verdict.WRONG for result in results):
        raise typer.Exit(1)


COMMANDS: list[tuple[str, Callable[..., None]]] = [("calibrate", calibrate)]
