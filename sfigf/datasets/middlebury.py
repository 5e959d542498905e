"""Middlebury stereo pictures that ordinary packages carry.

Each reader returns one scene: ``rgb`` (3,H,W) uint8 (value / 255 is display-referred in [0,1]), ``disparity`` (1,H,W)
float32 in pixels with 0 where unknown, ``valid`` (1,H,W) uint8.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sfigf.datasets.decode import read_grey, read_packed_array, read_rgb, read_tiff
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register


def stereo_scene(name: str, place: str, part: str, rgb: Array, disparity: Array) -> Scene:
    """Assemble a scene; disparities (1,H,W) that are zero or not finite count as unknown.

    Raises:
        UserError: If the two pictures differ in size, or no disparity is known.
    """
    if rgb.shape[1:] != disparity.shape[1:]:
        raise UserError(f"{name}: colour is {rgb.shape[1:]} px, disparity {disparity.shape[1:]} px; they must agree")
    valid = np.isfinite(disparity) & (disparity > 0)
    if not valid.any():
        raise UserError(f"{name}: not one disparity is known")
    known = np.where(valid, disparity, 0).astype(np.float32)
    return Scene(name, place, part, {"rgb": rgb, "disparity": known, "valid": valid.astype(np.uint8)}, {"unit": "px"})


@register("dataset")
class Motorcycle:
    """Middlebury 2014 Motorcycle, 500x741; source: scikit-image ``skimage.data.stereo_motorcycle``."""

    name: ClassVar[str] = "motorcycle"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Roles ``rgb`` (PNG) and ``disparity`` (npz, float pixels, not finite where unknown)."""
        disparity = read_packed_array(files["disparity"], "arr_0")
        return [stereo_scene("motorcycle", "middlebury-motorcycle", "test", read_rgb(files["rgb"]), disparity[None])]


@register("dataset")
class Cones:
    """Middlebury 2003 Cones, 375x450; source: pandora, whose GeoTIFF holds pixels in steps of a quarter."""

    name: ClassVar[str] = "cones"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Roles ``rgb`` (float TIFF of 0..255) and ``disparity`` (float TIFF, pixels, 0 unknown)."""
        rgb = np.clip(np.rint(read_tiff(files["rgb"])), 0, 255).astype(np.uint8)
        return [stereo_scene("cones", "middlebury-cones", "test", rgb, read_tiff(files["disparity"]))]


@register("dataset")
class Aloe:
    """Middlebury 2006 Aloe, 1110x1282; source: the OpenCV samples."""

    name: ClassVar[str] = "aloe"

    def read(self, files: Mapping[str, Any]) -> list[Scene]:
        """Roles ``rgb`` (JPEG) and ``disparity`` (8-bit PNG, pixels, 0 unknown)."""
        rgb, disparity = read_rgb(files["rgb"]), read_grey(files["disparity"]).astype(np.float32)
        return [stereo_scene("aloe", "middlebury-aloe", "train", rgb, disparity)]
