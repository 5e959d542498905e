"""A target and a guide that are functions of the pixel, so that an image of any size takes no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfigf.regions import Region

if TYPE_CHECKING:
    from torch import Tensor


def read(region: Region) -> tuple[Tensor, Tensor]:
    """Return the target (1, 1, h, w) and the guide (1, 3, h, w) of a region, both in [0, 1]."""
    import torch

    rows = torch.arange(region.top, region.bottom, dtype=torch.float32)[:, None]
    columns = torch.arange(region.left, region.right, dtype=torch.float32)[None, :]
    target = 0.5 + 0.3 * torch.sin(rows / 37) * torch.cos(columns / 29) + 0.1 * torch.sin((rows + columns) / 5)
    bands = [0.4 + 0.3 * torch.sin(rows / (11 + 4 * band)) * torch.sin(columns / (17 - band)) for band in range(3)]
    noise = _noise(region)
    return target[None, None], torch.stack([band + 0.2 * noise for band in bands])[None]


def whole(side: int) -> tuple[Tensor, Tensor]:
    """Return target and guide of side x side pixels."""
    return read(Region(0, 0, side, side))


def _noise(region: Region) -> Tensor:
    """Values in [0, 1) that look random and depend on the pixel's place alone."""
    import torch

    rows = torch.arange(region.top, region.bottom)[:, None] * 73_856_093
    columns = torch.arange(region.left, region.right)[None, :] * 19_349_663
    mixed = ((rows ^ columns) * 83_492_791) % 1_000_003
    return mixed.float() / 1_000_003
