"""Neighbourhood attention compiled by numba, for CPUs: float32 and float64.

A task is one dilation phase of rows of one head of one sample. Its rows share their windows, so that nothing is
written twice and the result does not depend on the number of threads. The forward pass keeps the log-sum-exp, the
backward pass recomputes the logits from it.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.errors import NumbaIRAssumptionWarning

from sfigf.nets.attention import lanes as _lanes
from sfigf.nets.attention import rows as _rows
from sfigf.nets.attention.lanes import LANE, LOG2_E, ROUND, collect, collect_bias, load, spread, spread_bias, store
from sfigf.nets.attention.rows import backward_row, forward_row


def forward(  # type: ignore[no-untyped-def]
    query, key, value, bias, first_row, first_column, column_bias, dilation, begin, end, out, statistics
):
    """Compute the tasks begin..end-1 of (b, heads, d, h, w) queries and (b, heads, d, H, W) keys into ``out``.

    statistics (b, heads, 2, h, w) receives the maximum of the logits and the sum of 2^(logit - maximum).
    """
    batch, _, channels, height, width = query.shape
    kernel = (bias.shape[1] + 1) // 2
    margin, half, step = kernel // 2 * dilation, channels * LANE, 2 * channels * LANE
    dtype = query.dtype
    scale, one = dtype.type(LOG2_E / np.sqrt(channels)), dtype.type(1)
    ring, line = np.zeros(kernel * kernel * step, dtype), np.empty(channels * key.shape[4], dtype)
    biases, logits = np.zeros((2 * kernel - 1) * kernel * LANE, dtype), np.zeros(kernel * kernel * LANE, dtype)
    scaled, state = np.zeros(channels * LANE, dtype), np.zeros((2 + channels) * LANE, dtype)
    biased = -1
    for task in range(begin, end):
        head, sample, phase = task // dilation // batch, task // dilation % batch, task % dilation
        for left in range(0, width, LANE):
            right = min(left + LANE, width)
            count = (right - left + ROUND - 1) // ROUND * ROUND
            if head != biased or width > LANE:
                spread_bias(bias[head], column_bias, left, right, biases, LANE)
                biased = head
            loaded = 0
            for y in range(phase, height, dilation):
                start = first_row[y] // dilation
                for p in range(loaded, start + kernel):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    for features, at in ((key, slot), (value, slot + half)):
                        line_of = features[sample, head, :, row]
                        spread(line_of, line, first_column, margin, dilation, left, right, ring, at, step)
                loaded = max(loaded, start + kernel)
                load(query[sample, head, :, y], left, right, scaled, 0, scale)
                above = start - y // dilation + kernel - 1
                forward_row(scaled, ring, biases, above, start, kernel, channels, logits, state, count)
                store(state, 2 * LANE, left, right, one, out[sample, head, :, y])
                store(state, 0, left, right, one, statistics[sample, head, :, y])


def backward(  # type: ignore[no-untyped-def]
    query, key, value, bias, first_row, first_column, column_bias, dilation, begin, end, log_total, product,
    gradient, grad_query, grad_key, grad_value, grad_bias,
):  # fmt: skip
    """Compute the gradients of the tasks begin..end-1; all but grad_query must come in as zeros.

    Here a task is all phases of a head of a sample, which owns one table of grad_bias (heads * b, .., ..). log_total
    (b, heads, 1, h, w) is the log-sum-exp in units of ln 2, product of the same shape is output times gradient.
    """
    batch, _, channels, height, width = query.shape
    kernel = (bias.shape[1] + 1) // 2
    margin, block, step = kernel // 2 * dilation, channels * LANE, 4 * channels * LANE
    dtype = query.dtype
    scale, one, natural = dtype.type(LOG2_E / np.sqrt(channels)), dtype.type(1), dtype.type(1 / LOG2_E)
    ring, line = np.zeros(kernel * kernel * step, dtype), np.empty(channels * key.shape[4], dtype)
    biases = np.zeros((2 * kernel - 1) * kernel * 2 * LANE, dtype)
    leaving = 2 * LANE + 2 * block
    state, scratch = np.zeros((2 + 3 * channels) * LANE, dtype), np.zeros(2 * LANE, dtype)
    for task in range(begin, end):
        head, sample = task // batch, task % batch
        grads = ((grad_key[sample, head], 2 * block, natural), (grad_value[sample, head], 3 * block, one))
        for left in range(0, width, LANE):
            right = min(left + LANE, width)
            count = (right - left + ROUND - 1) // ROUND * ROUND
            spread_bias(bias[head], column_bias, left, right, biases, 2 * LANE)
            for phase in range(dilation):
                loaded = 0
                for y in range(phase, height, dilation):
                    start = first_row[y] // dilation
                    for p in range(loaded, start + kernel):
                        row, slot = phase + p * dilation, p % kernel * kernel * step
                        if p >= kernel:
                            for grad, at, factor in grads:
                                collect(
                                    grad[:, row - kernel * dilation], line, first_column, margin, dilation, left, right,
                                    ring, slot + at, step, factor,
                                )  # fmt: skip
                        for features, at in ((key, slot), (value, slot + block)):
                            line_of = features[sample, head, :, row]
                            spread(line_of, line, first_column, margin, dilation, left, right, ring, at, step)
                    loaded = max(loaded, start + kernel)
                    state[leaving:] = 0
                    load(log_total[sample, head, :, y], left, right, state, 0, one)
                    load(product[sample, head, :, y], left, right, state, LANE, one)
                    load(query[sample, head, :, y], left, right, state, 2 * LANE, scale)
                    load(gradient[sample, head, :, y], left, right, state, 2 * LANE + block, one)
                    above = start - y // dilation + kernel - 1
                    backward_row(ring, biases, above, start, kernel, channels, state, scratch, count)
                    store(state, leaving, left, right, scale * natural, grad_query[sample, head, :, y])
                for p in range(loaded - kernel, loaded):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    for grad, at, factor in grads:
                        collect(
                            grad[:, row], line, first_column, margin, dilation, left, right, ring, slot + at, step,
                            factor,
                        )  # fmt: skip
            collect_bias(biases, 2 * LANE, column_bias, left, right, grad_bias[task])


@functools.cache
def compiled(direction: str, dtype: str) -> Callable[..., None]:
    """Return ``forward`` or ``backward`` compiled for a dtype; features may have any strides, one build serves all."""
    real = numba.from_dtype(np.dtype(dtype))
    features, table = types.Array(real, 5, "A"), real[:, :, ::1]
    rows, columns, number = types.int64[::1], types.uint64[::1], types.int64
    arguments = [features, features, features, table, rows, columns, columns, number, number, number]
    if direction == "forward":
        return _build(forward, types.void(*arguments, features, features))
    return _build(backward, types.void(*arguments, *[features] * 6, table))


def _build(function: Callable[..., None], signature: Any) -> Callable[..., None]:
    """Compile, or load from the disk; numba sees only this file change, so the others' digest goes into the name."""
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in (_lanes, _rows))
    function.__qualname__ = f"{function.__name__}_{hashlib.sha256(sources).hexdigest()[:12]}"
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    with warnings.catch_warnings():
        # Numba's remark on temporary variables of its own making: nothing that anyone could mend.
        warnings.simplefilter("ignore", NumbaIRAssumptionWarning)
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except RuntimeError:  # no folder that can be written to
            return numba.njit(signature, **options)(function)
