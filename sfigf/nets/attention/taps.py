"""Neighbourhood attention in PyTorch alone: any device, any floating type.

The image is cut into blocks. Within one, away from the borders, all queries look at keys at the same distance: those of
a tap are a view, nothing is gathered. Near a border windows shift, and keys are gathered along that axis. The taps of a
column are computed together, with a running maximum from column to column; the backward pass recomputes the logits from
the saved log-sum-exp, so that memory stays a few copies of the features (FlashAttention's idea, Dao et al. 2022).
Gradients are scattered run by run, never by atomics, so that equal inputs give equal bytes.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from sfigf.nets.attention.spans import Span, spans

_BLOCK_VALUES = 2**19  # of the features of a block: on a CPU it stays in cache


class _Block:
    """The queries of some rows and columns.

    Args:
        rows: The rows.
        columns: The columns.
    """

    def __init__(self, rows: Span, columns: Span) -> None:
        self.rows, self.columns = rows, columns

    def of(self, features: Tensor) -> Tensor:
        """Cut the block's queries out of (..., H, W), as a view."""
        return features.narrow(-2, self.rows.start, self.rows.length).narrow(
            -1, self.columns.start, self.columns.length
        )

    def column(self, features: Tensor, j: int) -> list[Tensor]:
        """Keys or values (b, heads, d, h, w) of all taps (i, j) of a column."""
        seen = self.columns.gather(features, j, -1)
        return [self.rows.gather(seen, i, -2) for i in range(self.rows.kernel)]

    def logits(self, scaled: Tensor, keys: list[Tensor], bias: Tensor | None, j: int) -> Tensor:
        """(kernel, b, heads, h, w), in float32 at least."""
        precise = torch.promote_types(scaled.dtype, torch.float32)
        logits = torch.stack([(scaled * key).sum(dim=2, dtype=precise) for key in keys])
        if bias is not None:
            for i, plane in enumerate(logits):
                plane += bias[:, self.rows.bias[i][:, None], self.columns.bias[j]]
        return logits

    def collector(self, gradient: Tensor, j: int) -> Tensor:
        """Where a column of taps adds up gradients of (b, heads, d, H, W) keys: a view, or zeros to ``spread``."""
        if self.columns.even:
            return self.columns.gather(gradient, j, -1)
        return gradient.new_zeros(*gradient.shape[:-1], self.columns.length)

    def collect(self, collected: Tensor, gradient: Tensor, i: int) -> None:
        """Add each query's gradient to the row of its key of tap (i, j)."""
        for top, bottom, row in self.rows.runs(i):
            goal = collected.narrow(-2, row, bottom - top)
            goal += gradient[..., top:bottom, :]

    def spread(self, collected: Tensor, into: Tensor, j: int) -> None:
        """Add to the columns of the keys what was collected apart from them."""
        for left, right, column in () if self.columns.even else self.columns.runs(j):
            goal = into.narrow(-1, column, right - left)
            goal += collected[..., left:right]

    def bias_gradient(self, slope: Tensor, i: int, j: int) -> Tensor:
        """(heads, 2 * kernel - 1, 2 * kernel - 1) sums by entry of the slopes (heads, h, w) of a tap."""
        summed = self.rows.summed(self.columns.summed(slope, -1), -2)
        return self.rows.entries(i, slope.dtype) @ (summed @ self.columns.entries(j, slope.dtype).T)


@functools.lru_cache(maxsize=64)
def _blocks(queries: torch.Size, keys: torch.Size, kernel: int, dilation: int, device: torch.device) -> list[_Block]:
    """Cut the queries (b, heads, d, h, w) into blocks; on a CPU small ones, elsewhere as few as there can be."""
    batch, heads, channels, height, width = queries
    columns = spans(keys[-1], width, kernel, dilation, device)
    few = max(1, _BLOCK_VALUES // (batch * heads * channels * width)) if device.type == "cpu" else height
    return [_Block(r, c) for r in spans(keys[-2], height, kernel, dilation, device, few) for c in columns]


class TapAttention(torch.autograd.Function):
    """``apply(query, key, value, bias or None, kernel, dilation)``; query is scaled inside."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, kernel: int, dilation: int
    ) -> Tensor:
        precise = torch.promote_types(query.dtype, torch.float32)
        scaled, key, value = _planar(query * query.shape[2] ** -0.5, key, value)
        restored = torch.zeros_like(scaled, dtype=precise)
        log_total = torch.empty_like(query[:, :, 0], dtype=precise)
        for block in _blocks(query.shape, key.shape, kernel, dilation, query.device):
            log_total_of = _attend(block, block.of(scaled), key, value, bias, block.of(restored))
            block.of(log_total).copy_(log_total_of)
        restored = restored.to(value.dtype)
        ctx.save_for_backward(query, key, value, bias, restored, log_total)
        ctx.kernel, ctx.dilation = kernel, dilation
        return restored

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias, restored, log_total = ctx.saved_tensors
        scale, precise = query.shape[2] ** -0.5, log_total.dtype
        product = (gradient.to(precise) * restored).sum(dim=2)
        scaled, key, value, gradient = _planar(query * scale, key, value, gradient)
        inputs = (scaled, key, value, bias, gradient, product, log_total)
        grads = [torch.zeros_like(t, dtype=precise) for t in (scaled, key, value)]
        grad_bias = None if bias is None else torch.zeros_like(bias, dtype=precise)
        for block in _blocks(query.shape, key.shape, ctx.kernel, ctx.dilation, query.device):
            for j in range(ctx.kernel):
                _backward_column(block, j, inputs, grads, grad_bias)
        grads[0] *= scale
        return (
            *(g.to(t.dtype) for g, t in zip(grads, (query, key, value), strict=True)),
            None if grad_bias is None or bias is None else grad_bias.to(bias.dtype),
            None,
            None,
        )


def _planar(*features: Tensor) -> list[Tensor]:
    """Lay the pixels of each channel together: a sum over channels is then one of whole planes."""
    return [tensor.contiguous() for tensor in features]


def _attend(block: _Block, scaled: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, restored: Tensor) -> Tensor:
    """Restore a block's queries, which come in as zeros; return their log-sum-exp (b, heads, h, w)."""
    largest = torch.full_like(restored[:, :, 0], -torch.inf)
    total = torch.zeros_like(largest)
    for j in range(block.rows.kernel):
        logits = block.logits(scaled, block.column(key, j), bias, j)
        higher = torch.maximum(largest, logits.amax(dim=0))
        fade, weights = torch.exp(largest - higher), logits.sub_(higher).exp_()
        total = total * fade + weights.sum(dim=0)
        restored *= fade.unsqueeze(2)
        for weight, values in zip(weights, block.column(value, j), strict=True):
            restored.addcmul_(weight.unsqueeze(2), values.to(restored.dtype))
        largest = higher
    restored /= total.unsqueeze(2)
    return largest + total.log()


def _backward_column(
    block: _Block, j: int, inputs: tuple[Any, ...], grads: list[Tensor], grad_bias: Tensor | None
) -> None:
    """Add what the taps of a column give to the gradients of query, key and value, and of the bias."""
    scaled, key, value, bias, gradient, product, log_total = inputs
    scaled, gradient, product, log_total = (block.of(t) for t in (scaled, gradient, product, log_total))
    grad_query = block.of(grads[0])
    key_gradient, value_gradient = (block.collector(grad, j) for grad in grads[1:])
    keys = block.column(key, j)
    weights = block.logits(scaled, keys, bias, j).sub_(log_total).exp_()
    for i, (weight, seen, values) in enumerate(zip(weights, keys, block.column(value, j), strict=True)):
        slope = weight * ((gradient * values).sum(dim=2, dtype=weight.dtype) - product)
        grad_query.addcmul_(slope.unsqueeze(2), seen.to(slope.dtype))
        block.collect(key_gradient, slope.unsqueeze(2) * scaled, i)
        block.collect(value_gradient, weight.unsqueeze(2) * gradient, i)
        if grad_bias is not None:
            grad_bias += block.bias_gradient(slope.sum(dim=0), i, j)
    block.spread(key_gradient, grads[1], j)
    block.spread(value_gradient, grads[2], j)
