"""Neighbourhood attention in PyTorch alone, one window tap at a time: any device, any floating type.

Two passes over the taps with a running maximum; the backward pass recomputes the logits from the saved log-sum-exp,
so that memory stays a few copies of the features (FlashAttention's idea, Dao et al. 2022). Keys are gathered along one
axis at a time; gradients are scattered run by run, never by atomics, so that equal inputs give equal bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from sfigf.nets.attention.windows import Axis, axis_windows


class _Windows:
    """Gathers and scatters between queries and keys of one size each on one device."""

    def __init__(self, queries: torch.Size, keys: torch.Size, kernel: int, dilation: int, device: torch.device) -> None:
        self.kernel, self.dilation = kernel, dilation
        self.rows, self.columns = (
            axis_windows(length, kernel, dilation).part(count) for length, count in zip(keys, queries, strict=True)
        )
        steps = torch.arange(kernel)[:, None]
        self.row_keys, self.column_keys, self.row_bias, self.column_bias = (
            (torch.from_numpy(first) + step * steps).to(device)
            for first, step in (
                (self.rows.first, dilation),
                (self.columns.first, dilation),
                (self.rows.bias, 1),
                (self.columns.bias, 1),
            )
        )

    def taps(self) -> Iterator[tuple[int, int]]:
        """All (row, column) taps, columns outermost so that one column gather serves ``kernel`` taps."""
        return ((i, j) for j in range(self.kernel) for i in range(self.kernel))

    def bias_plane(self, bias: Tensor, i: int, j: int) -> Tensor:
        """(heads, H, W) bias of tap (i, j)."""
        return bias[:, self.row_bias[i][:, None], self.column_bias[j][None, :]]

    def bias_gradient(self, slope: Tensor, i: int, j: int) -> Tensor:
        """(heads, 2 * kernel - 1, 2 * kernel - 1) sums of the slopes (heads, H, W) of tap (i, j) by entry of the table.

        Two products with matrices of 0 and 1: rows are summed, then columns.
        """
        entries = torch.arange(2 * self.kernel - 1, device=slope.device)
        rows = (self.row_bias[i] == entries[:, None]).to(slope.dtype)
        columns = (self.column_bias[j][:, None] == entries).to(slope.dtype)
        return rows @ (slope @ columns)

    def scatter(self, into: Tensor, gradient: Tensor, axis: Axis, tap: int, dim: int) -> None:
        """Add each query's gradient to the key it looked at along ``dim``."""
        for start, stop, shift in axis.runs.tolist():
            goal = into.narrow(dim, start + shift + tap * self.dilation, stop - start)
            goal += gradient.narrow(dim, start, stop - start)


@functools.lru_cache(maxsize=64)
def _windows(queries: torch.Size, keys: torch.Size, kernel: int, dilation: int, device: torch.device) -> _Windows:
    return _Windows(queries, keys, kernel, dilation, device)


class TapAttention(torch.autograd.Function):
    """``apply(query, key, value, bias or None, kernel, dilation)``; query is scaled inside."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, kernel: int, dilation: int
    ) -> Tensor:
        windows = _windows(query.shape[-2:], key.shape[-2:], kernel, dilation, query.device)
        precise = torch.promote_types(query.dtype, torch.float32)
        scaled = query * query.shape[2] ** -0.5
        largest = torch.full_like(query[:, :, 0], -torch.inf, dtype=precise)
        total = torch.zeros_like(largest)
        restored = torch.zeros_like(query, dtype=precise)
        for logits, _, values, _ in _logits(windows, scaled, key, value, bias):
            higher = torch.maximum(largest, logits)
            fade, weight = torch.exp(largest - higher), torch.exp(logits - higher)
            total = total * fade + weight
            restored = restored * fade.unsqueeze(2) + weight.unsqueeze(2) * values
            largest = higher
        restored = (restored / total.unsqueeze(2)).to(value.dtype)
        ctx.save_for_backward(query, key, value, bias, restored, largest + total.log())
        ctx.kernel, ctx.dilation = kernel, dilation
        return restored

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias, restored, log_total = ctx.saved_tensors
        windows = _windows(query.shape[-2:], key.shape[-2:], ctx.kernel, ctx.dilation, query.device)
        scale = query.shape[2] ** -0.5
        scaled = query * scale
        precise = log_total.dtype
        product = (gradient.to(precise) * restored).sum(dim=2)
        grad_query, grad_key, grad_value = (torch.zeros_like(t, dtype=precise) for t in (query, key, value))
        grad_bias = None if bias is None else torch.zeros_like(bias, dtype=precise)
        columns = (*key.shape[:-1], query.shape[-1])
        column_key, column_value = grad_key.new_zeros(columns), grad_key.new_zeros(columns)
        for logits, keys, values, (i, j) in _logits(windows, scaled, key, value, bias):
            weight = torch.exp(logits - log_total)
            slope = weight * ((gradient * values).sum(dim=2) - product)
            grad_query += slope.unsqueeze(2) * keys
            windows.scatter(column_key, slope.unsqueeze(2) * scaled, windows.rows, i, -2)
            windows.scatter(column_value, weight.unsqueeze(2) * gradient, windows.rows, i, -2)
            if grad_bias is not None:
                grad_bias += windows.bias_gradient(slope.sum(dim=0), i, j)
            if i == windows.kernel - 1:
                windows.scatter(grad_key, column_key, windows.columns, j, -1)
                windows.scatter(grad_value, column_value, windows.columns, j, -1)
                column_key.zero_()
                column_value.zero_()
        grad_query *= scale
        grads = [g.to(t.dtype) for g, t in ((grad_query, query), (grad_key, key), (grad_value, value))]
        return *grads, None if grad_bias is None else grad_bias.to(bias.dtype), None, None


def _logits(
    windows: _Windows, scaled: Tensor, key: Tensor, value: Tensor, bias: Tensor | None
) -> Iterator[tuple[Tensor, Tensor, Tensor, tuple[int, int]]]:
    """Yield logits (b, heads, H, W), keys, values and the tap, in float32 at least."""
    precise = torch.promote_types(scaled.dtype, torch.float32)
    for i, j in windows.taps():
        if i == 0:
            column_keys = key.index_select(-1, windows.column_keys[j])
            column_values = value.index_select(-1, windows.column_keys[j])
        keys = column_keys.index_select(-2, windows.row_keys[i])
        values = column_values.index_select(-2, windows.row_keys[i])
        logits = (scaled * keys).sum(dim=2, dtype=precise)
        if bias is not None:
            logits += windows.bias_plane(bias, i, j)
        yield logits, keys, values, (i, j)
