"""A training on CUDA holds its GPU while it runs, and one on the CPU none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sfigf import devices, inference
from sfigf import train as training
from sfigf.cli import main
from sfigf.store import write_samples
from tests.conftest import make_sample
from tests.scale.memory import settings


@pytest.mark.parametrize(("kind", "used", "locks"), [("cuda", "cuda:0", ["made-up.0"]), ("cpu", "cpu", [])])
def test_a_training_claims_the_gpu_it_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, used: str, locks: list[str]
) -> None:
    seen: list[Any] = []

    def trained(job: Any, weights: Any, log: Any, checkpoints: Any, device: str, *more: Any) -> bool:
        held = [file.name for file in devices._OWN]
        seen.append((device, held, [file.read_text() for file in devices._OWN]))
        return True

    monkeypatch.setattr(training, "train", trained)
    monkeypatch.setattr(inference, "choose_device", lambda name: torch.device(kind))
    monkeypatch.setattr(devices, "gpus", lambda: ["made-up"])
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    for part in ("train", "validation"):
        write_samples(tmp_path / f"{part}.safetensors", [make_sample("depth", side=64)], {"part": part})
    words = ["train", "--config", str(settings(tmp_path)), "--task", "depth", "--condition", "x8"]
    words += ["--method", "sfigf", "--variant", "full", "--seed", "0", "--checkpoints", str(tmp_path / "c")]
    words += [f"--{part}={tmp_path}/{part}.safetensors" for part in ("train", "validation")]
    words += ["--log", str(tmp_path / "log"), "--weights", str(tmp_path / "weights")]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert not ended.value.code
    ((device, held, said),) = seen
    assert (device, held) == (used, locks)
    assert all("depth x8 sfigf/full seed 0" in text for text in said)
    assert not devices._OWN
