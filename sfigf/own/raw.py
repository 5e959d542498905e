"""Dark raw frames as a network is given them: packed beside a monochrome frame, or one mosaic alone."""

from __future__ import annotations

import numpy as np

from sfigf.images import to_unit
from sfigf.interface import Array, UserError
from sfigf.own.inputs import Inputs
from sfigf.own.options import Options, factor_of
from sfigf.own.source import KnownImage, Source
from sfigf.regions import Region


class Raw(Inputs):
    """A mosaic (RGGB) and a monochrome frame of the same even size, packed, amplified and white-balanced."""

    upscale = 2

    def __init__(self, target: Source, guide: Source, options: Options) -> None:
        if target.shape[0] != 1 or guide.shape != target.shape or any(side % 2 for side in target.shape[1:]):
            sizes = f"{target.shape} and {guide.shape}"
            raise UserError(f"raw takes a one-band mosaic and a one-band guide of the same even size; got {sizes}")
        factor_of("raw", target.shape, guide.shape, options.scale)
        self.size = (target.shape[1] // 2, target.shape[2] // 2)
        self._mosaic, self._mono = KnownImage(target, "target"), KnownImage(guide, "guide")
        red, green, blue = gains = _gains(target, options)
        self._lift = np.array([red, green, green, blue], dtype=np.float32)[:, None, None]
        self._ratio = options.ratio
        self._guide_gain = options.guide_gain or options.ratio / sum(1 / gain for gain in gains)
        matrix = _colour_matrix(target, options)
        self.meta = {"guide": "mono", "colour_matrix": matrix, "white_balance": list(gains)}

    def target(self, region: Region) -> Array:
        """Return (4,h,w): R, G1, G2, B."""
        return np.clip(_packed(self._mosaic, region) * self._ratio * self._lift, 0, 1)

    def guide(self, region: Region) -> Array:
        """Return (4,h,w), packed in the same order."""
        return np.clip(_packed(self._mono, region) * self._guide_gain, 0, 1)

    def seen(self, region: Region) -> list[Array]:
        """Return linear camera RGB (3,h,w) and the guide in grey (1,h,w)."""
        red, first, second, blue = self.target(region)
        return [np.stack([red, (first + second) / 2, blue]), self.guide(region).mean(axis=0, keepdims=True)]


class Mosaic(Inputs):
    """A mosaic (RGGB) alone, of any size, amplified and white-balanced: for raw-mono, which makes its guide itself."""

    quad = 2

    def __init__(self, target: Source, options: Options) -> None:
        if target.shape[0] != 1:
            raise UserError(f"raw takes a one-band mosaic, this has {target.shape[0]}")
        factor_of("raw", target.shape, None, options.scale)
        self.size = target.shape[1:]
        self._mosaic, self._ratio = KnownImage(target, "target"), options.ratio
        red, green, blue = _gains(target, options)
        self._quad = np.array([[red, green], [green, blue]], dtype=np.float32)
        self.meta = {"colour_matrix": _colour_matrix(target, options)}

    def target(self, region: Region) -> Array:
        """Return (1,h,w)."""
        rows, columns = np.ogrid[region.top : region.bottom, region.left : region.right]
        return np.clip(to_unit(self._mosaic.read(region)) * self._ratio * self._quad[rows % 2, columns % 2], 0, 1)

    def guide(self, region: Region) -> Array:
        """Return no channel."""
        return np.empty((0, region.height, region.width), dtype=np.float32)

    def seen(self, region: Region) -> list[Array]:
        """Return linear camera RGB (3,h,w), NaN where a pixel has another filter."""
        rows, columns = np.ogrid[region.top : region.bottom, region.left : region.right]
        channel = rows % 2 + columns % 2
        return [np.where(channel == np.arange(3)[:, None, None], self.target(region), np.nan)]


def _packed(image: KnownImage, region: Region) -> Array:
    from sfigf.degrade.camera import pack

    return pack(to_unit(image.read(region.times(2))))


def _gains(target: Source, options: Options) -> tuple[float, ...]:
    if options.white_balance is not None:
        return options.white_balance
    return tuple(target.meta.get("white_balance", (1.0, 1.0, 1.0)))


def _colour_matrix(target: Source, options: Options) -> list[list[float]]:
    """3x3, white-balanced camera RGB to linear sRGB; if none is told, of the camera of the training data."""
    from sfigf.degrade.camera import camera_from_srgb

    if options.colour_matrix is not None:
        return np.reshape(options.colour_matrix, (3, 3)).tolist()
    told = target.meta.get("colour_matrix")
    return np.linalg.inv(camera_from_srgb()).tolist() if told is None else np.asarray(told).tolist()
