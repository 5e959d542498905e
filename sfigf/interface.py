"""The nouns every part of the package shares; imports nothing of ours.

A ``Scene`` is one clean capture. A degradation turns it into a ``Sample``: what a method sees, and the truth it is
held against. A ``Method`` restores a sample; a ``Metric`` scores what came back.

Arrays are channels-first ``(C, H, W)``, ``float32`` unless said otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

TaskName = Literal["depth", "pan", "focus", "raw"]
TASK_NAMES: tuple[TaskName, ...] = ("depth", "pan", "focus", "raw")
Kind = Literal["classical", "image-level", "feature-level", "both"]
Array = np.ndarray


class UserError(Exception):
    """Something the user can mend: printed as one line, exit code 2, no traceback."""


@dataclasses.dataclass(frozen=True)
class Scene:
    """One clean capture, before any degradation.

    Attributes:
        name: Unique within its data set, ``[a-z0-9-]+``.
        place: Where it was taken. The split audit keeps a place on one side.
        part: Which part of its data set it belongs to (``train``, ``validation``, ``test`` or ``all``).
        arrays: By role. ``rgb`` (3,H,W) display-referred in [0,1]; ``disparity`` (1,H,W) in ``meta["unit"]``;
            ``valid`` (1,H,W) uint8, 1 where the disparity is known; ``multispectral`` (C,h,w) and ``pan`` (1,H,W) in
            digital numbers, with ``coarse`` and ``upsampled`` where the publisher degraded them; ``focus-a`` and
            ``focus-b`` (3,H,W) of a real pair, with ``sharp`` where its truth is known; ``mosaic`` (1,H,W) uint16 of a
            real capture, with ``sharp`` (3,H,W) sRGB and ``mono`` (1,H,W) as its truths.
        meta: JSON-able facts (unit, sensor, licence, camera constants).
    """

    name: str
    place: str
    part: str
    arrays: Mapping[str, Array]
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a method is given, and what it is held against.

    Attributes:
        name: Name of the scene it came from.
        target: (C,H,W) the degraded target on the grid the network works on, about [0,1]. depth: upsampled disparity;
            pan: 23-tap upsampled bands; focus: image A; raw: packed (R, G1, G2, B) amplified mosaic at half size.
        guide: (Cg,H,W) about [0,1]. depth: RGB; pan: PAN; focus: image B; raw: packed guide.
        truth: (Co,H',W') or None where no reference exists; about [0,1], same scale as ``target``.
        valid: (1,H',W') bool or None: pixels that count in a metric.
        coarse: (C,h,w) the target before it was upsampled (depth, pan), or None.
        scale: Multiply by this and add ``offset`` to come back to physical units.
        offset: See ``scale``.
        meta: JSON-able facts (unit, factor, sensor, ratio, blur radius, white balance ...).
        mono: (1,H',W') what a monochrome sensor sees, a second truth (raw), or None.
    """

    name: str
    target: Array
    guide: Array
    truth: Array | None = None
    valid: Array | None = None
    coarse: Array | None = None
    scale: float = 1.0
    offset: float = 0.0
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    mono: Array | None = None

    def to_units(self, values: Array) -> Array:
        """Undo the normalisation: ``values * scale + offset``, in float64."""
        return np.asarray(values, dtype=np.float64) * self.scale + self.offset


@dataclasses.dataclass(frozen=True)
class Signature:
    """Channel counts and output magnification of one task on one data set."""

    target: int
    guide: int
    output: int
    upscale: int = 1


@runtime_checkable
class Degradation(Protocol):
    """``sample = degradation(scene, rng)``: the forward model of a task and condition."""

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample: ...


class Dataset(Protocol):
    """Reads the files of one data set card into scenes."""

    name: ClassVar[str]

    def read(self, files: Mapping[str, Any]) -> Iterable[Scene]:
        """``files`` maps each member named on the card to a path; a large set is yielded scene by scene."""
        ...


class Metric(Protocol):
    """One number for one restored image."""

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool]
    needs_truth: ClassVar[bool]

    def __call__(self, restored: Array, sample: Sample) -> float:
        """``restored`` (Co,H',W') is on the normalised scale of ``sample.target``."""
        ...


class Method(Protocol):
    """Anything that restores: listed by name, one config line away from every study."""

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    kind: ClassVar[Kind]
    source: ClassVar[str]


class ClassicalMethod(Method, Protocol):
    """A method without training."""

    def restore(self, sample: Sample) -> Array:
        """Return (Co,H',W') float32 on the scale of ``sample.target``; must not look at ``sample.truth``."""
        ...


class LearnedMethod(Method, Protocol):
    """A method with weights. The class itself imports no torch; ``build`` does."""

    variants: ClassVar[tuple[str, ...]]

    def build(self, signature: Signature, variant: str) -> Any:
        """Return a ``torch.nn.Module`` with ``forward(target, guide) -> restored`` on (b,C,H,W) tensors."""
        ...
