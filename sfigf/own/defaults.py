"""Which weights to take when none are named."""

from __future__ import annotations

import math
from pathlib import Path

from sfigf.interface import UserError
from sfigf.own.restorer import check_task

_RUN = "sfigf/full/seed0.safetensors"


def default_weights(task: str, factor: int, folder: str | Path) -> Path:
    """Return the weights of the task under ``folder``: for this factor, else for the nearest one there is.

    Raises:
        UserError: If there are none, or the task is unknown.
    """
    check_task(task)
    trained = {"focus": "thin-lens", "raw": "mono"}.get(task, "x*")
    there = sorted((Path(folder) / task).glob(f"{trained}/{_RUN}"), key=lambda path: (_distance(path, factor), path))
    if not there:
        raise UserError(
            f"no weights of {task} in {Path(folder) / task}: run `dvc pull results/weights` in the repository, train "
            "them with `make reproduce`, or name a file with --weights"
        )
    return there[0]


def _distance(path: Path, factor: int) -> float:
    """How far the factor of a condition named x<factor> is from the one wanted, in powers."""
    trained = path.parts[-4].removeprefix("x")
    return abs(math.log(int(trained) / factor)) if trained.isdecimal() and int(trained) else 0.0
