"""PSNR and SSIM: fidelity of images with a known peak."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sfigf.interface import Array, Sample
from sfigf.metrics.checks import checked, truth_of
from sfigf.metrics.pan_reduced import cut
from sfigf.registry import register


def psnr(truth: Array, restored: Array, peak: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB of the joint error over pixels and channels; infinity where they are equal.

    Args:
        truth: (C, H, W).
        restored: (C, H, W), same unit.
        peak: Largest value the unit allows.

    Source: definition; equals scikit-image ``peak_signal_noise_ratio``.
    """
    error = np.mean((np.asarray(restored, dtype=np.float64) - np.asarray(truth, dtype=np.float64)) ** 2)
    return float(10 * np.log10(peak**2 / error)) if error else float("inf")


def psnr_band_mean(truth: Array, restored: Array, peak: float = 1.0) -> float:
    """Mean over the channels of each channel's ``psnr``, in dB.

    Source: XiaoXiao-Woo/PanCollection@4bd170a pancollection/common/evaluate.py.
    """
    return float(np.mean([psnr(t, r, peak) for t, r in zip(truth, restored, strict=True)]))


def ssim(truth: Array, restored: Array, peak: float = 1.0) -> float:
    """Structural similarity, 11x11 Gaussian window (sigma 1.5), borders left out, mean over the channels.

    Args:
        truth: (C, H, W), both sides at least 11.
        restored: (C, H, W), same unit.
        peak: Largest value the unit allows.

    Source: Wang et al., IEEE TIP 13(4), 2004 (K 0.01, 0.03; population moments; no down-sampling).
    """
    from skimage.metrics import structural_similarity

    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pair = np.asarray(truth, dtype=np.float64), np.asarray(restored, dtype=np.float64)
    return float(structural_similarity(*pair, data_range=peak, channel_axis=0, **gaussian))


def _shown(restored: Array, sample: Sample) -> tuple[Array, Array]:
    """Clip a restored display image to [0,1], as a screen or an 8-bit file would; the truth lies there already."""
    return truth_of(sample), np.clip(checked(restored, sample), 0, 1)


def _is_pan(sample: Sample) -> bool:
    return sample.coarse is not None


@register("metric")
class Psnr:
    """focus, raw: joint ``psnr`` of the restored image clipped to [0,1]; pan: ``psnr_band_mean`` of values/peak.

    For pan nothing is clipped, and the border cut of the other pan metrics applies.
    """

    name: ClassVar[str] = "psnr"
    tasks: ClassVar[tuple[str, ...]] = ("focus", "raw", "pan")
    unit: ClassVar[str] = "dB"
    higher_is_better: ClassVar[bool] = True
    needs_truth: ClassVar[bool] = True
    reference: ClassVar[str] = "joint MSE, peak 1, clipped; pan: PanCollection@4bd170a, mean over bands, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        if _is_pan(sample):
            return psnr_band_mean(*cut(truth_of(sample), checked(restored, sample)))
        return psnr(*_shown(restored, sample))


@register("metric")
class Ssim:
    """focus, raw: ``ssim`` of the restored image clipped to [0,1]; pan: of values/peak, unclipped, border cut."""

    name: ClassVar[str] = "ssim"
    tasks: ClassVar[tuple[str, ...]] = ("focus", "raw", "pan")
    unit: ClassVar[str] = "1"
    higher_is_better: ClassVar[bool] = True
    needs_truth: ClassVar[bool] = True
    reference: ClassVar[str] = "Wang et al. 2004 (11x11 Gaussian, valid), mean over channels; pan: 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        if _is_pan(sample):
            return ssim(*cut(truth_of(sample), checked(restored, sample)))
        return ssim(*_shown(restored, sample))
