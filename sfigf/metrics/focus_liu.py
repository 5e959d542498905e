"""The no-reference focus metrics of Liu's toolbox and VIFB's Q_CB and Q_CV under the names a study asks for.

``sample.target`` is image A, ``sample.guide`` image B. All three are clipped to [0,1] and rounded to bytes first. Liu's
are then taken of the gray images, Q_CB and Q_CV per RGB channel.
"""

from __future__ import annotations

from typing import ClassVar

from sfigf.interface import Array
from sfigf.metrics.focus_measure import GrayMeasured, Measured
from sfigf.metrics.fusion_contrast import q_cb, q_cv
from sfigf.metrics.fusion_edges import q_g, q_m, q_sf
from sfigf.metrics.fusion_entropy import q_te
from sfigf.metrics.fusion_phase import q_p
from sfigf.metrics.fusion_structure import q_c, q_s, q_w, q_y
from sfigf.registry import register


@register("metric")
class QG(GrayMeasured):
    """``q_g`` of the gray images."""

    name: ClassVar[str] = "q-g"
    reference: ClassVar[str] = "Xydeas & Petrovic 2000, as zhengliu6699/imageFusionMetrics@d6f7f1a metricXydeas.m: gray"
    measure = staticmethod(q_g)


@register("metric")
class QM(GrayMeasured):
    """``q_m`` of the gray images."""

    name: ClassVar[str] = "q-m"
    reference: ClassVar[str] = "Wang & Liu 2008, as imageFusionMetrics@d6f7f1a metricPWW.m: gray, Haar, two levels"
    measure = staticmethod(q_m)


@register("metric")
class QSf(GrayMeasured):
    """Size of ``q_sf`` of the gray images, without its sign: signed errors of several images would cancel in a mean."""

    name: ClassVar[str] = "q-sf"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = "Zheng et al. 2007, as imageFusionMetrics@d6f7f1a metricZheng.m: gray, absolute value"

    @staticmethod
    def measure(first: Array, second: Array, fused: Array) -> float:
        return abs(q_sf(first, second, fused))


@register("metric")
class QS(GrayMeasured):
    """``q_s`` of the gray images."""

    name: ClassVar[str] = "q-s"
    reference: ClassVar[str] = "Piella & Heijmans 2003, as imageFusionMetrics@d6f7f1a metricPeilla.m sw=1: gray"
    measure = staticmethod(q_s)


@register("metric")
class QW(GrayMeasured):
    """``q_w`` of the gray images."""

    name: ClassVar[str] = "q-w"
    reference: ClassVar[str] = "Piella & Heijmans 2003, as imageFusionMetrics@d6f7f1a metricPeilla.m sw=2: gray"
    measure = staticmethod(q_w)


@register("metric")
class QC(GrayMeasured):
    """``q_c`` of the gray images; NaN where a window is flat."""

    name: ClassVar[str] = "q-c"
    reference: ClassVar[str] = "Cvejic et al. 2006, as imageFusionMetrics@d6f7f1a metricCvejic.m sw=2: gray"
    measure = staticmethod(q_c)


@register("metric")
class QY(GrayMeasured):
    """``q_y`` of the gray images; NaN where a window is flat in both."""

    name: ClassVar[str] = "q-y"
    reference: ClassVar[str] = "Yang et al. 2008, as imageFusionMetrics@d6f7f1a metricYang.m: gray"
    measure = staticmethod(q_y)


@register("metric")
class QP(GrayMeasured):
    """``q_p`` of the gray images."""

    name: ClassVar[str] = "q-p"
    reference: ClassVar[str] = "Zhao et al. 2007, as imageFusionMetrics@d6f7f1a metricZhao.m: gray"
    measure = staticmethod(q_p)


@register("metric")
class QTe(GrayMeasured):
    """``q_te`` of the gray images."""

    name: ClassVar[str] = "q-te"
    reference: ClassVar[str] = "Nava et al. 2007, as imageFusionMetrics@d6f7f1a metricMI.m sw=3: gray"
    measure = staticmethod(q_te)


@register("metric")
class QCb(Measured):
    """``q_cb`` per RGB channel, then the mean."""

    name: ClassVar[str] = "q-cb"
    reference: ClassVar[str] = "Chen & Blum 2009, as xingchenzhang/VIFB@22b2ea9 metricsQcb.m: mean over RGB"
    measure = staticmethod(q_cb)


@register("metric")
class QCv(Measured):
    """``q_cv`` per RGB channel, then the mean."""

    name: ClassVar[str] = "q-cv"
    unit: ClassVar[str] = "squared levels"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = "Chen & Varshney 2007, as VIFB@22b2ea9 metricsQcv.m: mean over RGB"
    measure = staticmethod(q_cv)
