"""Proof that a split is honest: no picture, near-duplicate or place on two sides, and a guard between strips.

Near-duplicates: pictures are averaged to 64x64 grey thumbnails, band-passed (Gaussians of 1 and 4 px) and correlated
under all shifts of at most 8 px and the four mirrorings. Measured on the 128 scenes of the mini study: two places reach
at most 0.31; two overlapping views of one place 0.54 to 0.78; a picture against itself cut by 8 % at least 0.42, by
4 % 0.76. A 64-bit DCT hash was measured too and left out: places come as near as 18 bits, a cut of 8 % as far as 28.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.files import write_text
from sfigf.interface import Array, UserError
from sfigf.registry import nearest
from sfigf.store import RecordFile

SIMILARITY_LIMIT = 0.45
GUARD_PX = 41
PAIR_LIMIT = 2_000_000
_THUMBNAIL_PX = 64
_SHIFT_PX = 8
_PICTURES = ("rgb", "multispectral", "focus-a", "sharp", "upsampled")
Assignment = Mapping[str, Sequence[str]]


@dataclasses.dataclass(frozen=True)
class Print:
    """What is needed to recognise a scene: digest of its bytes, thumbnail (64,64), place, and where it was cut."""

    dataset: str
    name: str
    part: str
    place: str
    digest: str
    thumbnail: Array
    meta: Mapping[str, Any]
    leak: str = ""

    def __str__(self) -> str:
        return f"{self.dataset}/{self.name}"


def audit(prepared: Sequence[str | Path], assignment: Assignment) -> dict[str, Any]:
    """Audit one assignment of ``name`` or ``name:part`` to sides, such as train, validation and test.

    Returns:
        ``sides`` (scenes per side), ``closest`` (the most similar pair across sides) and the limits used.

    Raises:
        UserError: If a selection is empty or unknown, or anything is on two sides; lists the pairs. A leak that a set's
            card owns up to is reported under ``declared_leaks`` instead.
    """
    return _audit(take_prints(prepared), assignment, "split")


def audit_tasks(
    prepared: Sequence[str | Path], tasks: Mapping[str, Mapping[str, list[str]]], output: str | Path
) -> dict[str, Any]:
    """Audit each task and write the reports as JSON.

    Raises:
        UserError: As for ``audit``.
    """
    prints = take_prints(prepared)
    report = {task: _audit(prints, assignment, task) for task, assignment in tasks.items()}
    write_text(output, json.dumps(report, indent=1, sort_keys=True) + "\n")
    return report


def take_prints(prepared: Sequence[str | Path]) -> list[Print]:
    """Read each prepared set once; a scene's picture is the first of its arrays in ``_PICTURES``."""
    return [picture for path in prepared for picture in _prints_of(RecordFile(path))]


def _prints_of(records: RecordFile) -> Iterator[Print]:
    dataset = records.about.get("dataset", records.path.stem)
    for index, name in enumerate(records.names):
        facts = records.facts(index)
        role = next((role for role in _PICTURES if role in records.fields(index)), None)
        if role is None:
            raise UserError(f"{records.path}: scene '{name}' has none of the arrays {', '.join(_PICTURES)}")
        picture = records.array(index, role)
        digest = hashlib.sha256(f"{picture.shape} {picture.dtype}".encode() + picture.tobytes()).hexdigest()
        place, leak = facts["place"], records.about.get("leak", "")
        yield Print(dataset, name, facts["part"], place, digest, thumbnail(picture), facts["meta"], leak)


def thumbnail(picture: Array) -> Array:
    """Average (C,H,W) to a band-passed (64,64) of zero mean and unit norm; a flat picture gives zeros."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    grey = Image.fromarray(picture.mean(0, dtype=np.float32))
    small = np.asarray(grey.resize((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.BOX), dtype=np.float64)
    band = gaussian_filter(small - gaussian_filter(small, 4), 1)
    band -= band.mean()
    norm = np.linalg.norm(band)
    return band / norm if norm > 1e-6 * (1 + np.abs(small).max()) else np.zeros_like(band)


def similarity(one: Sequence[Print], other: Sequence[Print]) -> Array:
    """Largest correlation (len(one), len(other)) over small shifts and the four mirrorings, at most 1."""
    near = np.r_[0 : _SHIFT_PX + 1, -_SHIFT_PX:0]
    left = np.conj(np.fft.rfft2([picture.thumbnail for picture in one]))
    thumbnails = np.array([picture.thumbnail for picture in other])
    best = np.full((len(one), len(other)), -1.0)
    for rows, columns in itertools.product((1, -1), (1, -1)):
        right = np.fft.rfft2(thumbnails[:, ::rows, ::columns])
        for index, spectrum in enumerate(left):
            shifted = np.fft.irfft2(spectrum * right, s=(_THUMBNAIL_PX, _THUMBNAIL_PX))
            best[index] = np.maximum(best[index], shifted[:, near][:, :, near].max((1, 2)))
    return best


def _audit(prints: Sequence[Print], assignment: Assignment, task: str) -> dict[str, Any]:
    sides = {side: _selected(prints, selections, f"{task}.{side}") for side, selections in assignment.items()}
    closest: tuple[float, str, str] = (-1.0, "", "")
    leaks: list[str] = []
    declared: dict[str, dict[str, Any]] = {}
    compared: dict[str, bool] = {}
    for (left, some), (right, others) in itertools.combinations(sides.items(), 2):
        compared[f"{left}/{right}"] = len(some) * len(others) <= PAIR_LIMIT
        pairs = _all_pairs(some, others) if compared[f"{left}/{right}"] else _suspects(some, others)
        for one, other, alike in pairs:
            closest = max(closest, (alike, str(one), str(other)))
            reason = _leak(one, other, alike)
            if reason and one.leak and one.dataset == other.dataset:
                declared.setdefault(one.dataset, {"said": one.leak, "pairs": 0})["pairs"] += 1
            elif reason:
                leaks.append(f"{one} ({left}) and {other} ({right}): {reason}")
    if leaks:
        more = f"; and {len(leaks) - 8} more" if len(leaks) > 8 else ""
        raise UserError(f"{task}: {len(leaks)} pairs are on two sides of the split: {'; '.join(leaks[:8])}{more}")
    return {
        "sides": {side: [str(picture) for picture in pictures] for side, pictures in sides.items()},
        "closest": {"similarity": round(closest[0], 4), "pair": list(closest[1:])},
        "limits": {"similarity": SIMILARITY_LIMIT, "guard_px": GUARD_PX},
        "near_duplicates_searched": compared,
        "declared_leaks": declared,
    }


def _all_pairs(some: Sequence[Print], others: Sequence[Print]) -> Iterator[tuple[Print, Print, float]]:
    """Every pair, and how alike it is."""
    alike = similarity(some, others)
    for (i, one), (j, other) in itertools.product(enumerate(some), enumerate(others)):
        yield one, other, float(alike[i, j])


def _suspects(some: Sequence[Print], others: Sequence[Print]) -> Iterator[tuple[Print, Print, float]]:
    """Pairs of one digest, place or source alone: to compare more pictures than ``PAIR_LIMIT`` would take days."""
    known: dict[str, list[Print]] = {}
    for one in some:
        for trait in _traits(one):
            known.setdefault(trait, []).append(one)
    for other in others:
        found = {str(one): one for trait in _traits(other) for one in known.get(trait, [])}
        yield from ((one, other, -1.0) for one in found.values())


def _traits(picture: Print) -> set[str]:
    source = f"source {picture.dataset} {picture.meta['source']}" if "source" in picture.meta else ""
    return {f"digest {picture.digest}", f"place {picture.place}", source} - {""}


def _selected(prints: Sequence[Print], selections: Sequence[str], where: str) -> list[Print]:
    chosen: dict[str, Print] = {}
    for selection in selections:
        dataset, _, part = selection.partition(":")
        fitting = [p for p in prints if p.dataset == dataset and part in ("", p.part)]
        if not fitting:
            known = sorted({p.dataset for p in prints} | {f"{p.dataset}:{p.part}" for p in prints})
            raise UserError(f"{where}: no prepared scene is '{selection}'{nearest(selection, known)}")
        chosen |= {str(picture): picture for picture in fitting}
    return list(chosen.values())


def _leak(one: Print, other: Print, alike: float) -> str:
    """Say why two scenes may not be on two sides, or return an empty string."""
    if one.digest == other.digest:
        return "the same picture"
    if one.place == other.place:
        return f"the same place '{one.place}'"
    if alike >= SIMILARITY_LIMIT:
        return f"near-duplicates (correlation {alike:.2f}, limit {SIMILARITY_LIMIT})"
    gap = _gap(one, other)
    if gap is None or gap >= GUARD_PX:
        return ""
    return f"cuts of one picture that {f'lie {gap} px apart' if gap >= 0 else 'overlap'}, {GUARD_PX} px needed"


def _gap(one: Print, other: Print) -> int | None:
    """Pixels between two cuts of one picture, negative where they overlap; None if they are not of one picture."""
    if one.dataset != other.dataset or "source" not in one.meta or one.meta["source"] != other.meta.get("source"):
        return None
    axes = [(one.meta[axis], other.meta[axis]) for axis in ("rows", "columns")]
    return max(max(second[0] - first[1], first[0] - second[1]) for first, second in axes)
