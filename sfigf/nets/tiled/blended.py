"""Any network tile by tile: tiles overlap, and the overlaps fade from one into the next."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sfigf.nets.tiled.planes import Plane, Size
from sfigf.nets.tiled.sweeps import Passes
from sfigf.regions import Region

_STEP = 16  # networks that halve their grid do so at most four times
OVERLAP = 64
BLENDING = 1.05  # weight of both passes, for the progress


def run_blended(
    network: nn.Module,
    size: Size,
    read: Callable[[Region], tuple[Tensor, ...]],
    write: Callable[[Region, Tensor], None],
    passes: Passes,
) -> None:
    """Restore tiles that reach ``OVERLAP`` pixels into their neighbours, and write their weighted mean.

    A tile counts fully in its own square and less and less beyond, down to nothing after half the overlap; what its cut
    spoils lies in the other half. A network that looks no further around than that half comes out as from the whole
    image; one that pools over all pixels does not.
    """
    fade = OVERLAP // 2
    sums: Plane | None = None
    for region in passes.over(size, multiple=_STEP):
        outer, faded = region.grown(OVERLAP, *size), region.grown(fade, *size)
        restored = network(*read(outer))
        finer = restored.shape[-1] // outer.width
        sums = sums or passes.plane(restored.shape[1] + 1, (size[0] * finer, size[1] * finer))
        weight = _weight(region.inside(faded), faded, fade).repeat_interleave(finer, 0).repeat_interleave(finer, 1)
        kept = faded.inside(outer).times(finer).of(restored)
        weight = weight.to(kept)[None, None]
        target = faded.times(finer)
        sums.write(target, sums.read(target) + torch.cat([kept * weight, weight], dim=1))
    assert sums is not None, "an image has pixels"
    for region in passes.over(sums.size, weight=BLENDING - 1):
        values = sums.read(region)
        write(region, values[:, :-1] / values[:, -1:])


def _weight(inner: Region, outer: Region, fade: int) -> Tensor:
    """(h, w) of ``outer``: 1 in ``inner``, falling linearly to almost 0 in ``fade`` pixels."""
    rows, columns = (
        1 - (torch.arange(length) - torch.arange(length).clamp(begin, end - 1)).abs() / (fade + 1)
        for length, begin, end in ((outer.height, inner.top, inner.bottom), (outer.width, inner.left, inner.right))
    )
    return rows[:, None] * columns
