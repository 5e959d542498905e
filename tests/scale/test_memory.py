"""Memory stays flat as the training set grows tenfold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.scale.memory import table

FEW = 20
ROOM_MB = 25
"""The file grows by 250 MB; what is kept of each sample, its name and facts, is a few kilobytes."""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc how much memory is the process's own")
def test_memory_stays_flat_as_the_data_grow_tenfold(tmp_path: Path) -> None:
    found = table((FEW, 10 * FEW), tmp_path)
    grown = (tmp_path / f"{10 * FEW}/samples.safetensors").stat().st_size / 1e6
    assert grown > 10 * ROOM_MB
    for name, (small, large) in found.items():
        assert large < small + ROOM_MB, f"{name}: {small:.0f} MB with {FEW} scenes, {large:.0f} MB with ten times that"
