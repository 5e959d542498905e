"""Restore an image of any size with memory that the tile sets, not the image."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from sfigf.interface import UserError
from sfigf.nets.sfigf.network import SFIGF, RawMonoSFIGF
from sfigf.nets.sfigf.options import Options
from sfigf.nets.tiled.blended import BLENDING, OVERLAP, run_blended
from sfigf.nets.tiled.networks import Read, Write, run, weight_of
from sfigf.nets.tiled.planes import Store
from sfigf.nets.tiled.sweeps import Passes
from sfigf.regions import Region

TILE = 256  # a smaller one pays for margins, a larger one leaves the caches


def restore_tiled(
    network: nn.Module,
    size: tuple[int, int],
    read: Read,
    write: Write,
    *,
    tile: int = TILE,
    scratch: Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Restore an image of ``size`` (H, W) region by region.

    SFIGF comes out as from the whole image, up to rounding: see ``staged``. An image no larger than a tile is restored
    in one piece; other networks than SFIGF in overlapping tiles, see ``blended``.

    Args:
        network: A network in eval mode on its device: ``network(target, guide)``, or ``network(raw)`` of raw-mono.
        size: Height and width of the grid that the inputs lie on.
        read: Inputs (1, C, h, w) of a region on the network's device: (target, guide), or (raw,) of raw-mono. Any
            region, in any order, many times.
        write: Receives every region of the OUTPUT grid (twice as fine for raw-red) once, with its (1, Co, h, w).
        tile: Side of a tile in pixels; it sets the memory.
        scratch: Folder for what lies between two passes; in memory when None.
        progress: Called with the share done, 0 to 1.

    Raises:
        UserError: If the tile is smaller than the network can do with.
    """
    staged = network if isinstance(network, SFIGF | RawMonoSFIGF) else None
    least = _least_tile(staged.options) if staged else OVERLAP
    if tile < least:
        raise UserError(
            f"a tile of {tile} px is too small: what this network looks around in takes {least} px; use {least} or more"
        )
    with torch.inference_mode():
        if max(size) <= tile:
            everything = Region(0, 0, *size)
            restored = network(*read(everything))
            restored = restored[-1] if isinstance(restored, tuple) else restored
            write(everything.times(restored.shape[-1] // size[1]), restored)
        else:
            with Store(next(network.parameters()).detach(), scratch) as store:
                passes = Passes(store, tile // 2 * 2, weight_of(staged) if staged else BLENDING, progress)
                if staged:
                    run(staged, size, read, write, passes)
                else:
                    run_blended(network, size, read, write, passes)
    progress(1.0)


def _least_tile(options: Options) -> int:
    """An attention window must fit into the tiles of the last level, which are smaller."""
    window = options.kernel * options.dilation
    squared = window**2 * 2 ** (options.used_levels - 1)
    side = math.isqrt(squared - 1) + 1  # the root, rounded up
    return side + side % 2
