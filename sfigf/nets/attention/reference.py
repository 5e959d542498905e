"""Neighbourhood attention as one would explain it: two forms that are slow and obvious, to check the fast ones with."""

from __future__ import annotations

import torch
from torch import Tensor

from sfigf.nets.attention.windows import axis_windows


def reference_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, *, kernel: int = 7, dilation: int = 3
) -> Tensor:
    """Attend pixel by pixel; arguments and result as in ``neighbourhood_attention``."""
    height, width = query.shape[-2:]
    rows, columns = (axis_windows(length, kernel, dilation) for length in key.shape[-2:])
    scale = query.shape[2] ** -0.5
    restored = torch.empty_like(query)
    for y in range(height):
        for x in range(width):
            window_y = slice(rows.first[y], rows.first[y] + kernel * dilation, dilation)
            window_x = slice(columns.first[x], columns.first[x] + kernel * dilation, dilation)
            keys, values = key[..., window_y, window_x], value[..., window_y, window_x]
            logits = (query[..., y, x, None, None] * scale * keys).sum(dim=2)
            if bias is not None:
                bias_y, bias_x = int(rows.bias[y]), int(columns.bias[x])
                logits = logits + bias[:, bias_y : bias_y + kernel, bias_x : bias_x + kernel]
            weights = logits.flatten(2).softmax(dim=-1).unflatten(2, (kernel, kernel))
            restored[..., y, x] = (weights.unsqueeze(2) * values).sum(dim=(-2, -1))
    return restored


def gathered_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, *, kernel: int = 7, dilation: int = 3
) -> Tensor:
    """Attend with every key and value gathered first (kernel^2 copies of the features): the form most code uses."""
    height, width = query.shape[-2:]
    steps = torch.arange(kernel)
    (row, row_bias), (column, column_bias) = (
        (
            torch.from_numpy(axis.first[:queries])[:, None] + dilation * steps,
            torch.from_numpy(axis.bias[:queries])[:, None] + steps,
        )
        for queries, axis in zip(
            (height, width), (axis_windows(length, kernel, dilation) for length in key.shape[-2:]), strict=True
        )
    )
    window = (row[:, None, :, None], column[None, :, None, :])
    keys, values = key[..., window[0], window[1]], value[..., window[0], window[1]]  # (b, heads, d, H, W, k, k)
    logits = torch.einsum("bndhw,bndhwij->bnhwij", query * query.shape[2] ** -0.5, keys)
    if bias is not None:
        logits = logits + bias[:, row_bias[:, None, :, None], column_bias[None, :, None, :]]
    weights = logits.flatten(-2).softmax(dim=-1).unflatten(-1, (kernel, kernel))
    return torch.einsum("bnhwij,bndhwij->bndhw", weights, values)
