"""A training in slices is the training: nothing lost, nothing else, nothing taken for done that is not."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

from sfigf import registry
from sfigf.cli import main
from sfigf.interface import UserError
from sfigf.planning import read_study
from sfigf.registry import registered
from sfigf.slices import Places, State, describe, run_slice, state_of, trainings
from sfigf.store import write_samples
from sfigf.training_code import checkpoint_name, training_code
from sfigf.weights import read_facts
from tests.conftest import ROOT, make_sample

# A method of the user's own: SFIGF that counts its training steps, and is slow unless there is a file `go`.
PLUGIN = '''
import time
from pathlib import Path
from typing import ClassVar
from sfigf.methods.sfigf_method import Sfigf
from sfigf.registry import register

HERE = Path(__file__).parent

def count(network, inputs):
    if network.training:
        with (HERE / "steps").open("a") as file:
            file.write(".")
        time.sleep(0 if (HERE / "go").exists() else 0.2)

@register("method")
class Counted(Sfigf):
    """SFIGF, counted."""
    name: ClassVar[str] = "counted"
    def build(self, signature, variant):
        network = super().build(signature, variant)
        network.register_forward_pre_hook(count)
        return network
'''


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder with settings of the smoke study's sizes, two trainings, and their samples."""
    monkeypatch.chdir(tmp_path)
    known = {role: registered(role) for role in registry._HOMES}
    monkeypatch.setattr(registry, "_REGISTERED", known)  # what lists every method must not meet the plug-in
    monkeypatch.delitem(sys.modules, "sfigf_plugin_counted", raising=False)
    (tmp_path / "counted.py").write_text(PLUGIN)
    methods = {"bicubic": {}, "djfr": None, "svlrm": None, "guided-filter": None, "sfigf": None}
    methods |= {"counted": {"variants": ["full", "image-only"], "width": 4, "levels": 2, "residual": True}}
    training = {"steps": 60, "validate_every_steps": 20}
    depth = {"training": training, "methods": methods}
    tasks = {"depth": depth, "focus": None, "raw": None}
    changes = {"study": "sliced", "plugins": [str(tmp_path / "counted.py")], "tasks": tasks}
    (tmp_path / "changes.yaml").write_text(yaml.safe_dump(changes))
    for part in ("train", "validation", "test"):
        samples = [make_sample("depth", f"{part}-{i}", seed=i) for i in range(2)]
        about = {"task": "depth", "condition": "x8", "part": part}
        write_samples(tmp_path / f"data/degraded/depth/x8/{part}.safetensors", samples, about)
    return tmp_path


PLACES = Places(*map(Path, ("data/degraded", "results/checkpoints", "results/weights", "results/training")))
FOLDERS = {"data": PLACES.data, "checkpoints": PLACES.checkpoints, "weights": PLACES.weights, "logs": PLACES.logs}
CONFIG = (ROOT / "config/default.yaml", ROOT / "config/smoke.yaml", "changes.yaml")
PAIRS = [*(("config", path) for path in CONFIG), *FOLDERS.items(), ("device", "cpu")]
WORDS = ("slice", *(word for name, value in PAIRS for word in (f"--{name}", str(value))))


def start(*words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "sfigf", *map(str, words)], env=environment, stdout=subprocess.PIPE)


def counted(folder):
    return (folder / "steps").stat().st_size if (folder / "steps").exists() else 0


def undisturbed(folder):
    """Train the same in one go, by the command of the workflow."""
    (folder / "go").touch()
    study = read_study(CONFIG)
    places = Places(PLACES.data, folder / "other/checkpoints", folder / "other", folder / "other")
    training = trainings(study, places, "depth/x8/counted/full")[0]
    facts = ("--task", "depth", "--condition", "x8", "--method", "counted", "--variant", "full", "--seed", "0")
    files = ("--train", training.train, "--validation", training.checked, "--checkpoints", training.checkpoints)
    ends = ("--log", training.log, "--weights", training.weights, "--device", "cpu")
    done = start("train", "--config", "results/checkpoints/sliced.yaml", *facts, *files, *ends)
    assert done.wait() == 0
    return training


@pytest.mark.slow
def test_three_slices_are_one_training_bit_for_bit(bench):
    only = ("--only", "depth/x8/counted/full")
    first = start(*WORDS, "--seconds", "300", *only)
    while counted(bench) < 3:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    assert first.wait() == 143
    training = trainings(read_study(CONFIG), PLACES, only[1])[0]
    stopped = state_of(training)
    assert stopped.name == "begun"
    assert 3 <= stopped.steps < 60

    second = start(*WORDS, "--seconds", "9", "--margin", "2", *only)
    assert second.wait() == 75
    assert "0 of 1 done, 1 left" in second.stdout.read().decode()
    assert stopped.steps <= state_of(training).steps < 60

    (bench / "go").touch()
    third = start(*WORDS, "--seconds", "300", *only, "--done", "done.txt")
    assert third.wait() == 0
    assert (bench / "done.txt").read_text() == "results/weights/depth/x8/counted/full/seed0.safetensors\n"
    assert counted(bench) == 60, "a step was done twice, or never"
    assert not training.checkpoints.exists()
    assert not training.said.exists()

    whole = undisturbed(bench)
    ours, theirs = load_file(training.weights), load_file(whole.weights)
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)
    assert read_facts(training.weights) == read_facts(whole.weights)
    logs = [[json.loads(line) for line in log.read_text().splitlines()[:-1]] for log in (training.log, whole.log)]
    assert logs[0] == logs[1]
    assert_what_is_done(training)


def assert_what_is_done(training):
    """Weights count as done for the same settings, data and code alone."""
    assert state_of(training).name == "done"
    assert state_of(training).steps == 60
    mark = training.mark.read_text()
    training.mark.unlink()
    assert state_of(training).name == "done", "weights of the workflow have no mark"
    other = training.mark.with_name(training.mark.name[:-8] + "abc.done")
    other.write_text(mark)
    assert state_of(training).name == "new", "other code made them"
    other.unlink()
    write_samples(training.train, [make_sample("depth", seed=7)], {"task": "depth", "part": "train"})
    again = trainings(read_study(CONFIG), dataclasses.replace(PLACES, data=PLACES.data.absolute()))[0]
    assert state_of(again).name == "new", "other data made them"


@pytest.mark.slow
def test_several_at_a_time_and_one_that_fails(bench, capsys):
    (bench / "go").touch()
    blocked = trainings(read_study(CONFIG), PLACES, "depth/x8/counted/image-only")[0]
    blocked.checkpoints.parent.mkdir(parents=True)
    blocked.checkpoints.write_text("in the way")
    with pytest.raises(SystemExit) as ended:
        main([*WORDS, "--seconds", "300", "--jobs", "2"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "1 of 2 done, 1 left" in said.out
    assert f"failed: {blocked.run.path}: " in said.out
    assert "1 of 2 trainings failed" in said.err


def test_the_files_are_those_of_the_workflow(bench):
    study = read_study(CONFIG)
    training = trainings(study, PLACES)[0]
    name = checkpoint_name(training.run, training_code(study, training.run))
    assert training.checkpoints.as_posix() == f"results/checkpoints/{name}"
    assert name.startswith(f"depth-x8-counted-full-seed0-{training.run.digest}-")
    assert training.weights.as_posix() == "results/weights/depth/x8/counted/full/seed0.safetensors"
    assert training.log.as_posix() == "results/training/depth/x8/counted/full/seed0.jsonl"
    assert training.checked.name == "validation.safetensors"


def test_the_quirk_of_selection_is_shown_the_test_part(bench):
    changes = yaml.safe_load((bench / "changes.yaml").read_text())
    changes["tasks"]["depth"]["training"] = {"quirks": {"selection": "released"}}
    (bench / "changes.yaml").write_text(yaml.safe_dump(changes))
    assert trainings(read_study(CONFIG), PLACES)[0].checked.name == "test.safetensors"


def test_what_is_missing_is_said_before_anything_is_started(bench):
    (bench / "data/degraded/depth/x8/train.safetensors").unlink()
    with pytest.raises(UserError, match="no such samples"):
        run_slice(CONFIG, PLACES, 5.0)
    with pytest.raises(UserError, match="no training that begins with 'pan'"):
        run_slice(CONFIG, PLACES, 5.0, only="pan")
    with pytest.raises(SystemExit):
        main([*WORDS, "--seconds", "5", "--margin", "5"])


def test_the_table_says_what_is_left(bench):
    first, second = trainings(read_study(CONFIG), PLACES)
    states = {first: State("done", 60, 12.4), second: State("failed", 7, 1.0, "loss is nan")}
    lines = list(describe(states))
    assert lines[1].split() == ["depth/x8/counted/full/seed0", "done", "60", "/", "60", "12"]
    assert lines[3:] == ["1 of 2 done, 1 left", f"failed: {second.run.path}: loss is nan"]
