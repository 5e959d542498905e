"""What FDKN and DKN share: a filter of nine taps a pixel, each with a weight and a place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Taps = Literal["centred", "corners", "half-pixel"]
TAPS = 9
_SIDE = 3
_WINDOW_PX = 15
_REACH_PX = _WINDOW_PX // 2


def tap_positions(offsets: Tensor, taps: Taps = "centred") -> tuple[Tensor, Tensor]:
    """Return where each tap lies, in pixels right of and below its pixel, both (b,9,H,W).

    Without offsets the released taps have the window indices 7, 8, 9, and the window is then sampled at places that
    depend on the release of torch: neither way is the middle tap the pixel itself. ``centred`` mends that.

    Args:
        offsets: (b,18,H,W) px; channels 2t and 2t+1 move tap t to the right and down. Tap t = 3a+b is in column a and
            row b: the first index goes along the row of pixels.
        taps: ``centred``: -1, 0, 1 px. ``corners``: window index p is sampled at p*14/15, as torch did when the
            released weights were trained (``align_corners=True``). ``half-pixel``: at p-1/2, what the released code
            does under torch of today (``align_corners=False``).
    """
    index = torch.arange(TAPS, device=offsets.device).view(1, TAPS, 1, 1)
    column, row = index // _SIDE, index % _SIDE
    x, y = (start + moved for start, moved in ((column, offsets[:, 0::2]), (row, offsets[:, 1::2])))
    if taps == "centred":
        return x - 1, y - 1
    if taps == "half-pixel":
        return x - 0.5, y - 0.5
    return (x * (_WINDOW_PX - 1) - _REACH_PX) / _WINDOW_PX, (y * (_WINDOW_PX - 1) - _REACH_PX) / _WINDOW_PX


def _shares(position: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield both whole pixels beside each position, and how much of each is taken: nothing beyond the window."""
    below = position.detach().floor()
    for whole, share in ((below, 1 - (position - below)), (below + 1, position - below)):
        inside = whole.abs() <= _REACH_PX
        # A training that diverges then ends with its loss named, not with an index out of range.
        pixel = whole.clamp(-_REACH_PX, _REACH_PX).nan_to_num().long()
        yield pixel, share * inside


def sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return (b,9,H,W): the image (b,1,H,W) at x px right of and y px below each pixel, bilinear.

    Zero outside the image and outside the 15x15 window round the pixel. Positions count from their own pixel, so that
    a large image costs no accuracy, and no window is ever cut out.
    """
    height, width = image.shape[-2:]
    row_px = width + 2 * _REACH_PX
    values = functional.pad(image, [_REACH_PX] * 4).flatten(1)
    rows, columns = (torch.arange(size, device=image.device) + _REACH_PX for size in (height, width))
    here = rows[:, None] * row_px + columns
    sampled = torch.zeros_like(x)
    for column, across in _shares(x):
        for row, down in _shares(y):
            there = here + row * row_px + column
            sampled = sampled + across * down * values.gather(1, there.flatten(1)).view_as(x)
    return sampled


def filter_taps(target: Tensor, weights: Tensor, offsets: Tensor, taps: Taps, residual: bool) -> Tensor:
    """Return the filtered target (b,1,H,W).

    Args:
        target: (b,1,H,W).
        weights: (b,9,H,W). Residual: their mean is taken off, so that they sum to 0, and the filtered target is added
            to the target; otherwise they are divided by their sum.
        offsets: (b,18,H,W) px, see ``tap_positions``.
        taps: Likewise.
        residual: See ``weights``.
    """
    sampled = sample(target, *tap_positions(offsets, taps))
    if residual:
        return target + ((weights - weights.mean(dim=1, keepdim=True)) * sampled).sum(dim=1, keepdim=True)
    return (weights * sampled).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True)
