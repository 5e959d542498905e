"""Neighbourhood attention with ``torch.nn.functional.unfold``: how one writes it without a library for it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sfigf.nets.attention.windows import axis_windows


def unfold_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, *, kernel: int = 7, dilation: int = 3
) -> Tensor:
    """Attend to windows cut out by ``unfold``; arguments and result as ``neighbourhood_attention``.

    The dilated unfold makes every window that lies inside the image. Near a border several queries share one, so the
    windows are handed out by the index of their first pixel.
    """
    rows, columns = (axis_windows(length, kernel, dilation) for length in key.shape[-2:])
    steps = torch.arange(kernel)
    first = [
        torch.from_numpy(axis.first[:count]) for axis, count in zip((rows, columns), query.shape[-2:], strict=True)
    ]
    keys, values = (_windows(features, kernel, dilation, *first) for features in (key, value))
    logits = torch.einsum("bndhw,bndthw->bnthw", query * query.shape[2] ** -0.5, keys)
    if bias is not None:
        row, column = (
            torch.from_numpy(axis.bias[:count])[None, :] + steps[:, None]
            for axis, count in zip((rows, columns), query.shape[-2:], strict=True)
        )
        logits = logits + bias[:, row[:, None, :, None], column[None, :, None, :]].flatten(1, 2)
    return torch.einsum("bnthw,bndthw->bndhw", logits.softmax(dim=2), values)


def _windows(features: Tensor, kernel: int, dilation: int, first_row: Tensor, first_column: Tensor) -> Tensor:
    """(b, n, d, taps, h, w): the window of every query."""
    height, width = (side - (kernel - 1) * dilation for side in features.shape[-2:])
    cut = functional.unfold(features.flatten(0, 1), kernel, dilation=dilation)
    inside = cut.unflatten(1, (features.shape[2], kernel * kernel)).unflatten(-1, (height, width))
    return inside[..., first_row[:, None], first_column].unflatten(0, features.shape[:2])
