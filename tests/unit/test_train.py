"""Training one would trust: exact resume, validation-selected weights, one writer, no silent NaN."""

import dataclasses
import json
import threading
import weakref
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic import BaseModel
from torch import nn

from sfigf.checkpoint import checkpoint_folder
from sfigf.config import Training
from sfigf.inference import restore_sample
from sfigf.interface import UserError
from sfigf.optimizers import make_optimizer
from sfigf.registry import register
from sfigf.restoring import restore_set
from sfigf.store import RecordFile, write_samples
from sfigf.tasks import signature
from sfigf.train import train
from sfigf.trainer import Job, Trainer
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


class OwnNet(Net):
    """Its own loss is that of half its answer, so the weights it leads to are told apart; ``seen`` is what it got."""

    def __init__(self, signature, scale):
        super().__init__(signature, scale)
        self.seen = []

    def loss(self, target, guide, truth, valid):
        self.seen.append({"truth": truth.shape, "valid": valid.shape})
        return ((self(target, guide) / 2 - truth).square() * valid).mean()


class MonoNet(OwnNet):
    def loss(self, target, guide, truth, valid, mono=None):
        self.seen.append(None if mono is None else mono.shape)
        return super().loss(target, guide, truth, valid)


@register("method")
class OwnConv(TinyConv, frozen=True, extra="forbid"):
    """The same, with a loss of its own."""

    name: ClassVar[str] = "test-own"
    mono: bool = False

    def build(self, signature, variant):
        return (MonoNet if self.mono else OwnNet)(signature, self.scale)


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


def test_focus_learns_without_a_truth(tmp_path):
    samples = [dataclasses.replace(make_sample("focus", f"t{i}", seed=i), truth=None) for i in range(2)]
    a_job = job(steps=40, loss="focus-unsupervised")
    facts = a_job.facts | {"task": "focus", "signature": {"target": 3, "guide": 3, "output": 3}}
    run(
        tmp_path,
        dataclasses.replace(a_job, facts=facts, metric="psnr", train=samples, validation=[make_sample("focus")]),
        "w",
    )
    losses = [json.loads(line)["loss"] for line in (tmp_path / "w.jsonl").read_text().splitlines() if '"train"' in line]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])
    with pytest.raises(UserError, match="t0: no ground truth; it cannot be trained on with this loss"):
        run(
            tmp_path,
            dataclasses.replace(job(), train=[dataclasses.replace(make_sample("depth", "t0"), truth=None)]),
            "v",
        )


def test_raw_mono_learns_from_both_truths_and_restores_rgb(tmp_path):
    sample = make_sample("raw", side=64)
    sample = dataclasses.replace(sample, guide=sample.guide[:0], mono=sample.truth.mean(axis=0, keepdims=True))
    options = {"method": "sfigf", "width": 4, "levels": 2}
    training = Training(
        steps=2,
        batch_size=1,
        patch_px=32,
        learning_rate=1e-3,
        validate_every_steps=2,
        loss="raw-mono",
        gradient_clip=None,
    )
    facts = {
        "task": "raw", "condition": "mono-estimated", "label": "sfigf", "variant": "full", "seed": 0,
        "options": options,
        "signature": {"target": 4, "guide": 0, "output": 3, "upscale": 2}, "training": training.model_dump(),
    }  # fmt: skip
    path = run(tmp_path, Job(facts, training, "psnr", [sample], [sample]), "w")
    network, _ = load_network(path, "raw")
    assert restore_sample(network, sample, torch.device("cpu")).shape == sample.truth.shape
    changed = dataclasses.replace(sample, mono=sample.mono + 0.5)
    assert run(tmp_path, Job(facts, training, "psnr", [changed], [sample]), "v").read_bytes() != path.read_bytes()
    with pytest.raises(UserError, match="no truth of a monochrome camera"):
        run(tmp_path, Job(facts, training, "psnr", [dataclasses.replace(sample, mono=None)], [sample]), "u")


def own_job(mono=False, **changes):
    a_job = job(**({"loss": "own"} | changes))
    options = {"method": "test-own", "scale": 1.0, "mono": mono}
    return dataclasses.replace(a_job, facts=a_job.facts | {"label": "own", "method": "test-own", "options": options})


def test_a_network_may_bring_its_own_loss(tmp_path):
    own = run(tmp_path, own_job(steps=80), "own")
    losses = [
        json.loads(line)["loss"] for line in (tmp_path / "own.jsonl").read_text().splitlines() if '"train"' in line
    ]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])
    assert own.read_bytes() != run(tmp_path, own_job(steps=80, loss="mse"), "mse").read_bytes()
    with checkpoint_folder(tmp_path / "cut-checkpoints") as folder:
        trainer = Trainer(own_job(steps=80), torch.device("cpu"))
        trainer.run(folder, until=7)
    assert trainer.network.seen[0] == {"truth": (2, 1, 16, 16), "valid": (2, 1, 16, 16)}
    assert run(tmp_path, own_job(steps=80), "cut").read_bytes() == own.read_bytes()


def test_a_network_without_a_loss_of_its_own_is_named(tmp_path):
    says = "depth x4 test-tiny/full seed 3: this network has no loss of its own; set training.loss to another"
    with pytest.raises(UserError, match=says):
        run(tmp_path, job(loss="own"), "w")


def test_a_second_truth_goes_to_a_loss_that_asks_for_it(tmp_path):
    plain = make_sample("depth", "t0")
    both = dataclasses.replace(plain, mono=plain.truth)
    for samples, seen in (([both], (2, 1, 16, 16)), ([plain], None), ([both, plain], None)):
        trainer = Trainer(dataclasses.replace(own_job(mono=True), train=samples), torch.device("cpu"))
        trainer.advance()
        assert trainer.network.seen[0] == seen
    Trainer(dataclasses.replace(own_job(), train=[both]), torch.device("cpu")).advance()  # does not ask for it
    with pytest.raises(UserError, match="t0: no ground truth"):
        Trainer(dataclasses.replace(own_job(), train=[dataclasses.replace(plain, truth=None)]), torch.device("cpu"))


@pytest.mark.parametrize(
    ("task", "name", "options"),
    [
        ("depth", "jiif", {"width": 4, "blocks": 1, "layers": [8], "factor": 4, "queries": 50}),
        ("depth", "pgsr", {"width": 4, "factor": 4}),
        ("focus", "sesf-fuse", {"width": 4}),
        ("focus", "gacn", {"width": 4}),
        ("raw", "nafnet", {"width": 4, "encoder": [1], "decoder": [1]}),
        ("raw", "mcr-net", {"mono_width": 2, "width": 2}),
    ],
)
def test_every_published_own_loss_trains_in_our_loop(task, name, options):
    sample = make_sample(task, side=64)
    if name == "mcr-net":
        sample = dataclasses.replace(sample, mono=sample.truth[:1])
    facts = {
        "task": task, "condition": "x", "label": name, "method": name, "variant": "full", "seed": 0,
        "options": options | {"method": name}, "signature": dataclasses.asdict(signature(task, sample)),
    }  # fmt: skip
    settings = job(loss="own", patch_px=32, learning_rate=1e-3).training
    trainer = Trainer(Job(facts, settings, "psnr", [sample], []), torch.device("cpu"))
    before = [parameter.detach().clone() for parameter in trainer.network.parameters()]
    assert all(np.isfinite(trainer.advance()) for _ in range(3))
    moved = [not torch.equal(old, new) for old, new in zip(before, trainer.network.parameters(), strict=True)]
    assert sum(moved) > len(moved) / 2


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
