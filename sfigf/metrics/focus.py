"""The no-reference focus metrics under the names a study asks for.

``sample.target`` is image A, ``sample.guide`` image B. All three are clipped to [0,1] and rounded to bytes first.
"""

from __future__ import annotations

from typing import ClassVar

from sfigf.metrics.focus_measure import GrayMeasured, Measured
from sfigf.metrics.fusion import q_abf, q_mi
from sfigf.registry import register


@register("metric")
class QAbf(Measured):
    """``q_abf`` per RGB channel, then the mean."""

    name: ClassVar[str] = "q-abf"
    reference: ClassVar[str] = "Petrovic, as xingchenzhang/VIFB@22b2ea9 metricsQabf.m: mean over RGB"
    measure = staticmethod(q_abf)


@register("metric")
class QMi(GrayMeasured):
    """``q_mi`` of the gray images."""

    name: ClassVar[str] = "q-mi"
    reference: ClassVar[str] = "Hossny et al. 2008, as zhengliu6699/imageFusionMetrics@d6f7f1a metricMI.m: gray"
    measure = staticmethod(q_mi)
