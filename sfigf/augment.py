"""Strong augmentation: what a scene could have looked like instead, done to a cut before it is encoded.

Flips and transposes are the patches' own business. What is done here keeps each task's physics, so the truth stays
the truth: depth gets another range and sign (networks see maps scaled to their own range), its guide another exposure,
tone curve, colours and grain; pan another brightness, for all its images together, and other band gains; focus other
colours and exposure, the same for both photographs, and grain. Raw is left alone: its colours are the camera's, its
noise belongs to its exposure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sfigf.interface import Array, Sample

_SMALLEST_RANGE = 0.5
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]


def augment(sample: Sample, task: str, rng: np.random.Generator) -> Sample:
    """Return another version of a sample (arrays about [0, 1], float32); the same generator gives the same."""
    return _OF_TASK[task](sample, rng)


def _depth(sample: Sample, rng: np.random.Generator) -> Sample:
    """Invert the map half of the time, squeeze it into a part of [0, 1], and photograph the scene otherwise."""
    width = np.float32(rng.uniform(_SMALLEST_RANGE, 1))
    start = np.float32(rng.uniform(0, 1 - width))
    if rng.random() < 0.5:
        start, width = start + width, -width
    guide = _tone(_recoloured(sample.guide, rng, sigma=0.2), rng)
    return dataclasses.replace(
        _on(sample, lambda image: start + width * image, "target", "truth"), guide=_grain(guide, rng, 0.02)
    )


def _pan(sample: Sample, rng: np.random.Generator) -> Sample:
    brightness = np.float32(2 ** rng.uniform(-0.5, 0.5))
    gains = np.exp(rng.normal(0, 0.1, (len(sample.target), 1, 1))).astype(np.float32)
    sample = _on(sample, lambda image: brightness * image, "guide")
    return _on(sample, lambda image: brightness * gains * image, "target", "truth")


def _focus(sample: Sample, rng: np.random.Generator) -> Sample:
    """Linear changes only: they commute with blur."""
    order = rng.permutation(len(sample.target))
    gains = np.exp(rng.normal(0, 0.1, (len(order), 1, 1))).astype(np.float32)
    exposure = np.float32(rng.uniform(0.6, 1))
    sample = _on(sample, lambda image: exposure * gains * image[order], "target", "guide", "truth")
    return dataclasses.replace(sample, target=_grain(sample.target, rng, 0.01), guide=_grain(sample.guide, rng, 0.01))


def _raw(sample: Sample, rng: np.random.Generator) -> Sample:
    return sample


def _recoloured(image: Array, rng: np.random.Generator, sigma: float) -> Array:
    """Swap channels, scale each, and fade towards grey in a third of all cases."""
    image = image[rng.permutation(len(image))] * np.exp(rng.normal(0, sigma, (len(image), 1, 1))).astype(np.float32)
    fade = np.float32(rng.uniform(0, 1) if rng.random() < 1 / 3 else 0)
    return image + fade * ((_LUMA * image).sum(axis=0, keepdims=True) - image) if len(image) == 3 else image


def _tone(image: Array, rng: np.random.Generator) -> Array:
    """Expose and bend by a power, within [0, 1]."""
    return np.clip(image, 0, 1) ** np.float32(rng.uniform(0.7, 1.4))


def _grain(image: Array, rng: np.random.Generator, most: float) -> Array:
    """Add Gaussian noise of a standard deviation up to ``most``."""
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return image + np.float32(rng.uniform(0, most)) * noise


def _on(sample: Sample, change: Callable[[Array], Array], *roles: str) -> Sample:
    there = {role: getattr(sample, role) for role in roles if getattr(sample, role) is not None}
    changed: dict[str, Any] = {role: change(array) for role, array in there.items()}
    return dataclasses.replace(sample, **changed)


_OF_TASK: dict[str, Callable[[Sample, np.random.Generator], Sample]] = {
    "depth": _depth,
    "pan": _pan,
    "focus": _focus,
    "raw": _raw,
}
