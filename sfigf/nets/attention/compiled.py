"""The compiled kernels as an autograd function; importing this module imports numba."""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sfigf.nets.attention import kernels
from sfigf.nets.attention.windows import axis_windows


class CompiledAttention(torch.autograd.Function):
    """``apply(query, key, value, bias or None, kernel, dilation)`` for float32 and float64 on the CPU."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, kernel: int, dilation: int
    ) -> Tensor:
        table = bias if bias is not None else query.new_zeros(query.shape[1], 2 * kernel - 1, 2 * kernel - 1)
        out = _empty_like(query)
        batch, heads, _, height, width = query.shape
        statistics = query.new_empty(batch, heads, 2, height, width)
        inputs = (query, key, value, table.contiguous())
        _over_tasks("forward", inputs, kernel, dilation, (out, statistics))
        log_total = statistics[:, :, :1] + statistics[:, :, 1:].log2()
        ctx.save_for_backward(*inputs, out, log_total)
        ctx.kernel, ctx.dilation, ctx.has_bias = kernel, dilation, bias is not None
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, out, log_total = ctx.saved_tensors
        query, key, value, table = inputs
        grad_query, grad_key, grad_value = _empty_like(query), _empty_like(key).zero_(), _empty_like(value).zero_()
        grad_bias = table.new_zeros(query.shape[1] * query.shape[0], *table.shape[1:])
        product = (out * gradient).sum(dim=2, keepdim=True)
        outputs = (log_total, product, gradient, grad_query, grad_key, grad_value, grad_bias)
        _over_tasks("backward", inputs, ctx.kernel, ctx.dilation, outputs)
        by_head = grad_bias.unflatten(0, (query.shape[1], query.shape[0])).sum(dim=1)
        return grad_query, grad_key, grad_value, by_head if ctx.has_bias else None, None, None


def prepare(dtype: torch.dtype) -> None:
    """Compile both directions for a dtype, or load them from the disk."""
    for direction in ("forward", "backward"):
        _kernel(direction, dtype)


def _kernel(direction: str, dtype: torch.dtype) -> Callable[..., None]:
    return kernels.compiled(direction, str(dtype).removeprefix("torch."))


def _empty_like(features: Tensor) -> Tensor:
    """Features of the same shape with pixels or channels lying together, whichever they do in ``features``."""
    if features.stride(-1) == 1:
        return features.new_empty(features.shape)
    batch, heads, channels, height, width = features.shape
    return features.new_empty(batch, height, width, heads, channels).permute(0, 3, 4, 1, 2)


def _over_tasks(
    direction: str, inputs: tuple[Tensor, ...], kernel: int, dilation: int, outputs: tuple[Tensor, ...]
) -> None:
    """Call a kernel over all tasks, split among as many threads as torch uses; the split changes no result."""
    batch, heads, _, height, width = inputs[1].shape
    run = _kernel(direction, inputs[0].dtype)
    rows, columns = (axis_windows(length, kernel, dilation) for length in (height, width))
    arrays = [tensor.detach().numpy() for tensor in inputs]
    windows = (rows.first, columns.first.astype(np.uint64), columns.bias.astype(np.uint64), dilation)
    results = [tensor.detach().numpy() for tensor in outputs]
    tasks = batch * heads * (dilation if direction == "forward" else 1)
    threads = min(torch.get_num_threads(), tasks)
    if threads == 1:
        run(*arrays, *windows, 0, tasks, *results)
        return
    bounds = np.linspace(0, tasks, threads + 1).astype(int).tolist()
    parts = [
        _pool(threads).submit(run, *arrays, *windows, start, stop, *results)
        for start, stop in itertools.pairwise(bounds)
    ]
    for part in parts:
        part.result()


@functools.lru_cache(maxsize=4)
def _pool(threads: int) -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="attention")
