"""The command that trains a study in slices of time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sfigf.cli.learn import Device
from sfigf.interface import UserError


def slice_trainings(
    config: Annotated[list[Path], typer.Option(help="Settings files, later ones change earlier ones.")],
    seconds: Annotated[float, typer.Option(help="Everything has stopped by then.", min=1)],
    data: Annotated[Path, typer.Option(help="Folder of the degraded samples, data/degraded in the workflow.")],
    checkpoints: Annotated[Path, typer.Option(help="Folder of the checkpoints; carry it to the next machine.")],
    weights: Annotated[Path, typer.Option(help="Folder of the weights, results/weights in the workflow.")],
    logs: Annotated[Path, typer.Option(help="Folder of the training logs, results/training in the workflow.")],
    jobs: Annotated[int, typer.Option(help="Trainings side by side.", min=1)] = 1,
    only: Annotated[str, typer.Option(help="Only trainings that begin so, say depth/x8.")] = "",
    margin: Annotated[
        float | None, typer.Option(help="Seconds of the time kept for stopping; a tenth, 30 at most.", min=0)
    ] = None,
    done: Annotated[Path | None, typer.Option(help="Write the weight files that are done, one a line.")] = None,
    device: Device = "auto",
) -> None:
    """Train a study for so many seconds; run it again, here or elsewhere, to go on. Exits 75 while work is left."""
    from sfigf.files import write_text
    from sfigf.slices import Places, describe, run_slice
    from sfigf.stopping import SLICE_ENDED

    if margin is not None and margin >= seconds:
        raise UserError(f"--margin {margin:g} leaves nothing of --seconds {seconds:g}; make it smaller")
    states = run_slice(config, Places(data, checkpoints, weights, logs), seconds, margin, jobs, only, device)
    for line in describe(states):
        print(line)
    if done is not None:
        finished = [training.weights for training, state in states.items() if state.name == "done"]
        write_text(done, "".join(f"{path}\n" for path in finished))
    failed = sum(state.name == "failed" for state in states.values())
    if failed:
        raise UserError(f"{failed} of {len(states)} trainings failed; the last line of each stands above")
    if any(state.name != "done" for state in states.values()):
        raise typer.Exit(SLICE_ENDED)


COMMANDS: list[tuple[str, Any]] = [("slice", slice_trainings)]
