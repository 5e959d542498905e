"""A training cut into slices, told to stop, or averaged is still the same training."""

import signal

import pytest
import torch

from sfigf.train import train
from sfigf.trainer import Trainer
from tests.unit.tiny_training import job, run


def test_slices_equal_an_undisturbed_run_bit_for_bit(tmp_path):
    settings = {"average": 0.9, "augmentation": "strong", "encoding": "detail"}
    whole = run(tmp_path, job(**settings), "whole")
    arguments = [tmp_path / f"cut{suffix}" for suffix in (".safetensors", ".jsonl", "-checkpoints")]
    slices = 1
    while not train(job(**settings), *arguments, "cpu", seconds=1e-4):
        assert not arguments[0].exists()
        slices += 1
    assert slices >= 12
    assert arguments[0].read_bytes() == whole.read_bytes()
    assert not arguments[2].exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heeded_between_steps_and_loses_nothing(tmp_path, number, monkeypatch):
    whole = run(tmp_path, job(), "whole")
    advance = Trainer.advance

    def told_once(self, batch):
        if self.step == 5:
            signal.raise_signal(number)
        return advance(self, batch)

    heard = []
    before = signal.signal(number, lambda *_: heard.append(number))
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "advance", told_once)
            train(job(), tmp_path / "cut.safetensors", tmp_path / "cut.jsonl", tmp_path / "cut-checkpoints", "cpu")
        assert heard == [number]
        assert torch.load(tmp_path / "cut-checkpoints" / "last.pt", weights_only=True)["step"] == 6
        assert signal.getsignal(number) is not None
    finally:
        signal.signal(number, before)
    assert run(tmp_path, job(), "cut").read_bytes() == whole.read_bytes()


def test_the_average_of_the_weights_is_validated_and_kept(tmp_path):
    trainer = Trainer(job(average=0.999, steps=3, validate_every_steps=3), torch.device("cpu"))
    expected = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    for update in range(3):
        trainer.advance()
        share = 1 - (1 + update) / (10 + update)
        for key, value in trainer.network.state_dict().items():
            expected[key] += share * (value - expected[key])
    trainer._validate()
    for key, value in trainer.best["state"].items():
        assert torch.allclose(value, expected[key], atol=1e-7)
        assert not torch.equal(value, trainer.network.state_dict()[key])
