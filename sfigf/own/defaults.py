"""Which weights to take when none are named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from sfigf.interface import UserError
from sfigf.own.restorer import check_task
from sfigf.weights import read_facts

FOLDERS = (Path("published/standard"), Path("published/desk"), Path("results/weights"))
"""Where weights are looked for: the large study's, the small one's, those of the last run here."""

_CONDITIONS = {"depth": "x*", "pan": "*", "focus": "thin-lens", "raw": "mono"}
_SENSOR_FACTOR = 4
"""Of the conditions of pan that are named after a sensor."""


def default_weights(task: str, factor: int, *folders: str | Path, bands: int | None = None) -> Path:
    """Return the weights of the task under ``folders``: for this factor, else for the nearest one there is.

    Of several that fit alike, those of the first folder, of the lowest seed. With ``bands``, weights for a target of
    so many bands come before all others.

    Raises:
        UserError: If there are none, or the task is unknown.
    """
    check_task(task)
    there = [
        (_misfit(path, bands), *_distance(path, factor), place, int(path.stem.removeprefix("seed")), path)
        for place, folder in enumerate(folders)
        for path in (Path(folder) / task).glob(f"{_CONDITIONS[task]}/sfigf/full/seed*.safetensors")
        if path.stem.removeprefix("seed").isdecimal()
    ]
    if not there:
        raise UserError(
            f"no weights of {task} in {_listed(folders, task)}: run `dvc pull` in the repository, train them with "
            "`make reproduce`, or name a file with --weights"
        )
    return min(there)[-1]


def _listed(folders: Sequence[str | Path], task: str) -> str:
    return ", ".join(str(Path(folder) / task) for folder in folders)


def _misfit(path: Path, bands: int | None) -> bool:
    return bands is not None and read_facts(path)["signature"]["target"] != bands


def _distance(path: Path, factor: int) -> tuple[float, str]:
    """How far the factor of a condition is from the one wanted, in powers, and what else is special about it."""
    name, _, habit = path.parts[-4].partition("-")
    digits = name.removeprefix("x")
    if digits.isdecimal() and int(digits):
        return abs(math.log(int(digits) / factor)), habit
    return (abs(math.log(_SENSOR_FACTOR / factor)) if path.parts[-5] == "pan" else 0.0), habit
