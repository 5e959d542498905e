"""MFIFB: input/NAME/NAME_A.*, as JPEG, PNG or BMP, colour or grey."""

from __future__ import annotations

from pathlib import Path

from tests.miniature.focus_pairs import save_pair

PAIRS = {"aymaz_01": ("bmp", "RGB"), "aymaz_03": ("png", "RGB"), "lytro_01": ("jpg", "RGB"), "stand_01": ("jpg", "L")}


def write(folder: Path) -> None:
    """Write four pairs in three formats, one of them grey."""
    for number, (name, (suffix, mode)) in enumerate(PAIRS.items()):
        files = (folder / "input" / name / f"{name}_{letter}.{suffix}" for letter in "AB")
        save_pair(*files, seed=4000 + number, mode=mode)
