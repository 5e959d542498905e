"""What a network is shown instead of a sample, and how its answer is brought back; inputs alone decide it.

``detail`` (depth, pan, focus): every image less its own low-pass, times ten, so that what is to be restored fills the
range of a network whatever the level, the haze or the sensor; units are kept, so a detail means the same everywhere.
``develop`` (raw): the linear planes after the camera's own colour matrix and curves, as the truth is; what is predicted
is the difference from a plain start, the guide in grey with the target's colour, averaged over 7x7 quads, laid over it.
``released-colours`` (depth): the guide in the order B, G, R, normalised with ImageNet's statistics of R, G, B, as the
released code shows it (``quirks.colour``). ``released-packing`` (raw): both packed images in the order R, G1, B, G2 and
without white balance, as the released raw networks were shown them. ``none`` leaves all as it is.

It is the training's, not the method's: every learned method of a task is shown the same.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from sfigf.interface import Array, Sample

Encoding = Literal["none", "detail", "develop", "released-colours", "released-packing"]
# Pixels of the target's grid that an encoding looks beyond a window: 4 standard deviations of 4 px (scipy's cut); half
# of 7 quads.
REACH_PX: dict[Encoding, int] = {
    "none": 0, "detail": 16, "develop": 3, "released-colours": 0, "released-packing": 0,
}  # fmt: skip
GAIN = np.float32(10)
_COLOUR_QUADS = 7
LOW_PX = 4.0
_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def encode(sample: Sample, kind: Encoding) -> Sample:
    """Return the sample as a network sees it; a truth is brought onto the scale of the network's output."""
    if kind == "none":
        return sample
    if kind == "develop":
        return _developed(sample)
    if kind == "released-colours":
        return dataclasses.replace(sample, guide=released_colours(sample.guide))
    if kind == "released-packing":
        return released_packing(sample)
    low, guide_low = _lows(sample)
    return dataclasses.replace(
        sample,
        target=(sample.target - low) * GAIN,
        guide=(sample.guide - guide_low) * GAIN,
        truth=None if sample.truth is None else (sample.truth - low) * GAIN,
    )


def decode(restored: Array, sample: Sample, kind: Encoding) -> Array:
    """Bring a network's answer (C,H,W) back to the scale of ``sample.target`` (the sample before ``encode``)."""
    if kind == "develop":
        shown = _developed(sample)
        return restored + _plain_start(sample, shown.guide)
    return restored / GAIN + _lows(sample)[0] if kind == "detail" else restored


def released_colours(guide: Array) -> Array:
    """Return a guide (...,3,H,W) as the released depth code shows it to the network; one of another depth as it is.

    Source: Xinyil256/SFIGF@3600cd0 GDSR/datasets/nyu.py: read as B, G, R, normalised with the statistics of R, G, B.
    """
    if guide.shape[-3] != 3:
        return guide
    mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (_IMAGENET_MEAN, _IMAGENET_DEVIATION))
    return (guide[..., ::-1, :, :] - mean) / deviation


def released_packing(sample: Sample) -> Sample:
    """Return a raw sample as the released raw-red code shows it: R, G1, B, G2; gains of ``white_balance`` taken off.

    Source: Xinyil256/SFIGF RedRAW/train_red_raw_sfigf.py, which packs as cchen156/Learning-to-See-in-the-Dark does.
    """
    red, green, blue = sample.meta.get("white_balance", (1, 1, 1))
    lift = np.array([red, green, blue, green], dtype=np.float32)[:, None, None]
    order = [0, 1, 3, 2]
    return dataclasses.replace(sample, target=sample.target[order] / lift, guide=sample.guide[order])


def _developed(sample: Sample) -> Sample:
    from sfigf.degrade.camera import develop_planes, show

    display = str(sample.meta.get("guide", "")).startswith("red-oracle")
    guide = sample.guide if display else show(sample.guide)
    truth = None if sample.truth is None else sample.truth - _plain_start(sample, guide)
    return dataclasses.replace(sample, target=develop_planes(sample.target, sample.meta), guide=guide, truth=truth)


def _plain_start(sample: Sample, guide: Array) -> Array:
    """The developed guide (4,h,w) in grey, plus the target's smooth colour: (3,2h,2w)."""
    from scipy.ndimage import uniform_filter

    from sfigf.degrade.camera import develop_planes, unpack

    smooth = np.stack([uniform_filter(plane, _COLOUR_QUADS) for plane in sample.target])
    red, first, second, blue = develop_planes(smooth, sample.meta)
    grey = uniform_filter(guide.mean(axis=0), _COLOUR_QUADS)
    colour = np.stack([red, (first + second) / 2, blue]) - grey
    return np.clip(unpack(guide) + colour.repeat(2, axis=1).repeat(2, axis=2), 0, 1).astype(np.float32)


def _lows(sample: Sample) -> tuple[Array, Array]:
    """Low-pass of target and guide (Gaussian of 4 px): each its own; of two alike images (focus) that of their mean."""
    from scipy.ndimage import gaussian_filter

    def low(image: Array) -> Array:
        return np.stack([gaussian_filter(plane, LOW_PX, mode="nearest") for plane in image])

    if sample.target.shape == sample.guide.shape:
        common = low((sample.target + sample.guide) / 2)
        return common, common
    return low(sample.target), low(sample.guide)
