"""What the no-reference focus metrics share: the images, as the codes they follow see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sfigf.interface import Array, Sample
from sfigf.metrics.checks import checked
from sfigf.metrics.fusion import to_bytes, to_gray


class Measured:
    """A ``measure`` of ``(first, second, fused)``: clipped to [0,1] and rounded to bytes, (3,H,W) whole numbers."""

    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    unit: ClassVar[str] = "1"
    higher_is_better: ClassVar[bool] = True
    needs_truth: ClassVar[bool] = False
    measure: ClassVar[Any]

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (3,H,W) against image A, ``sample.target``, and image B, ``sample.guide``."""
        fused = checked(restored, sample)
        return type(self).measure(*(self.seen(image) for image in (sample.target, sample.guide, fused)))

    def seen(self, image: Array) -> Array:
        """Return the channels that are measured, whole numbers 0..255."""
        return to_bytes(image)


class GrayMeasured(Measured):
    """A ``measure`` of the gray images, (1,H,W)."""

    def seen(self, image: Array) -> Array:
        """Return gray levels, rounded after the bytes."""
        return to_gray(to_bytes(image))


def of_fused(measure: Callable[[Array], float]) -> Callable[[Array, Array, Array], float]:
    """Let a measure of the fused image alone take the sources too."""
    return lambda first, second, fused: measure(fused)
