"""More no-reference focus metrics under the names a study asks for, as Tang's collection has them: of gray images."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from sfigf.metrics.focus_measure import GrayMeasured, of_fused
from sfigf.metrics.fusion_artefacts import fusion_artefacts
from sfigf.metrics.fusion_correlation import correlation, sum_of_correlations_of_differences
from sfigf.metrics.fusion_errors import mse_tang, psnr_tang
from sfigf.metrics.fusion_features import feature_mutual_information
from sfigf.metrics.fusion_fidelity import visual_information_sum
from sfigf.metrics.fusion_information import mutual_information_bits
from sfigf.metrics.fusion_sharpness import spatial_frequency_of_differences
from sfigf.metrics.fusion_similarity import multi_scale_structure
from sfigf.metrics.fusion_wavelets import wavelet_information_sum
from sfigf.registry import register

_TANG = "Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153"


@register("metric")
class SpatialFrequencyTang(GrayMeasured):
    """SF as Tang has it: ``spatial_frequency_of_differences`` of the gray image."""

    name: ClassVar[str] = "sf-tang"
    unit: ClassVar[str] = "level"
    reference: ClassVar[str] = f"{_TANG} SF_evaluation.m: gray"
    measure = staticmethod(of_fused(spatial_frequency_of_differences))


@register("metric")
class MutualInformationTang(GrayMeasured):
    """MI as Tang has it: ``mutual_information_bits`` of the gray images, not stretched."""

    name: ClassVar[str] = "mi-tang"
    unit: ClassVar[str] = "bit"
    reference: ClassVar[str] = f"{_TANG} MI_evaluation.m: gray"
    measure = staticmethod(mutual_information_bits)


@register("metric")
class MsSsim(GrayMeasured):
    """MS-SSIM (MEF): ``multi_scale_structure`` of the gray images."""

    name: ClassVar[str] = "ms-ssim"
    reference: ClassVar[str] = f"Ma et al. 2015, as {_TANG} analysis_ms_ssim.m: gray"
    measure = staticmethod(multi_scale_structure)


@register("metric")
class Vif(GrayMeasured):
    """VIF: ``visual_information_sum`` over both sources, pixel domain, of the gray images."""

    name: ClassVar[str] = "vif"
    reference: ClassVar[str] = f"Sheikh & Bovik 2006, as {_TANG} vifp_mscale.m: sum over the sources, gray"
    measure = staticmethod(visual_information_sum)


@register("metric")
class VifWavelets(GrayMeasured):
    """VIF by wavelets: ``wavelet_information_sum`` over both sources, of the gray images."""

    name: ClassVar[str] = "vif-wavelets"
    reference: ClassVar[str] = "Sheikh & Bovik 2006, vifvec.m: sum over the sources, gray"
    measure = staticmethod(wavelet_information_sum)


@register("metric")
class Scd(GrayMeasured):
    """SCD: ``sum_of_correlations_of_differences`` of the gray images."""

    name: ClassVar[str] = "scd"
    reference: ClassVar[str] = f"Aslantas & Bendes 2015, as {_TANG} analysis_SCD.m: gray"
    measure = staticmethod(sum_of_correlations_of_differences)


@register("metric")
class Cc(GrayMeasured):
    """CC: ``correlation`` of the gray images, mean of both sources."""

    name: ClassVar[str] = "cc"
    reference: ClassVar[str] = f"{_TANG} CC_evaluation.m: gray"
    measure = staticmethod(correlation)


@register("metric")
class Nabf(GrayMeasured):
    """N_AB/F: ``fusion_artefacts`` of the gray images; lower is better."""

    name: ClassVar[str] = "nabf"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"Kumar 2013, as {_TANG} analysis_nabf.m: fused first, gray, 0..255"
    measure = staticmethod(fusion_artefacts)


@register("metric")
class FmiNone(GrayMeasured):
    """FMI of the pixels: ``feature_mutual_information`` of the gray images."""

    name: ClassVar[str] = "fmi-none"
    reference: ClassVar[str] = f"Haghighat & Razian 2014, as {_TANG} analysis_fmi.m, feature none: gray"
    measure = staticmethod(feature_mutual_information)


@register("metric")
class FmiGradient(FmiNone):
    """FMI of the horizontal gradient: ``feature_mutual_information`` of the gray images."""

    name: ClassVar[str] = "fmi-gradient"
    reference: ClassVar[str] = f"Haghighat & Razian 2014, as {_TANG} analysis_fmi.m, feature gradient: gray"
    measure = staticmethod(partial(feature_mutual_information, feature="gradient"))


@register("metric")
class FmiDct(FmiNone):
    """FMI of the cosine transform: ``feature_mutual_information`` of the gray images."""

    name: ClassVar[str] = "fmi-dct"
    reference: ClassVar[str] = f"Haghighat & Razian 2014, as {_TANG} analysis_fmi.m, feature dct: gray"
    measure = staticmethod(partial(feature_mutual_information, feature="dct"))


@register("metric")
class MseTang(GrayMeasured):
    """Tang's MSE of the gray images in [0,1] against both sources: ``mse_tang``."""

    name: ClassVar[str] = "mse-tang"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"{_TANG} MSE_evaluation.m: gray in [0,1]"
    measure = staticmethod(mse_tang)


@register("metric")
class PsnrTang(GrayMeasured):
    """Tang's "PSNR", 48.13 dB too high: ``psnr_tang`` of the gray images against both sources."""

    name: ClassVar[str] = "psnr-tang"
    unit: ClassVar[str] = "dB"
    reference: ClassVar[str] = f"{_TANG} PSNR_evaluation.m: gray in [0,1], peak 255"
    measure = staticmethod(psnr_tang)
