"""Losses in training: without a truth, of two truths, and those that a network brings along."""

import dataclasses
import json
from typing import ClassVar

import numpy as np
import pytest
import torch

from sfigf.checkpoint import checkpoint_folder
from sfigf.config import Training
from sfigf.inference import restore_sample
from sfigf.interface import UserError
from sfigf.registry import register
from sfigf.tasks import signature
from sfigf.trainer import Job, Trainer
from sfigf.weights import load_network
from tests.conftest import make_sample
from tests.unit.tiny_training import Net, TinyConv, job, run


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
