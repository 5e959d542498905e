"""Guides that are not what a method was made for: out of place, or noisier."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sfigf.interface import Array, Sample
from sfigf.robustness.base import Perturbation, single

_REACH, _BETA = 8.5, 5.0


class GuideShift(Perturbation):
    """The guide is out of place by so many of its own pixels, in a direction drawn once per image.

    Two cameras, or two bands of a scanner, are registered to a pixel at best. Focus: image B is moved against image A,
    on which the truth stays. A packed raw guide is moved as the plane its sensor reads out.
    """

    name = "guide-shift"
    title = "Guide out of place"
    tasks = ("depth", "pan", "focus", "raw")
    quantity = "shift"
    unit = "px"

    def fits(self, sample: Sample) -> bool:
        """A network that estimates its guide has none to move."""
        return len(sample.guide) > 0

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Move the guide; the rest stays."""
        angle = rng.uniform(0, 2 * math.pi)
        down, right = level * math.sin(angle), level * math.cos(angle)
        return dataclasses.replace(sample, guide=_on_sensor(sample.guide, lambda plane: shifted(plane, down, right)))


class GuideNoise(Perturbation):
    """The guide carries white Gaussian noise on top of its own; the level is a share of its contrast.

    Contrast is the distance between the 1st and the 99th percentile of the guide: a panchromatic band fills a tenth of
    its sensor's range, so that a share of the range would mean another thing in each task. Values stay within [0,1],
    or within those of the guide where they are wider.
    """

    name = "guide-noise"
    title = "Noise on the guide"
    tasks = ("depth", "pan", "raw")
    quantity = "standard deviation"
    unit = "of the guide's contrast"

    def fits(self, sample: Sample) -> bool:
        """As ``GuideShift``."""
        return len(sample.guide) > 0

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Add the noise; the rest stays."""
        guide = sample.guide
        dark, bright = np.percentile(guide, (1, 99))
        noisy = guide + level * (bright - dark) * rng.standard_normal(guide.shape)
        return dataclasses.replace(sample, guide=single(noisy.clip(min(0, guide.min()), max(1, guide.max()))))


def shifted(image: Array, down: float, right: float) -> Array:
    """Move (C,H,W) by fractions of a pixel, edges repeated outwards; whole pixels are moved exactly.

    Interpolated with a sinc under a Kaiser window of 17 px: a spline would smooth a noisy guide, and so help.
    Values stay within those that the image has.
    """
    from scipy.ndimage import correlate1d

    moved = np.asarray(image, dtype=np.float64)
    for axis, distance in ((-2, down), (-1, right)):
        moved = correlate1d(moved, _taps(distance), axis, mode="nearest")
    return single(moved.clip(image.min(), image.max()))


def _taps(distance: float) -> Array:
    """Weights of the pixels around one whose value comes from ``distance`` pixels before it; they sum to 1."""
    reach = math.ceil(abs(distance) + _REACH)
    apart = np.arange(-reach, reach + 1) + distance
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (apart / _REACH) ** 2, 0, None))) * (np.abs(apart) < _REACH)
    weights = np.sinc(apart) * window
    return weights / weights.sum()


def _on_sensor(guide: Array, change: Any) -> Array:
    """Change a guide on its sensor's grid; only a raw guide has four channels, which are one plane, packed."""
    from sfigf.degrade.camera import pack, unpack

    return pack(change(unpack(guide))) if len(guide) == 4 else change(guide)
