"""MFFW as it stands in the comparative study: input/mffw_NN/mffw_NN_A.jpg, beside folders of other sets."""

from __future__ import annotations

from pathlib import Path

from tests.miniature.focus_pairs import save_pair


def write(folder: Path) -> None:
    """Write four pairs, and one of another set that is to be left alone."""
    for number, name in enumerate(("mffw_01", "mffw_02", "mffw_03", "mffw_13", "MFI-WHU_01")):
        save_pair(*(folder / "input" / name / f"{name}_{letter}.jpg" for letter in "AB"), seed=2000 + number)
