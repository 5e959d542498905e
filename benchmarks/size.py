"""Does cost grow linearly with the image, whole and tile by tile?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import forms, network, scene
from benchmarks.alone import Calls, Form, Row, side_by_side
from benchmarks.section import Section
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from torch import Tensor

    from sfigf.regions import Region

KINDS = ("whole", "tiled")
FACTS = {
    "whole_ms_per_mp": ("whole, ms per MP", ".0f"),
    "whole_peak": ("peak MB", ".0f"),
    "whole_kb_per_pixel": ("kB per pixel", ".2f"),
    "tiled_ms_per_mp": ("tiled, ms per MP", ".0f"),
    "tiled_peak": ("peak MB", ".0f"),
    "tiled_kb_per_pixel": ("kB per pixel", ".2f"),
}


def measure(sizes: Sizes) -> dict[str, Section]:
    """One row per size."""
    wanted = {"whole": sizes.whole_px, "tiled": sizes.tiled_px}
    tasks = {(kind, side): _form(kind, side, sizes) for kind in KINDS for side in wanted[kind]}
    measured = side_by_side({f"{kind} {side}": form for (kind, side), form in tasks.items()}, sizes)
    rows: dict[str, Row] = {}
    for kind, side in sorted(tasks, key=lambda task: task[1]):
        row = rows.setdefault(f"{side} x {side}", {})
        row.update(_per_pixel(kind, side, measured[f"{kind} {side}"]))
    return {
        "size": Section(
            title="Depth network, any size",
            text=f"Float32, width {sizes.width}, tiles of {sizes.tile} x {sizes.tile} (an image no larger goes in one "
            f"piece); CPU threads: {sizes.threads}. MP: a million pixels. The tiled rows make their input and keep no "
            "output, so that their memory is that of the work.",
            rows=rows,
            facts=FACTS,
            first="pixels",
        )
    }


def _form(kind: str, side: int, sizes: Sizes) -> Form:
    return Form(make, (kind, side, sizes.tile, sizes.width), threads=sizes.threads)


def _per_pixel(kind: str, side: int, row: Row) -> Row:
    failures = [text for key, text in row.items() if key.endswith("failed")]
    if failures:
        return {"facts_failed": failures[0]}
    pixels = side * side
    return {
        f"{kind}_ms_per_mp": row[kind] * 1e9 / pixels,
        f"{kind}_peak": row[f"{kind}_peak"],
        f"{kind}_kb_per_pixel": row[f"{kind}_peak"] * 1e3 / pixels,
    }


def make(kind: str, side: int, tile: int, width: int) -> Calls:
    """Build the call ``whole`` or ``tiled``."""
    built = forms.network(forms.OURS, width=width)
    network.forward(built, scene.whole(64))
    if kind == "whole":
        images = scene.whole(side)
        return {"whole": lambda: network.forward(built, images)}
    return {"tiled": lambda: tiled(built, side, tile)}


def tiled(built: Any, side: int, tile: int) -> float:
    """Restore tile by tile; return the sum of what came out.

    Raises:
        ArithmeticError: If not every pixel was written once.
    """
    from sfigf.nets.tiled import restore_tiled

    total, pixels = 0.0, 0

    def write(region: Region, restored: Tensor) -> None:
        nonlocal total, pixels
        total += float(restored.double().sum())
        pixels += region.height * region.width

    with tempfile.TemporaryDirectory() as scratch:
        restore_tiled(built, (side, side), scene.read, write, tile=tile, scratch=Path(scratch))
    if pixels != side * side:
        raise ArithmeticError(f"{pixels} of {side * side} pixels were written")
    return total
