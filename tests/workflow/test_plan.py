"""What the workflow plans: after each edit exactly the jobs it concerns; the commands themselves are stood in for."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.workflow.house import House

pytestmark = pytest.mark.slow
SVLRM, DEPTH = "sfigf/nets/baselines/svlrm.py", "sfigf/metrics/depth.py"
AFTER_SCORES = {
    "tabulate_scores", "summarise_study", "compare_methods", "draw_comparison", "draw_quality", "write_report",
    "test_robustness", "tabulate_robustness", "draw_robustness",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A copy in which the default study has been run, in a folder whose name has a space, under git."""
    house = House.build(tmp_path_factory.mktemp("a house") / "house")
    house.commit("before")
    house.snakemake()
    return house


@pytest.fixture
def edited(house: House):
    """The house, put back after the test."""
    yield house
    house.run("git", "checkout", "--quiet", "--", ".")


def scramble(folder: Path) -> None:
    """Give every file a random time."""
    rng = random.Random(0)
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (moment := rng.randint(1_000_000_000, 1_700_000_000), moment))


def one_more_step(house: House) -> None:
    """Lengthen the trainings of the first task by a step."""
    settings = (house.folder / "config/default.yaml").read_text()
    steps = re.findall(r"^      steps: (\d+)", settings, re.MULTILINE)[0]
    house.edit("config/default.yaml", f"steps: {steps}", f"steps: {int(steps) + 1}")


def test_after_a_run_nothing_is_to_be_done_whatever_the_clocks_say(house: House) -> None:
    assert house.planned() == {}
    scramble(house.folder)
    assert house.planned() == {}


def test_words_redo_nothing(edited: House) -> None:
    with (edited.folder / SVLRM).open("a") as file:
        file.write("\n# a comment\n")
    edited.edit("config/datasets/cones.yaml", "one scene, test only", "one scene; test only")
    edited.edit("config/default.yaml", "title: Guided", "title: Well guided")
    assert edited.planned() == {}


def test_a_network_retrains_itself_alone(edited: House) -> None:
    edited.edit(SVLRM, "class SVLRM(", "EDITED = 1\n\n\nclass SVLRM(")
    edited.edit(SVLRM, "super().__init__()", "super().__init__()\n        self.edited = EDITED")
    planned = edited.planned()
    lines = len(re.findall(r"^ +svlrm:", (edited.folder / "config/default.yaml").read_text(), re.MULTILINE))
    conditions = lines + 1  # raw has two conditions
    assert planned["train_method"] == planned["restore_images"] == planned["score_run"] == conditions
    assert planned.keys() - {"train_method", "restore_images", "score_run", "draw_training"} <= AFTER_SCORES


def test_a_setting_of_one_task_retrains_that_task_alone(edited: House) -> None:
    one_more_step(edited)
    planned = edited.planned()
    assert planned["train_method"] == 5
    assert planned["tabulate_scores"] == 1
    assert "degrade_part" not in planned


def test_a_metric_that_selects_weights_retrains_and_another_does_not(edited: House) -> None:
    edited.edit(DEPTH, "np.sqrt(", "1.0 * np.sqrt(")
    planned = edited.planned()
    assert (planned["train_method"], planned["score_run"], planned["tabulate_scores"]) == (5, 7, 1)
    edited.run("git", "checkout", "--quiet", "--", ".")
    edited.edit(DEPTH, "np.abs(", "1.0 * np.abs(")
    planned = edited.planned()
    assert "train_method" not in planned
    assert planned["score_run"] == 7


def test_a_byte_of_data_redoes_what_was_made_of_it(house: House) -> None:
    file = house.folder / "data/prepared/motorcycle.safetensors"
    before = file.read_bytes()
    file.write_bytes(before + b" ")
    planned = house.planned()
    file.write_bytes(before)
    assert planned["degrade_part"] == 2
    assert "train_method" not in planned
    assert planned["restore_images"] == planned["score_run"] == 14


def test_a_condition_more_leaves_the_others(edited: House) -> None:
    edited.edit("config/default.yaml", "conditions: [x8]", "conditions: [x8, x4]")
    planned = edited.planned()
    assert (planned["degrade_part"], planned["train_method"], planned["score_run"]) == (3, 5, 7)


def test_a_misspelt_key_stops_with_one_line(house: House) -> None:
    done = house.snakemake("--config", "wieghts=trained", check=False)
    assert done.returncode != 0
    message = [line for line in done.stderr.splitlines() if "wieghts" in line]
    assert len(message) == 1
    assert "did you mean 'weights'" in message[0]
    assert "Traceback" not in done.stderr


def test_published_weights_are_not_trained(house: House) -> None:
    planned = house.planned("--forcerun", "restore_images", "--config", "weights=published")
    assert planned["restore_images"] == 36
    assert "train_method" not in planned


def test_a_killed_run_is_continued(house: House) -> None:
    one_more_step(house)
    house.commit("depth is trained for longer")
    assert house.planned()["train_method"] == 5
    (house.folder / "hold").touch()
    run = house.start("snakemake", "--cores", "2")
    try:
        locks = house.folder / ".snakemake/locks"
        wait_for(lambda: locks.is_dir() and any(locks.iterdir()) and incomplete(house) > 0)
        busy = house.run("python", "scripts/unlock.py", check=False)
        assert busy.returncode == 1
        assert "is at work" in busy.stderr
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    finally:
        (house.folder / "hold").unlink()
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    wait_for(lambda: house.run("python", "scripts/unlock.py", check=False).returncode == 0)
    assert house.planned()["train_method"] == 5
    house.snakemake()
    assert house.planned() == {}


def incomplete(house: House) -> int:
    """How many outputs are being made."""
    return sum(path.is_file() for path in (house.folder / ".snakemake/incomplete").rglob("*"))


def wait_for(holds, seconds: float = 60.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def test_dvc_remembers_so_that_a_clone_has_nothing_to_do(house: House, tmp_path: Path) -> None:
    house.run("sh", "scripts/remember.sh")
    house.commit("kept")
    house.run("git", "clone", "--quiet", str(house.folder), str(tmp_path / "clone"))
    clone = House(tmp_path / "clone", stand_in=True)
    clone.run("dvc", "pull", "--quiet")
    scramble(clone.folder)
    assert clone.planned() == {}
    assert (clone.folder / "results/report.html").read_bytes() == (house.folder / "results/report.html").read_bytes()
    assert not (clone.folder / "data/prepared").exists()
    assert "up to date" in clone.run("dvc", "status").stdout
    assert "number" in clone.run("dvc", "metrics", "show").stdout

    one_more_step(clone)
    assert "tasks.depth.training.steps" in clone.run("dvc", "params", "diff").stdout
    assert "modified" in clone.run("dvc", "status").stdout
    clone.snakemake("data")
    assert clone.planned()["train_method"] == 5
    clone.run("dvc", "repro", "--quiet")
    assert clone.planned() == {}
    assert "up to date" in clone.run("dvc", "status").stdout


def test_nothing_unfinished_is_remembered(edited: House) -> None:
    one_more_step(edited)
    refused = edited.run("sh", "scripts/remember.sh", check=False)
    assert refused.returncode == 1
    assert "still to be done" in refused.stderr


def test_lint_is_clean(house: House) -> None:
    assert "good condition" in house.run("snakemake", "--lint").stderr


def test_rules_of_the_users_own_are_included(edited: House) -> None:
    (edited.folder / "own.smk").write_text('rule greet:\n    output: "hello.txt"\n    shell: "echo > {output:q}"\n')
    edited.run("snakemake", "--cores", "1", "hello.txt", "--config", 'rules=["own.smk"]')
    assert (edited.folder / "hello.txt").is_file()
