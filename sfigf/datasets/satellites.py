"""Multispectral pictures from space: one whole scene each; the card's crops cut it and say which part a crop is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from sfigf.datasets.decode import read_tiff
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register


def stack_bands(files: Mapping[str, Path], roles: tuple[str, ...]) -> Array:
    """Stack single-band TIFFs of one grid to (C,h,w) float32.

    Raises:
        UserError: If a band is missing or of another size.
    """
    bands = [read_tiff(files[role]) for role in roles]
    for role, band in zip(roles, bands, strict=True):
        if band.shape != bands[0].shape or band.shape[0] != 1:
            raise UserError(f"band {role} has shape {band.shape}, band {roles[0]} {bands[0].shape}; they must agree")
    return np.concatenate(bands)


@register("dataset")
class Sentinel2:
    """Sentinel-2 level 1C at 10 m: blue, green, red, near infrared; no panchromatic band exists."""

    name: ClassVar[str] = "sentinel2"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Roles ``b02``, ``b03``, ``b04``, ``b08``: (4,1947,1933) reflectance x 10000."""
        bands = stack_bands(files, ("b02", "b03", "b04", "b08"))
        return [Scene("sentinel2", "sentinel2", "all", {"multispectral": bands}, {"pan": "simulated"})]


@register("dataset")
class Landsat8:
    """Landsat 8 level 1: blue, green, red, near infrared at 30 m and the real panchromatic band at 15 m.

    Digital numbers become reflectance x 10000, the numbers of Sentinel-2: 10000 * (2e-5 * DN - 0.1), without the
    sun's elevation. Source: USGS, Landsat 8 Data Users Handbook, section 5.2 (the constants of every level 1 product).
    """

    name: ClassVar[str] = "landsat8"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Roles ``b2``..``b5`` (603x627) and ``b8`` (1207x1254); 2x2 pixels of ``pan`` cover a coarse one."""
        bands = to_reflectance(stack_bands(files, ("b2", "b3", "b4", "b5")))
        pan = align_pan(to_reflectance(read_tiff(files["b8"])), bands.shape[1:])
        facts = {"pan": "real", "pan_offset_px": 0.0}
        return [Scene("landsat8", "landsat8", "all", {"multispectral": bands, "pan": pan}, facts)]


def to_reflectance(numbers: Array) -> Array:
    """Landsat 8 digital numbers to top-of-atmosphere reflectance x 10000."""
    return (0.2 * numbers.astype(np.float64) - 1000).astype(np.float32)


def align_pan(pan: Array, coarse: tuple[int, ...]) -> Array:
    """Cut a Landsat PAN (1,H,W) to (1,2h,2w) so that coarse pixel m is centred on PAN pixel 2m; nothing is resampled.

    Landsat puts pixel CENTRES of both grids on one lattice: coarse pixel m lies on PAN pixel 2m + 1. Dropping the first
    row and column leaves an offset of zero, which the degradation takes from ``meta["pan_offset_px"]``. The last row or
    column is repeated where PAN ends early.

    Raises:
        UserError: If the sizes do not fit such a pair of grids.
    """
    height, width = 2 * coarse[0], 2 * coarse[1]
    if not (0 <= pan.shape[1] - height <= 1 and 0 <= pan.shape[2] - width <= 1):
        raise UserError(f"a PAN of {pan.shape[1:]} px does not cover a grid of {coarse} px twice as coarse")
    cut = pan[:, 1 : height + 1, 1 : width + 1]
    missing = ((0, 0), (0, height - cut.shape[1]), (0, width - cut.shape[2]))
    return np.pad(cut, missing, mode="edge").astype(np.float32)
