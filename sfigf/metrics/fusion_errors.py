"""Errors of a fused image against its sources, as two collections of code define them: odd, and named after them.

A fused image is *meant* to differ from both sources, and two of these carry the name of a measure that they are not:
never set them beside a PSNR or RMSE of anything else. All take (C, H, W) arrays of whole numbers 0..255, order
``(first, second, fused)``; a source may have one channel where the fused image has three.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array


def rmse_vifb(first: Array, second: Array, fused: Array) -> float:
    """VIFB's "RMSE", in gray levels / px: the norm of the difference over the *number* of pixels, mean of both sources.

    A root mean squared error divides by the root of that number, so this is smaller by it. Colour: per channel, mean.

    Source: xingchenzhang/VIFB@22b2ea9 metrics/metricsRmse.m.
    """
    return float(_norms_over_pixels(first, second, fused).mean())


def psnr_vifb(first: Array, second: Array, fused: Array) -> float:
    """VIFB's "PSNR", about 55..65 "dB": ``20 log10(255 / sqrt(rmse_vifb))``; infinite where all are equal.

    Source: xingchenzhang/VIFB@22b2ea9 metrics/metricsPsnr.m.
    """
    with np.errstate(divide="ignore"):
        return float(np.mean(20 * np.log10(255 / np.sqrt(_norms_over_pixels(first, second, fused)))))


def _norms_over_pixels(first: Array, second: Array, fused: Array) -> Array:
    """Return the odd error of every channel."""
    fused = np.asarray(fused, dtype=np.float64)
    norms = [np.sqrt(((fused - source) ** 2).sum(axis=(1, 2))) for source in (first, second)]
    return np.mean(norms, axis=0) / (fused.shape[1] * fused.shape[2])


def mse_tang(first: Array, second: Array, fused: Array) -> float:
    """Tang's MSE of values in [0,1], mean of both sources.

    Source: Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 MSE_evaluation.m.
    """
    fused = np.asarray(fused, dtype=np.float64)
    return float(np.mean([((fused - source) ** 2).mean() for source in (first, second)]) / 255**2)


def psnr_tang(first: Array, second: Array, fused: Array) -> float:
    """Tang's "PSNR": values in [0,1] against a peak of 255, so 48.13 dB above a PSNR; infinite where all are equal.

    Source: Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 PSNR_evaluation.m.
    """
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(255 / np.sqrt(mse_tang(first, second, fused))))
