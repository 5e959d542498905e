"""More no-reference focus metrics under the names a study asks for, as VIFB has them: mean over RGB.

Those that look at the fused image alone (en, sd, ag, sf, ei) call more better, as the field does: noise raises them.
"""

from __future__ import annotations

from typing import ClassVar

from sfigf.metrics import fusion
from sfigf.metrics.focus_measure import GrayMeasured, Measured, of_fused
from sfigf.metrics.fusion_errors import psnr_vifb, rmse_vifb
from sfigf.metrics.fusion_information import cross_entropy
from sfigf.metrics.fusion_sharpness import edge_intensity
from sfigf.metrics.fusion_similarity import structural_similarity_sum
from sfigf.registry import register

_VIFB = "xingchenzhang/VIFB@22b2ea9"


@register("metric")
class Entropy(Measured):
    """EN: ``entropy`` per RGB channel, then the mean."""

    name: ClassVar[str] = "en"
    unit: ClassVar[str] = "bit"
    reference: ClassVar[str] = f"{_VIFB} metricsEntropy.m: mean over RGB"
    measure = staticmethod(of_fused(fusion.entropy))


@register("metric")
class StandardDeviation(Measured):
    """SD: ``standard_deviation`` per RGB channel, then the mean."""

    name: ClassVar[str] = "sd"
    unit: ClassVar[str] = "level"
    reference: ClassVar[str] = f"{_VIFB} metricsVariance.m: mean over RGB"
    measure = staticmethod(of_fused(fusion.standard_deviation))


@register("metric")
class AverageGradient(Measured):
    """AG: ``average_gradient`` per RGB channel, then the mean."""

    name: ClassVar[str] = "ag"
    unit: ClassVar[str] = "level"
    reference: ClassVar[str] = f"{_VIFB} metricsAvg_gradient.m: mean over RGB"
    measure = staticmethod(of_fused(fusion.average_gradient))


@register("metric")
class SpatialFrequency(Measured):
    """SF: ``spatial_frequency`` of the RGB channels side by side."""

    name: ClassVar[str] = "sf"
    unit: ClassVar[str] = "level"
    reference: ClassVar[str] = f"{_VIFB} metricsSpatial_frequency.m: channels side by side"
    measure = staticmethod(of_fused(fusion.spatial_frequency))


@register("metric")
class EdgeIntensity(Measured):
    """EI: ``edge_intensity`` over pixels and RGB channels."""

    name: ClassVar[str] = "ei"
    unit: ClassVar[str] = "level"
    reference: ClassVar[str] = f"{_VIFB} metricsEdge_intensity.m: mean over RGB"
    measure = staticmethod(of_fused(edge_intensity))


@register("metric")
class CrossEntropy(Measured):
    """CE: ``cross_entropy`` per RGB channel, then the mean; lower is better."""

    name: ClassVar[str] = "ce"
    unit: ClassVar[str] = "bit"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"{_VIFB} metricsCross_entropy.m: mean over RGB"
    measure = staticmethod(cross_entropy)


@register("metric")
class MutualInformation(Measured):
    """MI: ``mutual_information`` of the stretched RGB channels, then the mean, in nats."""

    name: ClassVar[str] = "mi"
    unit: ClassVar[str] = "nat"
    reference: ClassVar[str] = f"{_VIFB} metricsMutinf.m: stretched, mean over RGB"
    measure = staticmethod(fusion.mutual_information)


@register("metric")
class QNcie(GrayMeasured):
    """``q_ncie`` of the gray images."""

    name: ClassVar[str] = "q-ncie"
    reference: ClassVar[str] = "Wang et al. 2007, as zhengliu6699/imageFusionMetrics@d6f7f1a metricWang.m: gray"
    measure = staticmethod(fusion.q_ncie)


@register("metric")
class SsimSum(Measured):
    """``structural_similarity_sum`` over both sources, mean over RGB."""

    name: ClassVar[str] = "ssim-sum"
    reference: ClassVar[str] = f"{_VIFB} metricsSsim.m: sum over the sources, mean over RGB"
    measure = staticmethod(structural_similarity_sum)


@register("metric")
class RmseVifb(Measured):
    """VIFB's "RMSE", no such thing: ``rmse_vifb`` against both sources, mean over RGB."""

    name: ClassVar[str] = "rmse-vifb"
    unit: ClassVar[str] = "level"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"{_VIFB} metricsRmse.m: norm over the number of pixels, mean over RGB"
    measure = staticmethod(rmse_vifb)


@register("metric")
class PsnrVifb(Measured):
    """VIFB's "PSNR", no such thing: ``psnr_vifb`` against both sources, mean over RGB."""

    name: ClassVar[str] = "psnr-vifb"
    unit: ClassVar[str] = "dB"
    reference: ClassVar[str] = f"{_VIFB} metricsPsnr.m: of its odd RMSE, mean over RGB"
    measure = staticmethod(psnr_vifb)
