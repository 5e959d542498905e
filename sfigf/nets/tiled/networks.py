"""The networks tile by tile: their inputs on planes, their fusion in passes, their output region by region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sfigf.interface import Array
from sfigf.nets.sfigf.network import SFIGF, RawMonoSFIGF, Sides
from sfigf.nets.tiled.levels import MEASURE, RAISE, RUN
from sfigf.nets.tiled.planes import Plane, Size
from sfigf.nets.tiled.staged import fuse
from sfigf.nets.tiled.sweeps import Passes, with_margin
from sfigf.regions import Region

Read = Callable[[Region], tuple[Tensor, ...]]
Write = Callable[[Region, Tensor], None]
# The De-Bayer filter halves the image four times, and its 3x3 layers look 93 pixels around.
_DEBAYER_STEP, _DEBAYER_MARGIN = 16, 96
FILL, DEBAYER, HEAD = 0.05, 0.3, 0.3


def weight_of(network: SFIGF | RawMonoSFIGF) -> float:
    """Sum of the weights of all passes, for the progress."""
    levels, mono = network.options.used_levels, isinstance(network, RawMonoSFIGF)
    below_head = levels * (RUN + (2 if mono else 1) * MEASURE) + (levels - 1 + mono) * RAISE
    return FILL + mono * DEBAYER + below_head + HEAD


def run(network: SFIGF | RawMonoSFIGF, size: Size, read: Read, write: Write, passes: Passes) -> None:
    """Restore an image of ``size`` as the network does, up to rounding; arguments as in ``restore_tiled``."""
    (_run_raw_mono if isinstance(network, RawMonoSFIGF) else _run_pair)(network, size, read, write, passes)  # type: ignore


def _run_pair(network: SFIGF, size: Size, read: Read, write: Write, passes: Passes) -> None:
    def arranged(region: Region) -> tuple[Tensor, ...]:
        return network.arrange(*read(region))

    padded = _padded(network.sides, size)
    images = [passes.plane(network.bands, padded) for _ in range(2)]
    _fill(images, arranged, size, passes)
    output = fuse(network.fusion, images, passes)
    for region in passes.over(size, weight=HEAD):
        restored = output(region)
        if network.options.residual:
            restored = restored + network.base(*read(region))
        write(region.times(network.upscale), restored)


def _run_raw_mono(network: RawMonoSFIGF, size: Size, read: Read, write: Write, passes: Passes) -> None:
    padded = _padded(network.sides, size)
    raw = passes.plane(1, padded)
    _fill([raw], read, size, passes)
    packed = (padded[0] // 2, padded[1] // 2)
    images = [passes.plane(4, packed) for _ in range(2)]
    for region in passes.over(padded, weight=DEBAYER, multiple=_DEBAYER_STEP):
        (mono,) = with_margin(lambda outer: (network.debayer(raw.read(outer)),), region, _DEBAYER_MARGIN, padded)
        for plane, mosaic in zip(images, (raw.read(region), mono), strict=True):
            plane.write(region.under(2), functional.pixel_unshuffle(mosaic, 2))
    output = fuse(network.fusion, images, passes)
    for region in passes.over(packed, weight=HEAD):
        kept = region.times(2).clipped(*size)
        if kept.height and kept.width:
            write(kept, kept.inside(region.times(2)).of(output(region)))


def _padded(sides: Sides, size: Size) -> Size:
    return sides.fit(size[0]), sides.fit(size[1])


def _fill(planes: list[Plane], read: Read, size: Size, passes: Passes) -> None:
    """Copy the inputs onto planes, grown at their end as ``Sides.pad`` grows them."""
    padded = planes[0].size
    rows, columns = (_sources(length, goal) for length, goal in zip(size, padded, strict=True))
    for region in passes.over(padded, weight=FILL):
        wanted_rows, wanted_columns = rows[region.top : region.bottom], columns[region.left : region.right]
        source = Region(wanted_rows.min(), wanted_columns.min(), wanted_rows.max() + 1, wanted_columns.max() + 1)
        for plane, values in zip(planes, read(source), strict=True):
            index = torch.from_numpy(wanted_rows - source.top), torch.from_numpy(wanted_columns - source.left)
            plane.write(region, values[..., index[0][:, None], index[1][None, :]])


def _sources(length: int, goal: int) -> Array:
    """Pixel of an axis that each pixel of the grown axis repeats: reflected, or the last one where it is too short."""
    grown = np.arange(goal)
    reflects = goal - length < length
    return np.where(grown < length, grown, 2 * (length - 1) - grown if reflects else length - 1)
