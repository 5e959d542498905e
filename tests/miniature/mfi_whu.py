"""MFI-WHU: source_1/N.jpg, source_2/N.jpg, full_clear/N.jpg, numbered without leading zeros from 1 to 120."""

from __future__ import annotations

from pathlib import Path

from tests.miniature.focus_pairs import save_pair


def write(folder: Path) -> None:
    """Write four pairs with their truth."""
    for number in (1, 2, 10, 120):
        save_pair(
            *(folder / place / f"{number}.jpg" for place in ("source_1", "source_2", "full_clear")), seed=3000 + number
        )
