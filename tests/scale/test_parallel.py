"""Several processes train one network: the same gradients as one, the same files, and no process left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from sfigf.config import write_effective
from sfigf.parallel import World, peers
from sfigf.planning import read_settings
from sfigf.store import write_samples
from tests.conftest import ROOT, make_sample
from tests.scale.member import CASES, step

PYTHON = [sys.executable, "-m"]
TOGETHER = {
    "torchrun": [*PYTHON, "torch.distributed.run", "--nproc-per-node", "2", "-m", "tests.scale.member"],
    "the command itself": [*PYTHON, "tests.scale.member"],
}


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@given(count=st.integers(1, 40), size=st.integers(1, 9))
def test_shares_are_all_of_a_batch_in_order_and_differ_by_one_at_most(count, size):
    shares = [World(rank, size).share(count) for rank in range(size)]
    assert [place for share in shares for place in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("how", TOGETHER)
def test_gradients_of_two_processes_are_those_of_one_with_the_whole_batch(how, tmp_path):
    words = [*TOGETHER[how], str(tmp_path / "found.pt"), "2"]
    done = subprocess.run(words, env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    for name in CASES:
        alone = step(name)
        assert found[name].keys() == alone.keys()
        assert len(alone) > 10
        for key, value in alone.items():
            assert torch.allclose(found[name][key], value, rtol=1e-5, atol=1e-6), f"{name}: {key}"


@pytest.fixture
def bench(tmp_path):
    """Settings of the smoke study's sizes and the samples of one training, in a folder."""
    methods = {"bicubic": {}, "djfr": None, "svlrm": None, "guided-filter": None}
    methods |= {"sfigf": {"variants": ["full"], "width": 4, "levels": 2, "residual": True}}
    training = {"steps": 40, "validate_every_steps": 10, "batch_size": 2}
    changes = {
        "study": "shared",
        "tasks": {"depth": {"training": training, "methods": methods}, "focus": None, "raw": None},
    }
    (tmp_path / "changes.yaml").write_text(yaml.safe_dump(changes))
    for part in ("train", "validation"):
        samples = [make_sample("depth", f"{part}-{i}", seed=i) for i in range(3)]
        about = {"task": "depth", "condition": "x8", "part": part}
        write_samples(tmp_path / f"{part}.safetensors", samples, about)
    configs = [ROOT / "config/default.yaml", ROOT / "config/smoke.yaml", tmp_path / "changes.yaml"]
    write_effective(json.dumps(read_settings(configs)), tmp_path / "config.yaml")
    return tmp_path


def words_of(folder, name, *more):
    options = {
        "config": "config.yaml", "task": "depth", "condition": "x8", "method": "sfigf", "variant": "full", "seed": 0,
        "train": "train.safetensors", "validation": "validation.safetensors", "checkpoints": f"{name}-checkpoints",
        "log": f"{name}.jsonl", "weights": f"{name}.safetensors", "device": "cpu",
    }  # fmt: skip
    return [*PYTHON, "sfigf", "train", *(w for k, v in options.items() for w in (f"--{k}", str(v))), *map(str, more)]


def train(folder, name, *more, status=0):
    done = subprocess.run(
        words_of(folder, name, *more), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stderr[-3000:]
    return done.stderr


def test_two_processes_train_what_one_does_in_slices_and_after_one_is_killed(bench):
    train(bench, "alone")
    train(bench, "pair", "--processes", 2)
    one, two = (load_file(bench / f"{name}.safetensors") for name in ("alone", "pair"))
    assert all(torch.allclose(one[key], two[key], atol=1e-4) for key in one)
    logs = [[json.loads(line) for line in (bench / f"{n}.jsonl").read_text().splitlines()] for n in ("alone", "pair")]
    assert [line.get("step") for line in logs[0]] == [line.get("step") for line in logs[1]]
    assert (logs[0][-1]["processes"], logs[1][-1]["processes"]) == (1, 2)

    said = train(bench, "cut", "--processes", 2, "--seconds", 0.01, status=75)
    assert "Traceback" not in said
    assert not (bench / "cut.safetensors").exists()
    assert torch.load(bench / "cut-checkpoints/last.pt", weights_only=True)["step"] >= 1
    said = killed(bench, "cut")
    assert re.search(r"sfigf: another process of this training has ended \(process 1: killed by signal 9", said), said
    assert "Traceback" not in said
    train(bench, "cut", "--processes", 2)
    assert (bench / "cut.safetensors").read_bytes() == (bench / "pair.safetensors").read_bytes()


def killed(folder, name):
    """Kill the second process of a training once both are under way; return what the first one said."""
    first = subprocess.Popen(
        words_of(folder, name, "--processes", 2), cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while first.poll() is None and time.monotonic() < deadline:
        second = children_of(first.pid)
        if second and is_connected(second[0]):
            os.kill(second[0], signal.SIGKILL)
            break
        time.sleep(0.02)
    said = first.communicate(timeout=120)[1]
    assert first.returncode == 2, said
    return said


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def is_connected(pid):
    """Whether a process has met the others: it speaks to the store, and to its peer."""
    links = [os.path.join(f"/proc/{pid}/fd", name) for name in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket:") for link in links) >= 3


def test_too_many_processes_for_a_batch_are_refused_in_one_line(bench):
    said = train(bench, "many", "--processes", 3, status=2)
    assert "3 processes share a batch of 2; use fewer" in said
    assert "Traceback" not in said
    assert not (bench / "many.safetensors").exists()


def test_an_error_that_is_no_lost_peer_is_not_called_one():
    with pytest.raises(RuntimeError, match="out of memory"), peers():
        raise RuntimeError("out of memory")


def test_workers_change_nothing_and_a_killed_one_loses_nothing(bench):
    train(bench, "none")
    train(bench, "two", "--workers", 2)
    assert (bench / "two.safetensors").read_bytes() == (bench / "none.safetensors").read_bytes()
    trainer = subprocess.Popen(
        words_of(bench, "cut", "--workers", 2), cwd=bench, env=environment(), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while trainer.poll() is None and time.monotonic() < deadline:
        workers = [worker for server in children_of(trainer.pid) for worker in children_of(server)]
        if workers:
            os.kill(workers[0], signal.SIGKILL)
            break
        time.sleep(0.02)
    said = trainer.communicate(timeout=120)[1]
    assert trainer.returncode == 2, said
    assert "a process that loads data has ended" in said
    assert "Traceback" not in said
    train(bench, "cut")
    assert (bench / "cut.safetensors").read_bytes() == (bench / "none.safetensors").read_bytes()
