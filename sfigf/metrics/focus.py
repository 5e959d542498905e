"""The no-reference focus metrics under the names a study asks for.

``sample.target`` is image A, ``sample.guide`` image B. All three are clipped to [0,1] and rounded to bytes first.
"""

from __future__ import annotations

from typing import ClassVar

from sfigf.interface import Array, Sample
from sfigf.metrics import fusion
from sfigf.metrics.checks import checked
from sfigf.registry import register


class _Fusion:
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    unit: ClassVar[str] = "1"
    higher_is_better: ClassVar[bool] = True
    needs_truth: ClassVar[bool] = False

    def _images(self, restored: Array, sample: Sample) -> tuple[Array, Array, Array]:
        """Return A, B and the fused image as whole numbers 0..255."""
        fused = checked(restored, sample)
        return fusion.to_bytes(sample.target), fusion.to_bytes(sample.guide), fusion.to_bytes(fused)


@register("metric")
class QAbf(_Fusion):
    """``q_abf`` per RGB channel, then the mean."""

    name: ClassVar[str] = "q-abf"
    reference: ClassVar[str] = "Petrovic, as xingchenzhang/VIFB@22b2ea9 metricsQabf.m: mean over RGB"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (3,H,W); see the class."""
        return fusion.q_abf(*self._images(restored, sample))


@register("metric")
class QMi(_Fusion):
    """``q_mi`` of the gray images."""

    name: ClassVar[str] = "q-mi"
    reference: ClassVar[str] = "Hossny et al. 2008, as zhengliu6699/imageFusionMetrics@d6f7f1a metricMI.m: gray"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (3,H,W); see the class."""
        return fusion.q_mi(*map(fusion.to_gray, self._images(restored, sample)))
