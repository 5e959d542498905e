"""What docs/determinism.md promises of one machine and of two: equal to the byte, or within a stated distance."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sfigf.catalogue import SIGNATURES
from sfigf.config import Training
from sfigf.inference import restore_sample
from sfigf.registry import lookup
from sfigf.train import Job, train
from sfigf.weights import load_network
from tests.conftest import ROOT, make_sample

CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("sfigf", "depth", "rmse", {"width": 4, "levels": 2}),
    ("sid-unet", "raw", "psnr", {"width": 4}),
    ("pannet", "pan", "ergas", {}),
]
STEPS = 10
TRAINED, RESTORED = 1e-2, 1e-5
"""Largest distance of a restored image, over its range: by networks trained for ten steps, and by one and the same."""
OTHER_MACHINE = {
    "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}  # fmt: skip
"""Lets a machine with wider instructions compute as one without them does."""
cases = pytest.mark.parametrize(("name", "task", "metric", "options"), CASES, ids=[case[0] for case in CASES])


@pytest.fixture
def threads() -> Iterator[Any]:
    """Sets the number of threads, and sets it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def made(
    folder: Path, name: str, task: str, metric: str, options: dict[str, Any], steps: int = STEPS
) -> dict[str, np.ndarray]:
    """Train a network for some steps: its weights, an image it restores, and one that a fixed network restores."""
    cls, signature = lookup("method", name), SIGNATURES[task]
    method = cls(**options)
    training = Training(steps=steps, batch_size=2, patch_px=32, learning_rate=0.001, validate_every_steps=steps)
    facts = {
        "task": task, "condition": "x4", "label": name, "method": name, "variant": "full", "seed": 3,
        "options": method.model_dump() | {"method": name}, "signature": dataclasses.asdict(signature),
        "training": training.model_dump(),
    }  # fmt: skip
    job = Job(
        facts, training, metric, [make_sample(task, f"t{i}", 64, i) for i in range(2)], [make_sample(task, side=64)]
    )
    folder.mkdir()
    train(job, folder / "w.safetensors", folder / "log.jsonl", folder / "checkpoints", "cpu")
    network, _ = load_network(folder / "w.safetensors", task)
    result = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    sample = make_sample(task, side=96, seed=9)
    result["trained"] = restore_sample(network, sample, "cpu", training.encoding)
    torch.manual_seed(0)
    for parameter in network.parameters():  # what starts as nothing would hide all that comes before it
        torch.nn.init.normal_(parameter, std=0.1)
    return result | {"restored": restore_sample(network, sample, "cpu", training.encoding)}


def distance(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], image: str) -> float:
    """Largest distance of two images over their range."""
    return float(np.abs(ours[image] - theirs[image]).max() / np.ptp(ours[image]))


def assert_close(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], name: str) -> None:
    for image, most in (("trained", TRAINED), ("restored", RESTORED)):
        found = distance(ours, theirs, image)
        assert found <= most, f"{name}: {image} differs by {found:.1e} of its range"


@cases
def test_one_and_two_threads_stay_close(
    tmp_path: Path, threads: Any, name: str, task: str, metric: str, options: dict[str, Any]
) -> None:
    results = []
    for number in (1, 2):
        threads(number)
        results.append(made(tmp_path / str(number), name, task, metric, options))
    assert_close(*results, name)


@cases
def test_two_threads_give_the_same_bytes_twice(
    tmp_path: Path, threads: Any, name: str, task: str, metric: str, options: dict[str, Any]
) -> None:
    threads(2)
    first, second = (made(tmp_path / again, name, task, metric, options) for again in ("first", "second"))
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.slow
def test_a_machine_with_narrower_instructions_stays_close(tmp_path: Path) -> None:
    """The nearest to another machine that one machine has: torch, oneDNN, numpy and OpenBLAS held to AVX2."""
    if "AVX512" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("this machine has no wider instructions that could be held back")
    code = (
        "import sys, numpy, pathlib, torch; from tests.faults import test_determinism as t; torch.set_num_threads(1)\n"
        "for case in t.CASES:\n"
        "    numpy.savez(f'{sys.argv[1]}-{case[0]}', **t.made(pathlib.Path(sys.argv[1] + case[0]), *case))"
    )
    for kind, changes in (("own", {}), ("other", OTHER_MACHINE)):
        environment = {**os.environ, **changes, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / kind)], cwd=ROOT, env=environment, check=True)
    for name, *_ in CASES:
        ours, theirs = (dict(np.load(tmp_path / f"{kind}-{name}.npz")) for kind in ("own", "other"))
        assert any(not np.array_equal(ours[key], theirs[key]) for key in ours), "the switches have done nothing"
        assert_close(ours, theirs, name)
