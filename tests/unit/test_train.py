"""Training one would trust: exact resume, validation-selected weights, one writer, no silent NaN."""

import itertools
import json
import threading
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic import BaseModel
from torch import nn

from sfigf.checkpoint import checkpoint_folder
from sfigf.config import Training
from sfigf.interface import UserError
from sfigf.registry import register
from sfigf.train import Job, Trainer, learning_rate, masked_loss, train
from sfigf.weights import load_network, read_facts
from tests.conftest import make_sample


class Net(nn.Module):
    def __init__(self, signature, scale):
        super().__init__()
        self.conv = nn.Conv2d(signature.target + signature.guide, signature.output, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.scale = scale

    def forward(self, target, guide):
        return self.conv(self.drop(torch.cat([target, guide], 1))) * self.scale


@register("method")
class TinyConv(BaseModel, frozen=True, extra="forbid"):
    """One convolution with dropout, for tests."""

    name: ClassVar[str] = "test-tiny"
    tasks: ClassVar[tuple[str, ...]] = ("depth", "focus", "pan")
    kind: ClassVar[str] = "feature-level"
    source: ClassVar[str] = "tests"
    variants: ClassVar[tuple[str, ...]] = ("full",)
    scale: float = 1.0

    def build(self, signature, variant):
        return Net(signature, self.scale)


def job(steps=12, scale=1.0, **changes):
    settings = {"steps": steps, "batch_size": 2, "patch_px": 16, "learning_rate": 0.01, "validate_every_steps": 4}
    facts = {
        "task": "depth", "condition": "x4", "label": "test-tiny", "method": "test-tiny", "variant": "full", "seed": 3,
        "options": {"method": "test-tiny", "scale": scale}, "signature": {"target": 1, "guide": 3, "output": 1},
    }  # fmt: skip
    training = Training(**(settings | changes))
    facts["training"] = training.model_dump()
    samples = [make_sample("depth", f"t{i}", seed=i) for i in range(3)]
    return Job(facts, training, "rmse", samples, [make_sample("depth")])


def run(folder, a_job, name):
    train(a_job, folder / f"{name}.safetensors", folder / f"{name}.jsonl", folder / f"{name}-checkpoints", "cpu")
    return folder / f"{name}.safetensors"


def test_stop_and_resume_equals_an_undisturbed_run_bit_for_bit(tmp_path):
    whole = run(tmp_path, job(), "whole")
    for stop in (1, 5, 8):
        with checkpoint_folder(tmp_path / f"cut{stop}-checkpoints") as folder:
            Trainer(job(), torch.device("cpu")).run(folder, until=stop)
        torch.manual_seed(999)
        cut = run(tmp_path, job(), f"cut{stop}")
        assert cut.read_bytes() == whole.read_bytes()
        lines = [(tmp_path / f"{n}.jsonl").read_text().splitlines()[:-1] for n in ("whole", f"cut{stop}")]
        assert lines[0] == lines[1]


def test_two_seeds_differ(tmp_path):
    one, two = job(), job()
    two.facts["seed"] = 4
    assert run(tmp_path, one, "one").read_bytes() != run(tmp_path, two, "two").read_bytes()


def test_the_best_validated_weights_are_kept(tmp_path):
    path = run(tmp_path, job(steps=40, learning_rate=0.3), "w")
    events = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines()]
    validations = {e["step"]: e["value"] for e in events if e["event"] == "validate"}
    facts = read_facts(path)
    assert facts["selected_step"] == min(validations, key=validations.get)
    assert facts["validation"]["rmse"] == min(validations.values())
    assert sum(e["event"] == "train" for e in events) == 40


def test_training_lowers_the_loss(tmp_path):
    run(tmp_path, job(steps=80), "w")
    losses = [json.loads(line)["loss"] for line in (tmp_path / "w.jsonl").read_text().splitlines() if '"train"' in line]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def test_a_non_finite_loss_stops_with_step_and_batch(tmp_path):
    with pytest.raises(UserError, match=r"depth x4 test-tiny/full seed 3: loss is (inf|nan) at step 1, batch of t"):
        run(tmp_path, job(scale=float("inf")), "w")
    assert not (tmp_path / "w.safetensors").exists()


def test_a_second_writer_is_refused(tmp_path):
    caught = []

    def second():
        try:
            with checkpoint_folder(tmp_path / "c"):
                pass
        except UserError as error:
            caught.append(str(error))

    with checkpoint_folder(tmp_path / "c"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "another process is training here" in caught[0]
    with checkpoint_folder(tmp_path / "c"):
        pass


def test_an_unreadable_checkpoint_is_set_aside_and_training_starts_again(tmp_path):
    whole = run(tmp_path, job(), "whole")
    (tmp_path / "cut-checkpoints").mkdir()
    (tmp_path / "cut-checkpoints/last.pt").write_bytes(b"half a checkpoint")
    assert run(tmp_path, job(), "cut").read_bytes() == whole.read_bytes()


def test_weights_say_what_they_are_and_refuse_another_task(tmp_path):
    path = run(tmp_path, job(), "w")
    network, facts = load_network(path, "depth")
    assert facts["signature"]["guide"] == 3
    assert not network.training
    with pytest.raises(UserError, match="weights of task 'depth', asked for 'pan'"):
        load_network(path, "pan")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"w\.safetensors: not a readable weight file"):
        load_network(path, "depth")


def test_learning_rate_warms_up_and_falls():
    settings = Training(
        steps=100, batch_size=1, patch_px=8, learning_rate=1.0, final_learning_rate=0.1, warmup_steps=10,
        validate_every_steps=50,
    )  # fmt: skip
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize(("kind", "expected"), [("l1", 2.0), ("mse", 4.0), ("charbonnier", 2.0)])
def test_loss_counts_valid_pixels_only(kind, expected):
    truth, restored = torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 100.0)
    valid = torch.zeros(1, 1, 4, 4)
    valid[..., 0] = 1
    restored[..., 0] = 2.0
    assert masked_loss(restored, truth, valid, kind).item() == pytest.approx(expected, rel=1e-6)
