"""Sample images of pan-sharpening satellites as the field passes them round: one ``.mat`` file, one scene.

A file holds ``I_MS`` (h,w,C) and ``I_PAN`` (4h,4w) in digital numbers, ``L`` bits, ``ratio``, ``sensor`` and
``RGB_indexes`` (red, green and blue, counted from 1). Bands ascend in wavelength.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sfigf.datasets.decode import check_size, decoding
from sfigf.datasets.listing import named
from sfigf.images.matlab_classic import stored_arrays
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register

_RATIO = 4
_LONGEST = 20
_KEYS = ("I_MS", "I_PAN", "L", "ratio", "sensor", "RGB_indexes")


class _SampleImage:
    """A reader; ``label`` is what the file calls the sensor, ``rgb`` what it says of red, green and blue."""

    name: ClassVar[str]
    label: ClassVar[str]
    bands: ClassVar[int]
    rgb: ClassVar[tuple[int, ...]]

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Role ``scene``: ``multispectral`` (C,h,w) and ``pan`` (1,4h,4w), float32 digital numbers.

        ``meta`` gives ``peak`` (2^L - 1) and ``rgb_bands`` counted from 0.

        Raises:
            UserError: If the file is no such ``.mat``, lacks a key, is of another sensor, or its band count, band
                order, sizes or values contradict each other.
        """
        path = Path(files["scene"])
        content = _load(path)
        self._check_facts(path, content)
        bands, pan = np.moveaxis(content["I_MS"], -1, 0), content["I_PAN"][None]
        self._check_sizes(path, bands, pan)
        peak = 2 ** _number(path, content, "L") - 1
        for key, array in (("I_MS", bands), ("I_PAN", pan)):
            _check_range(path, key, array, peak)
        arrays = {"multispectral": bands.astype(np.float32), "pan": pan.astype(np.float32)}
        facts = {"file": path.name, "sensor": self.name, "peak": peak, "pan": "real"}
        return [Scene(self.name, self.name, "test", arrays, facts | {"rgb_bands": [band - 1 for band in self.rgb]})]

    def _check_facts(self, path: Path, content: dict[str, Any]) -> None:
        label = "".join(letter for letter in str(np.ravel(content["sensor"])[0]) if letter.isprintable())[:40]
        if label.lower() != self.label.lower():
            raise UserError(
                f"{named(path)}: of sensor '{label}', expected '{self.label}'; name the file of {self.name}"
            )
        ratio = _number(path, content, "ratio")
        if ratio != _RATIO:
            raise UserError(f"{named(path)}: ratio is {ratio}, expected {_RATIO}; get the publisher's file")
        rgb = tuple(np.ravel(content["RGB_indexes"]).tolist())
        if rgb != self.rgb:
            raise UserError(
                f"{named(path)}: says that red, green and blue are bands {rgb}, in {self.name} they are {self.rgb}: "
                "its bands are in another order; put them in ascending wavelength"
            )

    def _check_sizes(self, path: Path, bands: Array, pan: Array) -> None:
        if bands.ndim != 3 or len(bands) != self.bands:
            raise UserError(f"{named(path)}: I_MS is {np.moveaxis(bands, 0, -1).shape}, expected (h, w, {self.bands})")
        if pan.shape[1:] != (_RATIO * bands.shape[1], _RATIO * bands.shape[2]):
            raise UserError(
                f"{named(path)}: I_PAN is {pan.shape[1:]}, expected {_RATIO} times the {bands.shape[1:]} of I_MS; "
                "get it again"
            )


def _load(path: Path) -> dict[str, Any]:
    with decoding(path, "a whole .mat file of version 5"):
        held = stored_arrays(path)
        missing = [key for key in _KEYS if key not in held or 0 in held[key].shape]
        if missing:
            names = "".join(sign if sign.isprintable() else "?" for sign in ", ".join(held))[:200] or "nothing"
            raise UserError(
                f"{named(path)}: has no {', '.join(missing)}; it holds {names}; is this the right file, and whole?"
            )
        for key in _KEYS:
            _check_kind(path, key, held[key].shape, "complex" if held[key].is_complex else held[key].kind)
        content: dict[str, Any] = {key: held[key].load().T for key in _KEYS}
        return content | {"sensor": "".join(map(chr, content["sensor"].ravel().tolist()))}


def _check_kind(path: Path, key: str, shape: tuple[int, ...], kind: str) -> None:
    """Refuse what is no array of numbers, or of letters for ``sensor``, and what would fill the memory."""
    check_size(path, shape)
    numbers = kind in ("double", "single") or kind.lstrip("u").startswith("int")
    fits = kind == "char" if key == "sensor" else numbers
    if not fits or (key not in ("I_MS", "I_PAN", "sensor") and math.prod(shape) > _LONGEST):
        raise UserError(f"{named(path)}: {key} is {kind} of shape {shape}; get the publisher's file")


def _number(path: Path, content: dict[str, Any], key: str) -> int:
    values = np.ravel(content[key])
    if values.size != 1 or values.dtype.kind not in "uif" or values[0] not in range(1, 17):
        raise UserError(
            f"{named(path)}: {key} is {values[:4]}, expected one number from 1 to 16; get the publisher's file"
        )
    return int(values[0])


def _check_range(path: Path, key: str, array: Array, peak: int) -> None:
    low, high = array.min(), array.max()
    if not 0 <= low <= high <= peak:
        raise UserError(f"{named(path)}: {key} lies in {low}..{high}, its L says 0..{peak}; get the publisher's file")


@register("dataset")
class WorldView2(_SampleImage):
    """WorldView-2: coastal, blue, green, yellow, red, red edge and two near infrared bands, 11 bits."""

    name: ClassVar[str] = "worldview2"
    label: ClassVar[str] = "WV2"
    bands: ClassVar[int] = 8
    rgb: ClassVar[tuple[int, ...]] = (5, 3, 2)


@register("dataset")
class GeoEye1(_SampleImage):
    """GeoEye-1: blue, green, red, near infrared; this copy has 8 bits."""

    name: ClassVar[str] = "geoeye1"
    label: ClassVar[str] = "GeoEye1"
    bands: ClassVar[int] = 4
    rgb: ClassVar[tuple[int, ...]] = (3, 2, 1)


@register("dataset")
class Ikonos(_SampleImage):
    """IKONOS: blue, green, red, near infrared, 11 bits."""

    name: ClassVar[str] = "ikonos"
    label: ClassVar[str] = "IKONOS"
    bands: ClassVar[int] = 4
    rgb: ClassVar[tuple[int, ...]] = (3, 2, 1)
