"""Shared pieces: the repository's root, the reference values, small samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sfigf.degrade.camera import camera_from_srgb
from sfigf.interface import Sample
from tests.network import EXCEPT, PROXIES, close_network

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Close the network to all tests, and to what they start."""
    close_network()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**PROXIES, **EXCEPT}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def reference() -> Path:
    """Folder of reference values beside the checkout; the test is skipped where it is not there."""
    folder = ROOT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("reference values not present: ../shared/reference")
    return folder


def make_sample(task: str, name: str = "s", side: int = 48, seed: int = 0) -> Sample:
    """A smooth random sample of a task: enough to train on, nothing to report."""
    rng = np.random.default_rng(seed)

    def smooth(channels: int, height: int, width: int) -> np.ndarray:
        rows, columns = np.mgrid[0:height, 0:width] / 16.0
        phases = rng.uniform(0, 6, (channels, 2, 1, 1))
        return (0.5 + 0.4 * np.sin(rows + phases[:, 0]) * np.cos(columns + phases[:, 1])).astype(np.float32)

    truth_channels = {"depth": 1, "pan": 4, "focus": 3, "raw": 3}[task]
    guide_channels = {"depth": 3, "pan": 1, "focus": 3, "raw": 4}[task]
    truth = smooth(truth_channels, side, side)
    grid = side // 2 if task == "raw" else side
    target = smooth(4, grid, grid) if task == "raw" else truth + rng.normal(0, 0.05, truth.shape).astype(np.float32)
    coarse = truth[:, 2::4, 2::4] if task == "pan" else None
    meta = {"factor": 4, "unit": "px", "dataset": "made-up"}
    if task == "raw":
        meta["colour_matrix"] = np.linalg.inv(camera_from_srgb()).tolist()
    return Sample(name, target, smooth(guide_channels, grid, grid), truth, coarse=coarse, meta=meta)
