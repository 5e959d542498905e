"""What a perturbation is."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from sfigf.interface import Array, Sample


@dataclasses.dataclass(frozen=True)
class Perturbation:
    """One way in which a test sample differs from those a method was made for, at a chosen level.

    Attributes:
        name: As the settings call it.
        title: As figures call it.
        tasks: Tasks in which it happens.
        quantity: What a level is.
        unit: What it counts.
        least: Smallest level there is.
        geometric: Levels are ratios: they stand evenly on a log axis.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    quantity: ClassVar[str]
    unit: ClassVar[str]
    least: ClassVar[float] = 0.0
    geometric: ClassVar[bool] = False

    def nominal(self, sample: Sample) -> float:
        """The level of the sample as it is."""
        return 0.0

    def fits(self, sample: Sample) -> bool:
        """Whether enough is known of the sample, which has a truth, to perturb it."""
        return True

    def problem(self, level: float) -> str | None:
        """What is wrong with a level of the settings, or None."""
        return None if np.isfinite(level) and level >= self.least else f"a level is a number >= {self.least:g}"

    def apply(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Return the sample at a level; at the nominal one the very sample it was given.

        Args:
            sample: One that ``fits``.
            level: In ``unit``.
            rng: Seeded alike for every level and method of an image: levels differ in size, not in direction or draw.
            model: Forward model of the condition, ``sfigf.tasks.degradation``.
        """
        return sample if level == self.nominal(sample) else self.changed(sample, level, rng, model)

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """The sample at a level that is not the nominal one."""
        raise NotImplementedError


def facts_changed(sample: Sample, **changes: Any) -> dict[str, Any]:
    """The sample's facts with some changed."""
    return {**sample.meta, **changes}


def single(values: Array) -> Array:
    """Values as samples hold them: contiguous float32."""
    return np.ascontiguousarray(values, dtype=np.float32)
