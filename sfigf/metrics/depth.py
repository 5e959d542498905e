"""How far a restored depth map is from the true one, in the unit of the sensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sfigf.interface import Array, Sample, UserError
from sfigf.metrics.checks import checked, truth_of
from sfigf.registry import register


def rmse(truth: Array, restored: Array, valid: Array | None = None) -> float:
    """Root of the mean squared error over the valid pixels, in the arrays' unit.

    Args:
        truth: (1, H, W); invalid pixels may hold anything, NaN too.
        restored: (1, H, W).
        valid: (1, H, W), non-zero where a pixel counts; None counts all.

    Raises:
        UserError: If no pixel is valid.

    Source: Zhaozixiang1228/GDSR-DCTNet@5243875 metrics.py (no crop); a set's number is the mean over its images.
    """
    return float(np.sqrt(np.mean(_errors(truth, restored, valid) ** 2)))


def mae(truth: Array, restored: Array, valid: Array | None = None) -> float:
    """Mean absolute error over the valid pixels; arguments, unit and errors as ``rmse``."""
    return float(np.mean(np.abs(_errors(truth, restored, valid))))


def _errors(truth: Array, restored: Array, valid: Array | None) -> Array:
    errors = np.asarray(restored, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    if valid is None:
        return errors
    counted = errors[np.asarray(valid, dtype=bool)]
    if not counted.size:
        raise UserError(f"none of {errors.size} pixels is valid, so there is no error to average; check the mask")
    return counted


class _DepthError:
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    unit: ClassVar[str] = "disparity px"
    higher_is_better: ClassVar[bool] = False
    needs_truth: ClassVar[bool] = True


@register("metric")
class Rmse(_DepthError):
    """``rmse`` in sample units over the valid pixels of the whole image (no crop)."""

    name: ClassVar[str] = "rmse"
    reference: ClassVar[str] = "GDSR-DCTNet@5243875 metrics.py: per image, no crop"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (1,H,W); see the class."""
        restored = checked(restored, sample)
        return rmse(sample.to_units(truth_of(sample)), sample.to_units(restored), sample.valid)


@register("metric")
class Mae(_DepthError):
    """``mae`` in sample units over the valid pixels of the whole image (no crop)."""

    name: ClassVar[str] = "mae"
    reference: ClassVar[str] = "mean absolute error over valid pixels: per image, no crop"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (1,H,W); see the class."""
        restored = checked(restored, sample)
        return mae(sample.to_units(truth_of(sample)), sample.to_units(restored), sample.valid)
