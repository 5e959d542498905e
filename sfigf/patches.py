"""Training batches: the batch of a step depends on (seed, step) alone, so a resumed run sees the same ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from sfigf.interface import Array, Sample, UserError

_ROLES = ("target", "guide", "truth", "valid")


@dataclasses.dataclass(frozen=True)
class Batch:
    """Arrays (b,C,h,w) float32; ``valid`` is 1 where the truth counts. ``names`` says which scenes were drawn."""

    target: Array
    guide: Array
    truth: Array
    valid: Array
    names: tuple[str, ...]


class Patches:
    """Random square patches of degraded samples.

    Scenes are drawn in proportion to their area. Augmentation keeps each task's physics: any flip or transpose, except
    raw, where only the transpose keeps the RGGB phase (and swaps the two greens); focus swaps its two images.

    Args:
        samples: Samples with a truth.
        task: Task name.
        patch_px: Side of the truth patch in pixels; raw draws half of it in packed pixels.
        batch_size: Patches per batch.
        seed: With the step, the only source of randomness.

    Raises:
        UserError: If a sample has no truth or is smaller than a patch.
    """

    def __init__(self, samples: Sequence[Sample], task: str, patch_px: int, batch_size: int, seed: int) -> None:
        self.samples, self.task, self.batch_size, self.seed = list(samples), task, batch_size, seed
        self.upscale = 2 if task == "raw" else 1
        self.side = patch_px // self.upscale
        for sample in self.samples:
            height, width = sample.target.shape[1:]
            if sample.truth is None:
                raise UserError(f"{sample.name}: no ground truth; it cannot be trained on")
            if min(height, width) < self.side:
                raise UserError(
                    f"{sample.name}: {height * self.upscale}x{width * self.upscale} px is smaller than the patch of "
                    f"{patch_px} px; lower training.patch_px"
                )
        areas = np.array([sample.target[0].size for sample in self.samples], dtype=np.float64)
        self._edges = np.cumsum(areas / areas.sum())

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, the same whenever it is asked for."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [self._patch(rng) for _ in range(self.batch_size)]
        target, guide, truth, valid = (np.stack([patch[role] for patch, _ in drawn]) for role in _ROLES)
        return Batch(target, guide, truth, valid, names=tuple(name for _, name in drawn))

    def _patch(self, rng: np.random.Generator) -> tuple[dict[str, Array], str]:
        index = min(int(np.searchsorted(self._edges, rng.random(), side="right")), len(self.samples) - 1)
        sample = self.samples[index]
        height, width = sample.target.shape[1:]
        top = int(rng.integers(height - self.side + 1))
        left = int(rng.integers(width - self.side + 1))
        patch = self._cut(sample, top, left)
        patch = _transpose_raw(patch, rng) if self.task == "raw" else _dihedral(patch, rng)
        if self.task == "focus" and rng.random() < 0.5:
            patch["target"], patch["guide"] = patch["guide"], patch["target"]
        return {role: np.ascontiguousarray(array) for role, array in patch.items()}, sample.name

    def _cut(self, sample: Sample, top: int, left: int) -> dict[str, Array]:
        assert sample.truth is not None
        window = np.s_[:, top : top + self.side, left : left + self.side]
        s = self.upscale
        fine = np.s_[:, s * top : s * (top + self.side), s * left : s * (left + self.side)]
        truth = sample.truth[fine]
        valid = np.ones_like(truth[:1]) if sample.valid is None else sample.valid[fine].astype(np.float32)
        return {"target": sample.target[window], "guide": sample.guide[window], "truth": truth, "valid": valid}


def _dihedral(patch: dict[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    flips = rng.random(3) < 0.5
    axes = tuple(axis for axis, flip in zip((1, 2), flips, strict=False) if flip)
    turned = {role: np.flip(array, axes) for role, array in patch.items()}
    return {role: array.transpose(0, 2, 1) for role, array in turned.items()} if flips[2] else turned


def _transpose_raw(patch: dict[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    if rng.random() < 0.5:
        return patch
    turned = {role: array.transpose(0, 2, 1) for role, array in patch.items()}
    return turned | {role: turned[role][[0, 2, 1, 3]] for role in ("target", "guide")}
