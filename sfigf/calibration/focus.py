"""Which row of the fusion sets is which function of ours (VIFB's, Liu's and Tang's code run in Octave or MATLAB)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sfigf.calibration.arrays import channels_first, load_arrays
from sfigf.calibration.rows import Evaluator, Row, ours
from sfigf.interface import Array
from sfigf.metrics import (
    fusion,
    fusion_contrast,
    fusion_correlation,
    fusion_edges,
    fusion_entropy,
    fusion_errors,
    fusion_information,
    fusion_phase,
    fusion_structure,
)
from sfigf.metrics.focus_measure import of_fused
from sfigf.metrics.fusion_artefacts import fusion_artefacts
from sfigf.metrics.fusion_features import feature_mutual_information
from sfigf.metrics.fusion_fidelity import visual_information, visual_information_sum
from sfigf.metrics.fusion_sharpness import edge_intensity, spatial_frequency_of_differences
from sfigf.metrics.fusion_similarity import multi_scale_structure, structural_similarity_sum
from sfigf.metrics.fusion_wavelets import wavelet_information_sum

Measure = Callable[[Array, Array, Array], float]

VIFB: dict[str, Measure] = {
    "VIFB.Avg_gradient": of_fused(fusion.average_gradient),
    "VIFB.Cross_entropy": fusion_information.cross_entropy,
    "VIFB.Edge_intensity": of_fused(edge_intensity),
    "VIFB.Entropy": of_fused(fusion.entropy),
    "VIFB.Mutinf": fusion.mutual_information,
    "VIFB.Psnr": fusion_errors.psnr_vifb,
    "VIFB.Qabf": fusion.q_abf,
    "VIFB.Qcb": fusion_contrast.q_cb,
    "VIFB.Qcv": fusion_contrast.q_cv,
    "VIFB.Rmse": fusion_errors.rmse_vifb,
    "VIFB.Spatial_frequency": of_fused(fusion.spatial_frequency),
    "VIFB.Ssim": structural_similarity_sum,
    "VIFB.Variance": of_fused(fusion.standard_deviation),
}
LIU: dict[str, Measure] = {
    "Liu.Q_C": fusion_structure.q_c,
    "Liu.Q_CB": fusion_contrast.q_cb,
    "Liu.Q_CV": fusion_contrast.q_cv,
    "Liu.Q_G": fusion_edges.q_g,
    "Liu.Q_M": fusion_edges.q_m,
    "Liu.Q_MI": fusion.q_mi,
    "Liu.Q_NCIE": fusion.q_ncie,
    "Liu.Q_P": fusion_phase.q_p,
    "Liu.Q_S": fusion_structure.q_s,
    "Liu.Q_SF": fusion_edges.q_sf,
    "Liu.Q_TE": fusion_entropy.q_te,
    "Liu.Q_TE_Cvejic": fusion_entropy.q_te_cvejic,
    "Liu.Q_W": fusion_structure.q_w,
    "Liu.Q_Y": fusion_structure.q_y,
}
TANG: dict[str, Measure] = {
    "LT.AG": of_fused(fusion.average_gradient),
    "LT.CC": fusion_correlation.correlation,
    "LT.EN": of_fused(fusion.entropy),
    "LT.FMI_dct": partial(feature_mutual_information, feature="dct"),
    "LT.FMI_gradient": partial(feature_mutual_information, feature="gradient"),
    "LT.FMI_none": feature_mutual_information,
    "LT.MI": fusion_information.mutual_information_bits,
    "LT.MSE": fusion_errors.mse_tang,
    "LT.MS_SSIM_MEF": multi_scale_structure,
    "LT.Nabf": fusion_artefacts,
    # The reference's caller passes the sources first, so its function takes A for the fused image.
    "LT.Nabf_as_called": lambda first, second, fused: fusion_artefacts(second, fused, first),
    "LT.PSNR": fusion_errors.psnr_tang,
    "LT.Qabf": fusion.q_abf,
    "LT.SCD": fusion_correlation.sum_of_correlations_of_differences,
    "LT.SD": of_fused(fusion.standard_deviation),
    "LT.SF": of_fused(spatial_frequency_of_differences),
    "LT.VIFp_A": lambda first, second, fused: visual_information(first, fused),
    "LT.VIFp_sum": visual_information_sum,
    "LT.VIFvec_sum": wavelet_information_sum,
}
METRICS = VIFB | LIU | TANG
_CROP = re.compile(r"crop rows (\d+)-(\d+) cols (\d+)-(\d+)")


def fused(folder: Path, data: Path | None, name: str) -> Evaluator:
    """A pair and its fused images: ``options`` say which method, gray or per channel, and a cut-out if any."""
    arrays = {key: channels_first(image) for key, image in load_arrays(folder, name).items()}
    sources = arrays["VI" if "VI" in arrays else "A"], arrays["IR" if "IR" in arrays else "B"]

    def evaluate(row: Row) -> float:
        method, colour = (option.strip() for option in row.options.split(";")[:2])
        trio = [*sources, ours(arrays, f"F_{method}")]
        if colour == "gray":
            trio = [fusion.to_gray(image) for image in trio]
        if crop := _CROP.search(row.options):
            top, bottom, left, right = map(int, crop.groups())
            trio = [image[:, top - 1 : bottom, left - 1 : right] for image in trio]
        return ours(METRICS, row.metric)(*trio)

    return evaluate
