"""The command line: one verb per rule of the workflow, and a few for people.

Every command is a thin function in a sibling module; errors a user can mend come out as one line and exit code 2.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
from collections.abc import Sequence
from typing import Any

import typer

from sfigf.cli import (
    data,
    explain,
    learn,
    measure,
    people,
    present,
    protocol,
    render,
    report,
    restore,
    robustness,
    slices,
    statistics,
    weights,
)
from sfigf.environment import tell
from sfigf.interface import UserError
from sfigf.leash import follow

app = typer.Typer(
    name="sfigf",
    help="Guided image restoration by simultaneous feature and image guided fusion.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
_PANELS: dict[str, Sequence[tuple[str, Any]]] = {
    "Use it": [*restore.COMMANDS, *weights.COMMANDS, *people.COMMANDS],
    "Data (rules fetch, collect, verify, prepare, render, gather, audit, degrade)": [*data.COMMANDS, *render.COMMANDS],
    "Learning (rules train, restore, score)": [*learn.COMMANDS, *slices.COMMANDS],
    "Results (rules tabulate, compare, robustness, draw, report)": [
        *present.COMMANDS,
        *statistics.COMMANDS,
        *robustness.COMMANDS,
        *report.COMMANDS,
    ],
    "Proof": [*explain.COMMANDS, *measure.COMMANDS, *protocol.COMMANDS],
}
for _panel, _commands in _PANELS.items():
    for _name, _command in _commands:
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, rich_help_panel=_panel)(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit 0, 2 for what a user can mend, 130 when interrupted, 143 when told to end."""
    # As an exception, so that what was begun in temporary files is taken away.
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        follow()
    try:
        result: Any = app(args=arguments, standalone_mode=False)
        status = result if isinstance(result, int) else 0
        if arguments is None and status == 0:
            tell(next(iter(sys.argv[1:]), ""))
        sys.exit(status)
    except UserError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(f"{error.filename or 'output'}: {error.strerror}; free space or choose another place, then run again")
    except Exception as error:
        # typer carries its own copy of click, or uses the installed one: both mark usage errors with this method.
        if not hasattr(error, "format_message"):
            raise
        _fail(error.format_message())


def _fail(message: str) -> None:
    from sfigf.small_files import one_line

    print(f"sfigf: {one_line(message)}", file=sys.stderr)
    sys.exit(2)
