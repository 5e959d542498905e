"""Lytro: lytro-NN-A.jpg and lytro-NN-B.jpg in one folder; the real ones are 20 pairs of 520x520 px."""

from __future__ import annotations

from pathlib import Path

from tests.miniature.focus_pairs import save_pair


def write(folder: Path) -> None:
    """Write all twenty pairs: the card names every file."""
    for number in range(1, 21):
        save_pair(*(folder / f"lytro-{number:02d}-{letter}.jpg" for letter in "AB"), seed=1000 + number)
