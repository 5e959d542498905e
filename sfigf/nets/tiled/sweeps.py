"""What a piece of the network has to see so that its answer on a region is that of the whole image."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator

from torch import Tensor, nn

from sfigf.nets.attention.module import NeighbourhoodAttention
from sfigf.nets.tiled.planes import Size, Store
from sfigf.regions import Region, regions

# What the layers around the attention look further: the mixing before it one pixel, the tail behind it another one; the
# image filter, beside it, three.
_BEFORE, _BEHIND, _BESIDE = 1, 1, 3
_TILES_BETWEEN_TRIMS = 4


def with_margin(
    compute: Callable[[Region], tuple[Tensor, ...]], region: Region, margin: int, size: Size
) -> tuple[Tensor, ...]:
    """Compute on a region and a margin around it, then cut the region out: what a cut spoils stays in the margin."""
    outer = region.grown(margin, *size)
    return tuple(region.inside(outer).of(values) for values in compute(outer))


def seen_by_filters(region: Region, size: Size, feature_filter: nn.Module | None) -> Region:
    """Return the region on which both guided filters must be computed to be exact on ``region``."""
    seen = region.grown(_BESIDE, *size)
    for layer in feature_filter.modules() if feature_filter else ():
        if isinstance(layer, NeighbourhoodAttention):
            keys = _keys(region.grown(_BEHIND, *size), size, layer)
            seen = seen.joined(keys.grown(_BEFORE, *size))
    return seen


def _keys(region: Region, size: Size, layer: NeighbourhoodAttention) -> Region:
    """Return the region of all keys of a region's queries.

    A window reaches ``kernel // 2`` taps either way. Near a true border it is shifted, and lies within one window
    extent of that border. In both cases it is the same window in the region as in the whole image.
    """
    reach, extent = layer.kernel // 2 * layer.dilation, layer.kernel * layer.dilation
    (top, bottom), (left, right) = (
        (max(0, min(start - reach, length - extent)), min(length, max(stop + reach, extent)))
        for start, stop, length in ((region.top, region.bottom, size[0]), (region.left, region.right, size[1]))
    )
    return Region(top, left, bottom, right)


class Passes:
    """What all passes of one restoration share: the tile, where planes come from, and how far they are.

    Args:
        store: Makes the planes.
        tile: Side of a tile of the first level, even.
        total: Weights of all passes together.
        report: Called with the share done, 0 to 1.
    """

    def __init__(self, store: Store, tile: int, total: float, report: Callable[[float], None]) -> None:
        self.tile, self.plane = tile, store.plane
        self._total, self._report, self._done = total, report, 0.0

    def over(self, size: Size, level: int = 0, weight: float = 1.0, multiple: int = 2) -> Iterator[Region]:
        """Walk over the tiles of a level, counted from 0; all begin at multiples of ``multiple``.

        A coarser level has twice the channels: half the pixels in a tile take the same memory.
        """
        side = max(multiple, int(self.tile / math.sqrt(2) ** level) // multiple * multiple)
        for number, region in enumerate(regions(*size, side)):
            yield region
            self._done += weight * region.height * region.width / (size[0] * size[1])
            self._report(min(1.0, self._done / self._total))
            if number % _TILES_BETWEEN_TRIMS == 0:
                _trim_heap()


def _trim_heap() -> None:
    """Give free memory back: tiles of many sizes leave holes in glibc's heap, which grows to several times its use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
