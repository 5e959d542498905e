"""What a network is shown instead of a sample, and how its answer is brought back; inputs alone decide it.

``standardise`` (pan): every band by the mean and deviation of the upsampled band, PAN by its own, so that a network
trained on one sensor is not lost on another. ``gamma`` (raw): the linear planes to the power 1/2.2, as the display-referred
truth is, so that a short training need not spend itself on learning a tone curve. ``none`` leaves all as it is.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from sfigf.interface import Array, Sample

Encoding = Literal["none", "standardise", "gamma"]


def encode(sample: Sample, kind: Encoding) -> Sample:
    """Return the sample as a network sees it; a truth is brought onto the scale of the network's output."""
    if kind == "none":
        return sample
    if kind == "gamma":
        display = str(sample.meta.get("guide", "")).startswith("red-oracle")
        guide = sample.guide if display else _gamma(sample.guide)
        return dataclasses.replace(sample, target=_gamma(sample.target), guide=guide)
    mean, deviation = _statistics(sample.target)
    guide_mean, guide_deviation = _statistics(sample.guide)
    return dataclasses.replace(
        sample,
        target=(sample.target - mean) / deviation,
        guide=(sample.guide - guide_mean) / guide_deviation,
        truth=None if sample.truth is None else (sample.truth - mean) / deviation,
    )


def decode(restored: Array, sample: Sample, kind: Encoding) -> Array:
    """Bring a network's answer (C,H,W) back to the scale of ``sample.target`` (the sample before ``encode``)."""
    if kind != "standardise":
        return restored
    mean, deviation = _statistics(sample.target)
    return (restored * deviation + mean).astype(np.float32)


def _statistics(image: Array) -> tuple[Array, Array]:
    mean = image.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    deviation = image.std(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    return mean, np.maximum(deviation, np.float32(1e-4))


def _gamma(linear: Array) -> Array:
    return np.maximum(linear, 0) ** np.float32(1 / 2.2)
