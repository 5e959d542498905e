"""PanCollection: four HDF5 files a sensor, already degraded by the publisher, read one example at a time.

``gt``, ``ms``, ``lms`` and ``pan`` are (N,C,H,W) in digital numbers; full resolution has no ``gt``. They become the
arrays ``multispectral`` (C,H,W), ``coarse`` (C,H/4,W/4), ``upsampled`` (C,H,W) and ``pan`` (1,H,W), float32.

Source of the layout: liangjiandeng/PanCollection@03580af README.md; Xinyil256/SFIGF@e2cec34 Pan/data/deng_dataset.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sfigf.datasets.decode import MOST_VALUES
from sfigf.datasets.hdf5_files import array_in, opened
from sfigf.datasets.listing import named
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register

_ROLES = {"gt": "multispectral", "ms": "coarse", "lms": "upsampled", "pan": "pan"}
_FILES = {"train": "train", "validation": "validation", "reduced": "test", "full": "test"}
_RATIO = 4
# Filters and interpolation overshoot at sharp edges: only what was recorded, gt, must lie between 0 and the peak.
_OVERSHOOT = 0.25
_EXAMPLES_COMPARED = 8
_LEAST_CORRELATION = 0.3


class _PanCollection:
    """A reader of roles ``train``, ``validation``, ``reduced`` and ``full``; those given are read, in this order."""

    name: ClassVar[str]
    sensor: ClassVar[str]
    bands: ClassVar[int]
    peak: ClassVar[int]
    rgb_bands: ClassVar[tuple[int, ...]]

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Yield ``<name>-<role>-00001`` and on, numbered as they lie in the file; each is a place of its own.

        Raises:
            UserError: If a file is truncated, lacks a key, has other channels or sizes, holds values that cannot be
                digital numbers of the sensor, or its arrays disagree about the order of the bands. Named with the file;
                every file is looked at before the first scene is yielded.
        """
        given = {role: Path(files[role]) for role in _FILES if role in files}
        for role, path in given.items():
            with opened(path, "a whole HDF5 file") as file:
                self._check_order(path, self._arrays(path, file, role))
        for role, path in given.items():
            with opened(path, "a whole HDF5 file") as file:
                arrays = self._arrays(path, file, role)
                for index in range(len(arrays["pan"])):
                    yield self._scene(role, path, index, _example(path, arrays, index))

    def _scene(self, role: str, path: Path, index: int, example: dict[str, Array]) -> Scene:
        for key, array in example.items():
            self._check_values(f"{named(path)}: {key} of example {index + 1}", key, array)
        name = f"{self.name}-{role}-{index + 1:05d}"
        facts = {"file": path.name, "sensor": self.sensor, "peak": self.peak, "pan": "real"}
        arrays = {_ROLES[key]: array for key, array in example.items()}
        return Scene(name, name, _FILES[role], arrays, facts | {"rgb_bands": list(self.rgb_bands)})

    def _arrays(self, path: Path, file: Any, role: str) -> dict[str, Any]:
        """Return the file's arrays, still on disk, their shapes checked."""
        keys = [key for key in _ROLES if key != "gt" or role != "full"]
        arrays = {key: array_in(file, key, path) for key in keys}
        count, _, height, width = _four(path, "pan", arrays["pan"])
        expected = dict.fromkeys(keys, (count, self.bands, height, width))
        expected |= {"ms": (count, self.bands, height // _RATIO, width // _RATIO), "pan": (count, 1, height, width)}
        for key in keys:
            if (shape := _four(path, key, arrays[key])) != expected[key]:
                raise UserError(f"{named(path)}: {key} is {shape}, expected {expected[key]}; is this {self.name}?")
        return arrays

    def _check_values(self, what: str, key: str, array: Array) -> None:
        low, high = float(array.min()), float(array.max())
        slack = 0 if key == "gt" else _OVERSHOOT * self.peak
        if not (-slack <= low and high <= self.peak + slack):
            raise UserError(f"{what} lies in {low:g}..{high:g}, {self.sensor} counts 0..{self.peak}; get it again")
        if 0 < high <= 1:
            raise UserError(f"{what} lies in {low:g}..{high:g}: divided by its peak already; get the publisher's file")

    def _check_order(self, path: Path, arrays: dict[str, Any]) -> None:
        """Hold ``lms`` and ``gt`` against ``ms``: the same ground, and each band nearest to that of its own number."""
        count, _, height, width = arrays["pan"].shape
        most = max(1, min(_EXAMPLES_COMPARED, MOST_VALUES // (self.bands * height * width)))
        chosen = np.unique(np.linspace(0, count - 1, most).astype(int))
        examples = [_example(path, arrays, int(index)) for index in chosen]
        for key in (key for key in ("lms", "gt") if key in arrays):
            coarse, fine = ([example[role] for example in examples] for role in ("ms", key))
            moved = moved_bands(coarse, fine)
            if moved:
                said = ", ".join(f"{key} band {band + 1} is ms band {other + 1}" for band, other in moved.items())
                raise UserError(f"{named(path)}: the bands are not in one order: {said}; get the publisher's file")
            if not same_ground(coarse, fine):
                raise UserError(f"{named(path)}: {key} and ms show other ground; get the publisher's file")


def moved_bands(coarse: list[Array], fine: list[Array]) -> dict[int, int]:
    """Return ``{band of fine: band of coarse}`` where the bands of two grids (C,h,w), (C,4h,4w) are out of order.

    Only a sure sign counts: each moved band, averaged over 4x4 pixels, is nearest to another band, no two to the same,
    and at most half as far from it in digital numbers as from the band of its own number.
    """
    distance = np.zeros((len(coarse[0]),) * 2)
    for low, high in zip(coarse, fine, strict=True):
        distance += np.abs(_averaged(high)[:, None] - low[None]).mean(axis=(2, 3))
    nearest, own = distance.argmin(axis=1), np.arange(len(distance))
    moved = np.flatnonzero(nearest != own)
    sure = len(set(nearest.tolist())) == len(own)
    sure = sure and distance[moved, nearest[moved]].sum() < 0.5 * distance[moved, moved].sum()
    return {int(band): int(nearest[band]) for band in moved} if sure else {}


def same_ground(coarse: list[Array], fine: list[Array]) -> bool:
    """Whether two grids (C,h,w), (C,4h,4w) can show one place; false only where they hardly correlate.

    Correlation over all examples, each band of each less its mean. One place seen by WorldView-2 gives 0.9 or more,
    two places about 0: no brightness or gain of a band matters. Flat pictures can be of any place.
    """
    products = np.zeros(3)
    for low, high in zip(coarse, fine, strict=True):
        first, second = (a - a.mean(axis=(1, 2), keepdims=True) for a in (low.astype(np.float64), _averaged(high)))
        products += (first * second).sum(), (first**2).sum(), (second**2).sum()
    together, *alone = products
    return bool(together >= _LEAST_CORRELATION * np.sqrt(np.prod(alone)))


def _averaged(fine: Array) -> Array:
    """Mean of 4x4 pixels, float64."""
    bands, height, width = fine.shape
    blocks = fine.reshape(bands, height // _RATIO, _RATIO, width // _RATIO, _RATIO)
    return blocks.mean(axis=(2, 4), dtype=np.float64)


def _four(path: Path, key: str, array: Any) -> tuple[int, ...]:
    """The shape of an array of examples."""
    shape: tuple[int, ...] = array.shape
    if len(shape) != 4 or array.dtype.kind not in "fiu":
        raise UserError(f"{named(path)}: {key} is no array of numbers of shape (N, C, H, W); get the publisher's file")
    return shape


def _example(path: Path, arrays: dict[str, Any], index: int) -> dict[str, Array]:
    example = {key: np.asarray(array[index], dtype=np.float32) for key, array in arrays.items()}
    for key, values in example.items():
        if not np.isfinite(values).all():
            raise UserError(
                f"{named(path)}: {key} of example {index + 1} holds values that are not finite; get it again"
            )
    return example


@register("dataset")
class Wv3(_PanCollection):
    """WorldView-3: coastal, blue, green, yellow, red, red edge and two near infrared bands, 11 bits."""

    name: ClassVar[str] = "wv3"
    sensor: ClassVar[str] = "worldview3"
    bands: ClassVar[int] = 8
    peak: ClassVar[int] = 2047
    rgb_bands: ClassVar[tuple[int, ...]] = (4, 2, 1)


@register("dataset")
class Qb(_PanCollection):
    """QuickBird: blue, green, red, near infrared, 11 bits."""

    name: ClassVar[str] = "qb"
    sensor: ClassVar[str] = "quickbird"
    bands: ClassVar[int] = 4
    peak: ClassVar[int] = 2047
    rgb_bands: ClassVar[tuple[int, ...]] = (2, 1, 0)


@register("dataset")
class Gf2(_PanCollection):
    """Gaofen-2: blue, green, red, near infrared, 10 bits."""

    name: ClassVar[str] = "gf2"
    sensor: ClassVar[str] = "gaofen2"
    bands: ClassVar[int] = 4
    peak: ClassVar[int] = 1023
    rgb_bands: ClassVar[tuple[int, ...]] = (2, 1, 0)
