"""How far a restored depth map is from the true one, in the unit of the sensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sfigf.interface import Array, Sample, UserError
from sfigf.metrics.checks import checked, truth_of
from sfigf.registry import register

UNITS = {"px": "disparity px", "level": "8-bit disparity", "cm": "cm", "m": "m"}


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
    """An error in the sample's own unit, ``border_px`` left out at each of the four sides."""

    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    unit: ClassVar[str] = "disparity px"
    higher_is_better: ClassVar[bool] = False
    needs_truth: ClassVar[bool] = True
    border_px: ClassVar[int] = 0
    error: ClassVar[staticmethod[[Array, Array, Array | None], float]]

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (1,H,W); see the class.

        Raises:
            UserError: If nothing is left inside the border, or no pixel there is valid.
        """
        restored = checked(restored, sample)
        if min(restored.shape[1:]) <= 2 * self.border_px:
            raise UserError(f"image '{sample.name}' of {restored.shape[1:]} px has nothing inside {self.border_px} px")
        inside = np.s_[:, self.border_px : -self.border_px or None, self.border_px : -self.border_px or None]
        valid = None if sample.valid is None else sample.valid[inside]
        truth = sample.to_units(truth_of(sample)[inside])
        return type(self).error(truth, sample.to_units(restored[inside]), valid)

    def unit_of(self, sample: Sample) -> str:
        """Return the unit of this sample's error; one that is not listed stands for itself."""
        unit = str(sample.meta.get("unit", "px"))
        return UNITS.get(unit, unit)


@register("metric")
class Rmse(_DepthError):
    """``rmse`` in sample units over the valid pixels of the whole image (no crop)."""

    name: ClassVar[str] = "rmse"
    reference: ClassVar[str] = "GDSR-DCTNet@5243875 metrics.py: per image, no crop"
    error = staticmethod(rmse)


@register("metric")
class Mae(_DepthError):
    """``mae`` in sample units over the valid pixels of the whole image (no crop)."""

    name: ClassVar[str] = "mae"
    reference: ClassVar[str] = "mean absolute error over valid pixels: per image, no crop"
    error = staticmethod(mae)


@register("metric")
class RmseCrop6(Rmse):
    """``rmse`` in sample units over the valid pixels, 6 px off every side."""

    name: ClassVar[str] = "rmse-crop6"
    reference: ClassVar[str] = "JIIF@acfa3f9 utils.py RMSEMeter: per image, [6:-6, 6:-6]"
    border_px: ClassVar[int] = 6


@register("metric")
class MaeCrop6(Mae):
    """``mae`` in sample units over the valid pixels, 6 px off every side."""

    name: ClassVar[str] = "mae-crop6"
    reference: ClassVar[str] = "mean absolute error over valid pixels: per image, [6:-6, 6:-6]"
    border_px: ClassVar[int] = 6
