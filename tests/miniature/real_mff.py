"""Real-MFF: imageA/NNN_A.png, imageB/NNN_B.png, Fusion/NNN_F.png; the real ones have 433x625 px and run to 710."""

from __future__ import annotations

from pathlib import Path

from tests.miniature.focus_pairs import save_pair

_PLACES = (("imageA", "A"), ("imageB", "B"), ("Fusion", "F"))
TRAIN, VALIDATION, TEST = (1, 2, 3, 590), (591, 650), (651, 710)


def write(folder: Path) -> None:
    """Write eight pairs with their truth, from both ends of every part."""
    for number in (*TRAIN, *VALIDATION, *TEST):
        name = f"{number:03d}"
        files = [folder / place / f"{name}_{letter}.png" for place, letter in _PLACES]
        save_pair(*files, seed=number)
