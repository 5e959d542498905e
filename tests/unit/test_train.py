"""Training one would trust: exact resume, validation-selected weights, one writer, no silent NaN."""

import json
import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from sfigf.checkpoint import checkpoint_folder
from sfigf.interface import UserError
from sfigf.optimizers import make_optimizer
from sfigf.restoring import restore_set
from sfigf.store import RecordFile, write_samples
from sfigf.trainer import Trainer
from sfigf.weights import load_network, read_facts
from tests.conftest import make_sample
from tests.unit.tiny_training import TinyConv, job, run


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


def test_the_weights_of_the_last_step_where_nothing_is_selected(tmp_path):
    path = run(tmp_path, job(steps=40, learning_rate=0.3, selection="none"), "w")
    facts = read_facts(path)
    assert (facts["selected_step"], facts["selected_on"]) == (40, "nothing")
    assert read_facts(run(tmp_path, job(), "v"))["selected_on"] == "validation"


def test_gradients_are_not_clipped_without_a_limit(tmp_path):
    one, two = (run(tmp_path, job(gradient_clip=clip), f"w{clip}").read_bytes() for clip in (1e-9, None))
    assert one != two


def test_a_long_training_logs_means_of_several_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("sfigf.trainer._LOGGED_STEPS", 5)
    run(tmp_path, job(steps=12), "w")
    with checkpoint_folder(tmp_path / "cut-checkpoints") as folder:
        Trainer(job(steps=12), torch.device("cpu")).run(folder, until=7)
    run(tmp_path, job(steps=12), "cut")
    monkeypatch.setattr("sfigf.trainer._LOGGED_STEPS", 100)
    run(tmp_path, job(steps=12), "each")
    few, cut, each = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines() if '"train"' in line]
        for name in ("w", "cut", "each")
    )
    assert few == cut
    assert [event["step"] for event in few] == [3, 6, 9, 12]
    assert few[1]["loss"] == pytest.approx(np.mean([event["loss"] for event in each[3:6]]))


def test_sgd_has_a_momentum(tmp_path):
    weight = nn.Parameter(torch.zeros(2, 2))
    network = nn.Module()
    network.weight = weight
    optimizer = make_optimizer(network, job(optimizer="sgd", learning_rate=1.0).training)
    for expected in (-1.0, -2.9, -5.61):  # steps of 1, 1.9 and 2.71
        weight.grad = torch.ones(2, 2)
        optimizer.step()
        assert torch.allclose(weight, torch.full((2, 2), expected))
    whole = run(tmp_path, job(optimizer="sgd"), "whole")
    with checkpoint_folder(tmp_path / "cut-checkpoints") as folder:
        Trainer(job(optimizer="sgd"), torch.device("cpu")).run(folder, until=5)
    assert run(tmp_path, job(optimizer="sgd"), "cut").read_bytes() == whole.read_bytes()


class Doubling:
    """A restorer that watches how many of its images are still held when the next is asked for."""

    method = TinyConv()

    def __init__(self):
        self.images, self.held = [], []

    def __call__(self, sample):
        self.held.append(sum(image() is not None for image in self.images))
        restored = 2 * sample.target
        self.images.append(weakref.ref(restored))
        return restored

    def cost(self, sample):
        return {"parameters": 0}


def test_a_set_is_restored_image_by_image(tmp_path):
    samples = [make_sample("depth", f"s{i}", side=16 + 8 * i, seed=i) for i in range(8)]
    write_samples(tmp_path / "test.safetensors", samples)
    restorer = Doubling()
    restore_set(
        restorer, tmp_path / "test.safetensors", tmp_path / "r.safetensors", tmp_path / "cost.json", {"seed": 0}
    )
    assert len(restorer.held) == 9  # the first once more, unmeasured
    assert max(restorer.held) <= 1
    restored = RecordFile(tmp_path / "r.safetensors")
    assert restored.names == [sample.name for sample in samples]
    assert all(np.array_equal(restored.array(i, "restored"), 2 * sample.target) for i, sample in enumerate(samples))
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["seconds_per_megapixel"] > 0
    assert (cost["kind"], cost["seed"]) == ("feature-level", 0)
