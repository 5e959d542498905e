"""Trainings done by `sfigf slice`, as the workflow sees them; the commands themselves are stood in for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workflow.house import House

pytestmark = pytest.mark.slow
SMOKE = ("--configfile", "config/smoke.yaml")
TOUCH = ("--touch", "--force", "--allowed-rules", "train_method")
NETWORK = "sfigf/nets/baselines/sid_unet.py"
LIST = """
import sys
from pathlib import Path
from sfigf.planning import read_study
from sfigf.slices import Places, trainings
places = Places(*map(Path, ("data/degraded", "results/checkpoints", "results/weights", "results/training")))
for training in trainings(read_study(["config/default.yaml", "config/smoke.yaml"]), places):
    print(training.train, training.checked, training.checkpoints, training.log, training.weights)
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A copy with the data of the smoke study."""
    house = House.build(tmp_path / "house")
    house.snakemake("data", *SMOKE)
    return house


def files_of_slices(house: House) -> list[list[str]]:
    """What `sfigf slice` reads and writes, training by training."""
    return [line.split() for line in house.run("python", "-c", LIST).stdout.splitlines()]


def train_elsewhere(house: House) -> list[str]:
    """Leave what slices leave; return the weight files."""
    files = files_of_slices(house)
    for *_, log, weights in files:
        for path in (house.folder / log, house.folder / weights):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("made by slices")
    return [weights for *_, weights in files]


def test_slices_read_and_write_the_files_of_the_rule(house: House) -> None:
    said = house.run("snakemake", "--dry-run", "--printshellcmds", *SMOKE).stdout
    commands = [line for line in said.splitlines() if "sfigf train " in line]
    options = ("train", "validation", "checkpoints", "log", "weights")
    wanted = [[re.search(rf"--{option} (\S+)", line)[1] for option in options] for line in commands]  # type: ignore[index]
    assert len(wanted) == 4
    assert sorted(wanted) == sorted(files_of_slices(house))


def test_weights_of_slices_are_used_and_watched_once_touched(house: House) -> None:
    weights = train_elsewhere(house)
    planned = house.planned(*SMOKE)
    assert "train_method" not in planned
    assert planned["restore_images"] == 8

    house.edit(NETWORK, "super().__init__()", "super().__init__()\n        self.edited = 1")
    assert "train_method" not in house.planned(*SMOKE), "Snakemake knows nothing of how they were made"
    house.edit(NETWORK, "\n        self.edited = 1", "")
    house.snakemake(*TOUCH, *SMOKE, "--", *weights)
    assert "train_method" not in house.planned(*SMOKE)
    house.edit(NETWORK, "super().__init__()", "super().__init__()\n        self.edited = 1")
    assert house.planned(*SMOKE)["train_method"] == 1, "now it does"


def test_touching_takes_the_place_of_an_older_training_alone(house: House) -> None:
    score = "results/scores/depth/x8/sfigf/full/seed0.csv"
    house.snakemake(*SMOKE, "--", score)
    house.edit("config/smoke.yaml", "training: {steps: 6", "training: {steps: 7")
    weights = [path for path in train_elsewhere(house) if "/depth/" in path]
    assert house.planned(*SMOKE, "--", score)["train_method"] == 1, "without a touch it would be trained again"
    house.snakemake(*TOUCH, *SMOKE, "--", *weights)
    planned = house.planned(*SMOKE, "--", score)
    assert planned == {"restore_images": 1, "score_run": 1}, "what the older weights restored is made again"
    house.edit("config/smoke.yaml", "crop_px: 128", "crop_px: 112")
    house.snakemake(*TOUCH, *SMOKE, "--", *weights)
    assert house.planned(*SMOKE, "--", score)["degrade_part"] >= 2, "other data are not taken for made"
