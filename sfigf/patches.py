"""Training batches: the batch of a step depends on (seed, step) alone, so a resumed run sees the same ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sfigf.interface import Array, Sample, UserError
from sfigf.windows import HeldWindows, StoredWindows, Windows

Preparation = Callable[[Sample, np.random.Generator], Sample]
"""What is done to a cut before it is a patch: augmentation, encoding."""
ROLES = ("target", "guide", "truth", "valid")
_FINE = ("truth", "valid", "mono")
_UPSAMPLED = ("depth", "pan")
_MISSING = {"truth": "no ground truth", "mono": "no truth of a monochrome camera"}


@dataclasses.dataclass(frozen=True)
class Batch:
    """Arrays (b,C,h,w) float32, None where the loss needs none; ``valid`` is 1 where the truth counts.

    ``names`` says which scenes were drawn.
    """

    target: Array
    guide: Array
    truth: Array | None = None
    valid: Array | None = None
    mono: Array | None = None
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Grid:
    """Where patches of a sample may start: at multiples of ``step``, ``shift`` further on an axis to be flipped."""

    room: tuple[int, int]
    flips: bool
    step: int = 1
    shift: int = 0

    def flippable(self, axis: int) -> bool:
        return self.flips and self.room[axis] >= self.shift

    def first(self, rng: np.random.Generator, axis: int, flipped: bool) -> int:
        shift = self.shift if flipped else 0
        return shift + self.step * int(rng.integers((self.room[axis] - shift) // self.step + 1))


@dataclasses.dataclass(frozen=True)
class _Draw:
    """What chance decided of a patch: the sample, where it starts, how it is turned."""

    index: int
    start: tuple[int, int]
    flips: tuple[bool, ...]
    transposed: bool
    swapped: bool


class Patches:
    """Random square patches of degraded samples.

    Scenes are drawn in proportion to their area. Augmentation keeps each task's physics: any flip or transpose, except
    raw, where only the transpose keeps the RGGB phase (and swaps the two greens); focus swaps its two images.

    A patch of depth or pan shows whole coarse pixels where the whole image does: networks pick the coarse map out of
    the upsampled one. Depth puts coarse pixel k in the middle of fine pixels ``factor*k`` to ``factor*k + factor - 1``,
    pan on ``factor*k + factor//2``, which is off the middle if the factor is even; an axis that is to be flipped then
    starts a pixel later, or is not flipped where there is no pixel to spare. A side of the patch that is no multiple of
    the factor leaves the place free.

    The generator of a batch, of (seed, step), is asked for each patch, in this order: which sample; flip down, flip
    across, transpose; top; left; for focus, swap. The preparation of a patch has its own, of (seed, step, place), so
    that processes that share a batch cut their own patches alone.

    Args:
        samples: Samples in memory, or a file of samples with ``records`` that give windows (``store.SampleFile``).
        task: Task name.
        patch_px: Side of the truth patch in pixels; raw draws half of it in packed pixels.
        batch_size: Patches per batch.
        seed: With the step, the only source of randomness.
        roles: Arrays that the loss needs.
        roles_if_there: Arrays that it takes as well where every sample has them.
        shuffle: False walks the samples in the order they come in, a patch of each; only its place is random.
        prepare: What is done to each cut; samples are never held as a whole.
        reach: Pixels of the target's grid around a patch that the preparation looks at.

    Raises:
        UserError: If a sample lacks what the loss needs or is smaller than a patch.
    """

    def __init__(
        self,
        samples: Sequence[Sample] | Any,
        task: str,
        patch_px: int,
        batch_size: int,
        seed: int,
        *,
        roles: Sequence[str] = ROLES,
        roles_if_there: Sequence[str] = (),
        shuffle: bool = True,
        prepare: Preparation | None = None,
        reach: int = 0,
    ) -> None:
        records = getattr(samples, "records", None)
        self._windows: Windows = HeldWindows(list(samples)) if records is None else StoredWindows(records)
        self.task, self.batch_size, self.seed, self.shuffle = task, batch_size, seed, shuffle
        self._prepare, self._reach = prepare, reach
        count = len(self._windows.names)
        self.roles = (*roles, *(role for role in roles_if_there if self._all_have(role, count)))
        self.upscale = 2 if task == "raw" else 1
        self.side = patch_px // self.upscale
        self._sizes = [self._checked_size(index, patch_px) for index in range(count)]
        self._grids = [self._grid(index, size) for index, size in enumerate(self._sizes)]
        areas = np.array([height * width for height, width in self._sizes], dtype=np.float64)
        self._edges = np.cumsum(areas / areas.sum())

    def _all_have(self, role: str, count: int) -> bool:
        return all(self._windows.shape(index, role) is not None for index in range(count))

    def _checked_size(self, index: int, patch_px: int) -> tuple[int, int]:
        name, shape = self._windows.names[index], self._windows.shape(index, "target")
        assert shape is not None
        for role, missing in _MISSING.items():
            if role in self.roles and self._windows.shape(index, role) is None:
                raise UserError(f"{name}: {missing}; it cannot be trained on with this loss")
        height, width = shape[1:]
        if min(height, width) < self.side:
            raise UserError(
                f"{name}: {height * self.upscale}x{width * self.upscale} px is smaller than the patch of "
                f"{patch_px} px; lower training.patch_px"
            )
        return height, width

    def _grid(self, index: int, size: tuple[int, int]) -> _Grid:
        room = (size[0] - self.side, size[1] - self.side)
        factor = int(self._windows.meta(index).get("factor", 1)) if self.task in _UPSAMPLED else 1
        if self.side % factor:
            return _Grid(room, flips=True)
        return _Grid(room, self.task != "raw", factor, shift=int(self.task == "pan" and factor % 2 == 0))

    def batch(self, step: int, places: range | None = None) -> Batch:
        """Return the batch of a step, the same whenever it is asked for, or the patches at some places of it."""
        rng = np.random.default_rng([self.seed, step])
        draws = [self._draw(rng, step * self.batch_size + place) for place in range(self.batch_size)]
        chosen = range(self.batch_size) if places is None else places
        patches = [self._patch(draws[place], np.random.default_rng([self.seed, step, place])) for place in chosen]
        arrays = {role: np.stack([patch[role] for patch in patches]) for role in self.roles}
        return Batch(**arrays, names=tuple(self._windows.names[draws[place].index] for place in chosen))

    def _draw(self, rng: np.random.Generator, count: int) -> _Draw:
        index = self._drawn(rng) if self.shuffle else count % len(self._grids)
        grid = self._grids[index]
        *flips, transposed = (bool(wish) for wish in rng.random(3) < 0.5)
        flips = [flip and grid.flippable(axis) for axis, flip in enumerate(flips)]
        top, left = (grid.first(rng, axis, flip) for axis, flip in enumerate(flips))
        swapped = self.task == "focus" and bool(rng.random() < 0.5)
        return _Draw(index, (top, left), tuple(flips), transposed, swapped)

    def _patch(self, draw: _Draw, rng: np.random.Generator) -> dict[str, Array]:
        patch = _flipped(self._shown(draw.index, draw.start, rng), draw.flips)
        if draw.transposed:
            patch = _transposed(patch, packed=self.task == "raw")
        if draw.swapped:
            patch["target"], patch["guide"] = patch["guide"], patch["target"]
        return {role: np.ascontiguousarray(array) for role, array in patch.items()}

    def _drawn(self, rng: np.random.Generator) -> int:
        return min(int(np.searchsorted(self._edges, rng.random(), side="right")), len(self._grids) - 1)

    def _shown(self, index: int, start: tuple[int, int], rng: np.random.Generator) -> dict[str, Array]:
        """A patch by role, prepared with what lies around it in the image, as the whole image would have been."""
        first = [max(0, at - self._reach) for at in start]
        last = [min(size, at + self.side + self._reach) for at, size in zip(start, self._sizes[index], strict=True)]
        cut: dict[str, Any] = {role: self._cut(index, role, first, last) for role in self.roles}
        if self._prepare is None:
            return cut
        sample = self._prepare(Sample(self._windows.names[index], meta=self._windows.meta(index), **cut), rng)
        return {role: self._inner(getattr(sample, role), role, first, start) for role in self.roles}

    def _inner(self, array: Array, role: str, first: Sequence[int], start: Sequence[int]) -> Array:
        """Cut the patch out of what lies around it."""
        scale = self._scale(role)
        top, left = (scale * (at - edge) for at, edge in zip(start, first, strict=True))
        return array[:, top : top + scale * self.side, left : left + scale * self.side]

    def _scale(self, role: str) -> int:
        return self.upscale if role in _FINE else 1

    def _cut(self, index: int, role: str, first: Sequence[int], last: Sequence[int]) -> Array:
        top, left, bottom, right = (self._scale(role) * edge for edge in (*first, *last))
        if role == "valid" and self._windows.shape(index, role) is None:
            return np.ones((1, bottom - top, right - left), np.float32)
        cut = self._windows.window(index, role, top, left, bottom - top, right - left)
        return cut.astype(np.float32) if role == "valid" else cut


def _flipped(patch: dict[str, Array], flips: Sequence[bool]) -> dict[str, Array]:
    axes = tuple(axis for axis, flip in zip((1, 2), flips, strict=True) if flip)
    return {role: np.flip(array, axes) for role, array in patch.items()}


def _transposed(patch: dict[str, Array], *, packed: bool) -> dict[str, Array]:
    """Swap rows and columns; of packed mosaics (R, G1, G2, B) the two greens too."""
    turned = {role: array.transpose(0, 2, 1) for role, array in patch.items()}
    mosaics = [role for role in ("target", "guide") if packed and len(turned[role]) == 4]
    return turned | {role: turned[role][[0, 2, 1, 3]] for role in mosaics}
