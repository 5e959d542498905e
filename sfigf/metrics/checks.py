"""What every metric asks of a restored image before it counts anything."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, Sample, UserError


def checked(restored: Array, sample: Sample) -> Array:
    """Return ``restored`` in float64, sure to be finite and of the expected shape.

    Raises:
        UserError: If it holds NaN or infinity, or its shape is not the truth's (the target's where there is none).
    """
    values = np.asarray(restored, dtype=np.float64)
    expected = (sample.target if sample.truth is None else sample.truth).shape
    if values.shape != expected:
        raise UserError(f"image '{sample.name}': restored is {values.shape}, expected {expected}; restore it again")
    broken = int(values.size - np.isfinite(values).sum())
    if broken:
        raise UserError(
            f"image '{sample.name}': {broken} of {values.size} restored values are NaN or infinite; "
            "the method failed on it: train it again or leave it out"
        )
    return values


def truth_of(sample: Sample) -> Array:
    """Return the truth in float64.

    Raises:
        UserError: If the sample has none.
    """
    if sample.truth is None:
        raise UserError(f"image '{sample.name}' has no truth; use a metric that needs none, such as qnr or q-abf")
    return np.asarray(sample.truth, dtype=np.float64)
