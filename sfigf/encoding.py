"""What a network is shown instead of a sample, and how its answer is brought back; inputs alone decide it.

``centre`` (pan): every band less its own mean, PAN less its own, times ten, so that contrast fills the range of a
network whatever the haze and the light; units stay reflectance, so that what was learned on one sensor holds on another.
``develop`` (raw): the linear planes after the camera's own colour matrix and curves, as the truth is, so that a short
training need not spend itself on learning them. ``none`` leaves all as it is.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from sfigf.interface import Array, Sample

Encoding = Literal["none", "centre", "develop"]
_GAIN = np.float32(10)


def encode(sample: Sample, kind: Encoding) -> Sample:
    """Return the sample as a network sees it; a truth is brought onto the scale of the network's output."""
    if kind == "none":
        return sample
    if kind == "develop":
        from sfigf.degrade.camera import develop_planes, show

        display = str(sample.meta.get("guide", "")).startswith("red-oracle")
        guide = sample.guide if display else show(sample.guide)
        return dataclasses.replace(sample, target=develop_planes(sample.target, sample.meta), guide=guide)
    mean = _mean(sample.target)
    return dataclasses.replace(
        sample,
        target=(sample.target - mean) * _GAIN,
        guide=(sample.guide - _mean(sample.guide)) * _GAIN,
        truth=None if sample.truth is None else (sample.truth - mean) * _GAIN,
    )


def decode(restored: Array, sample: Sample, kind: Encoding) -> Array:
    """Bring a network's answer (C,H,W) back to the scale of ``sample.target`` (the sample before ``encode``)."""
    return (restored / _GAIN + _mean(sample.target)).astype(np.float32) if kind == "centre" else restored


def _mean(image: Array) -> Array:
    return image.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)

