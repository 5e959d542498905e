"""What several depth networks do to their inputs: statistics, grey, sizes, the map before it was upsampled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_GREY_OF_BGR = (0.114, 0.587, 0.299)


def precise(values: Tensor) -> Tensor:
    """Return the values in float32, float64 as they are."""
    return values if values.dtype == torch.float64 else values.float()


def imagenet(guide: Tensor) -> Tensor:
    """Return (b,3,H,W) less the mean of ImageNet's RGB, over its deviation."""
    mean, deviation = (guide.new_tensor(values).view(1, 3, 1, 1) for values in (_IMAGENET_MEAN, _IMAGENET_DEVIATION))
    return (guide - mean) / deviation


def grey_as_bgr(guide: Tensor) -> Tensor:
    """Return (b,1,H,W): ITU-601 luma for channels taken as B, G, R, which is what the originals do to RGB too."""
    return (guide * guide.new_tensor(_GREY_OF_BGR).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def padded_end(image: Tensor, multiple: int, least: int = 1) -> Tensor:
    """Repeat the last row and column until both sides are multiples of ``multiple`` and at least ``least`` px."""
    height, width = (max(least, side) for side in image.shape[-2:])
    bottom, right = (side + -side % multiple for side in (height, width))
    return functional.pad(image, (0, right - image.shape[-1], 0, bottom - image.shape[-2]), mode="replicate")


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """Resize (b,C,H,W) bicubically as Pillow does, antialiased where it shrinks; half precision goes by float32."""
    if width == 1 < height:  # torch to 2.13 gets columns of one pixel wrong on the CPU, rows of one pixel right
        return resized(image.mT, width, height).mT
    values = functional.interpolate(precise(image), (height, width), mode="bicubic", antialias=True)
    return values.to(image.dtype)


def low_resolution(upsampled: Tensor, factor: int) -> Tensor:
    """Return the map (b,1,H/factor,W/factor) that Pillow's bicubic upsampling made (b,1,H,W) of.

    Resizing down again blurs; on each axis down after up is a small square matrix A, and solving by it takes the blur
    back. So a whole map comes back up to rounding. A map that is no upsampled one, as a patch cut off the coarse grid,
    gives the one that agrees with it when both are resized down.

    Source: ours; the kernel and its edges are Pillow's ``Image.BICUBIC``.
    """
    values = precise(upsampled)
    height, width = (side // factor for side in values.shape[-2:])
    blurred = resized(values, height, width)
    rows = torch.linalg.solve(_down_after_up(values, height, factor), blurred)
    both = torch.linalg.solve(_down_after_up(values, width, factor), rows.mT).mT
    return both.to(upsampled.dtype)


def _down_after_up(like: Tensor, side: int, factor: int) -> Tensor:
    """Column k is what a one at k becomes."""
    ones = torch.eye(side, dtype=like.dtype, device=like.device)[None, None]
    return resized(resized(ones, side * factor, side), side, side)[0, 0]
