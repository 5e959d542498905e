"""Neighbourhood attention compiled by numba, for CPUs: float32 and float64.

A task is one dilation phase of rows of one head of one sample. Its rows share their windows, so that nothing is
written twice and the result does not depend on the number of threads. All inner loops run along a lane: a block of
columns. Each key row is laid out once per tap column ("spread"), after which queries, keys and logits stand in line,
borders included. The forward pass keeps the log-sum-exp, the backward pass recomputes the logits from it.

Lanes lie in flat arrays at distances the compiler knows (multiples of LANE): only then does it vectorise. Logits are in
units of ln 2, which makes the exponential cheap.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANE = 64
LOG2_E = 1 / math.log(2)
_ROUND = 32  # a lane is worked off in whole vectors; what lies behind its end is finite and never read
_JIT: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}


@intrinsic
def _bits(context, value):  # type: ignore[no-untyped-def]
    """Reinterpret a float as the integer of its size, or back."""
    numba_type, llvm_type = {
        types.float32: (types.int32, ir.IntType(32)),
        types.float64: (types.int64, ir.IntType(64)),
        types.int32: (types.float32, ir.FloatType()),
        types.int64: (types.float64, ir.DoubleType()),
    }[value]

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], llvm_type)

    return numba_type(value), generate


def _exp2(x: float) -> float:
    """2^x for x <= 0 in steps that vectorise: 2^n by the exponent bits, 2^r, |r| <= 1/2, by Taylor."""
    return 2.0**x


@overload(_exp2, inline="always")
def _exp2_typed(x):  # type: ignore[no-untyped-def]
    single = x == types.float32
    real, whole = (np.float32, np.int32) if single else (np.float64, np.int64)
    lowest, mantissa = (real(-126), 23) if single else (real(-1022), 52)
    magic, shift = real(1.5 * 2**mantissa), whole(mantissa)  # adding it leaves the rounded x in the lowest bits
    c = tuple(real(math.log(2) ** n / math.factorial(n)) for n in range(14))
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = c

    def power_single(x):  # type: ignore[no-untyped-def]
        x = x if x > lowest else lowest
        turned = x + magic
        r = x - (turned - magic)
        p = (((((c6 * r + c5) * r + c4) * r + c3) * r + c2) * r + c1) * r + c0
        return _bits(whole(_bits(p) + whole(_bits(turned) << shift)))

    def power_double(x):  # type: ignore[no-untyped-def]
        x = x if x > lowest else lowest
        turned = x + magic
        r = x - (turned - magic)
        p = ((((((c13 * r + c12) * r + c11) * r + c10) * r + c9) * r + c8) * r + c7) * r
        p = (((((((p + c6) * r + c5) * r + c4) * r + c3) * r + c2) * r + c1) * r) + c0
        return _bits(whole(_bits(p) + whole(_bits(turned) << shift)))

    return power_single if single else power_double


@numba.njit(**_JIT)
def _spread(row, line, first, margin, dilation, left, right, lanes, at, step):  # type: ignore[no-untyped-def]
    """lanes[at + j step + c LANE + x - left] = row[c, key j of query x] for left <= x < right; ``line`` is scratch."""
    channels, width = row.shape
    for x in range(width):
        for c in range(channels):
            line[c * width + x] = row[c, x]
    inner, outer = min(max(left, margin), right), max(min(right, width - margin), left)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            ahead, here = c * width + j * dilation, at + j * step + c * LANE - left
            for x in range(left, inner):
                lanes[here + x] = line[ahead + first[x]]
            for x in range(inner, outer):
                lanes[here + x] = line[ahead - margin + x]
            for x in range(outer, right):
                lanes[here + x] = line[ahead + first[x]]


@numba.njit(**_JIT)
def _collect(row, line, first, margin, dilation, left, right, lanes, at, step, scale):  # type: ignore[no-untyped-def]
    """Add spread gradients, times ``scale``, to the row they belong to, and clear their lanes."""
    channels, width = row.shape
    line[:] = 0
    inner, outer = min(max(left, margin), right), max(min(right, width - margin), left)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            ahead, here = c * width + j * dilation, at + j * step + c * LANE - left
            for x in range(left, inner):
                line[ahead + first[x]] += lanes[here + x]
            for x in range(inner, outer):
                line[ahead - margin + x] += lanes[here + x]
            for x in range(outer, right):
                line[ahead + first[x]] += lanes[here + x]
            lanes[here + left : here + left + LANE] = 0
    for x in range(width):
        for c in range(channels):
            row[c, x] += line[c * width + x] * scale


@numba.njit(**_JIT)
def _spread_bias(table, column_bias, left, right, lanes, step):  # type: ignore[no-untyped-def]
    """Lane (i, j) of the bias: row i of the table at key column j of each query, in units of ln 2."""
    kernel = (table.shape[0] + 1) // 2
    for i in range(table.shape[0]):
        for j in range(kernel):
            for x in range(left, right):
                lanes[(i * kernel + j) * step + x - left] = table[i, column_bias[x] + j] * LOG2_E


@numba.njit(**_JIT)
def _forward_row(query, ring, bias, above, start, kernel, channels, logits, state, count):  # type: ignore[no-untyped-def]
    """Attend for one row of queries. state: lanes of the maximum, the total, and the weighted values by channel."""
    for x in range(count):
        state[x] = -np.inf
    for i in range(kernel):
        for j in range(kernel):
            key = ((start + i) % kernel * kernel + j) * 2 * channels * LANE
            at, out = ((above + i) * kernel + j) * LANE, (i * kernel + j) * LANE
            if channels == 1:
                for x in range(count):
                    logit = bias[at + x] + query[x] * ring[key + x]
                    logits[out + x] = logit
                    state[x] = logit if logit > state[x] else state[x]
            elif channels == 2:
                for x in range(count):
                    logit = bias[at + x] + query[x] * ring[key + x] + query[LANE + x] * ring[key + LANE + x]
                    logits[out + x] = logit
                    state[x] = logit if logit > state[x] else state[x]
            else:
                _dot(query, ring, key, bias, at, channels, logits, out, count)
                for x in range(count):
                    state[x] = logits[out + x] if logits[out + x] > state[x] else state[x]
    state[LANE : (2 + channels) * LANE] = 0
    for i in range(kernel):
        for j in range(kernel):
            value = (((start + i) % kernel * kernel + j) * 2 + 1) * channels * LANE
            out = (i * kernel + j) * LANE
            if channels == 1:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    state[LANE + x] += weight
                    state[2 * LANE + x] += weight * ring[value + x]
            elif channels == 2:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    state[LANE + x] += weight
                    state[2 * LANE + x] += weight * ring[value + x]
                    state[3 * LANE + x] += weight * ring[value + LANE + x]
            else:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    logits[out + x] = weight
                    state[LANE + x] += weight
                _mix(logits, out, ring, value, channels, state, 2 * LANE, count)


@numba.njit(**_JIT)
def _dot(query, ring, key, bias, at, channels, logits, out, count):  # type: ignore[no-untyped-def]
    """logits = bias + sum over channels of query * key, two channels at a time."""
    odd = channels % 2
    for x in range(count):
        logits[out + x] = bias[at + x]
    if odd:
        for x in range(count):
            logits[out + x] += query[x] * ring[key + x]
    for c in range(odd, channels, 2):
        q, k = c * LANE, key + c * LANE
        for x in range(count):
            logits[out + x] += query[q + x] * ring[k + x] + query[q + LANE + x] * ring[k + LANE + x]


@numba.njit(**_JIT)
def _mix(weights, at, vectors, vector, channels, total, into, count):  # type: ignore[no-untyped-def]
    """total[c] += weights * vectors[c], two channels at a time."""
    odd = channels % 2
    if odd:
        for x in range(count):
            total[into + x] += weights[at + x] * vectors[vector + x]
    for c in range(odd, channels, 2):
        v, t = vector + c * LANE, into + c * LANE
        for x in range(count):
            total[t + x] += weights[at + x] * vectors[v + x]
            total[t + LANE + x] += weights[at + x] * vectors[v + LANE + x]


@numba.njit(**_JIT)
def _backward_row(ring, bias, above, start, kernel, channels, state, scratch, count):  # type: ignore[no-untyped-def]
    """Gradients for one row of queries.

    state: lanes of the log-total, the product of output and its gradient, then by channel the query, the arriving
    gradient and the query's gradient. ring: by slot and tap column the lanes of keys, values and both their gradients.
    bias: by table row and tap column the lanes of the bias and its gradient.
    """
    for i in range(kernel):
        for j in range(kernel):
            key = ((start + i) % kernel * kernel + j) * 4 * channels * LANE
            at = ((above + i) * kernel + j) * 2 * LANE
            if channels == 1:
                for x in range(count):
                    logit = bias[at + x] + state[2 * LANE + x] * ring[key + x]
                    weight = _exp2(logit - state[x])
                    slope = weight * (state[3 * LANE + x] * ring[key + LANE + x] - state[LANE + x])
                    bias[at + LANE + x] += slope
                    ring[key + 2 * LANE + x] += slope * state[2 * LANE + x]
                    ring[key + 3 * LANE + x] += weight * state[3 * LANE + x]
                    state[4 * LANE + x] += slope * ring[key + x]
            elif channels == 2:
                for x in range(count):
                    logit = bias[at + x] + state[2 * LANE + x] * ring[key + x] + state[3 * LANE + x] * ring[key + LANE + x]
                    weight = _exp2(logit - state[x])
                    slope = state[4 * LANE + x] * ring[key + 2 * LANE + x] - state[LANE + x]
                    slope = weight * (slope + state[5 * LANE + x] * ring[key + 3 * LANE + x])
                    bias[at + LANE + x] += slope
                    ring[key + 4 * LANE + x] += slope * state[2 * LANE + x]
                    ring[key + 5 * LANE + x] += slope * state[3 * LANE + x]
                    ring[key + 6 * LANE + x] += weight * state[4 * LANE + x]
                    ring[key + 7 * LANE + x] += weight * state[5 * LANE + x]
                    state[6 * LANE + x] += slope * ring[key + x]
                    state[7 * LANE + x] += slope * ring[key + LANE + x]
            else:
                _backward_tap(ring, key, bias, at, channels, state, scratch, count)


@numba.njit(**_JIT)
def _backward_tap(ring, key, bias, at, channels, state, scratch, count):  # type: ignore[no-untyped-def]
    """One tap of ``_backward_row`` for any number of channels."""
    block = channels * LANE
    query, arriving, leaving = 2 * LANE, 2 * LANE + block, 2 * LANE + 2 * block
    odd = channels % 2
    for x in range(count):
        scratch[x] = bias[at + x] - state[x]
        scratch[LANE + x] = -state[LANE + x]
    if odd:
        for x in range(count):
            scratch[x] += state[query + x] * ring[key + x]
            scratch[LANE + x] += state[arriving + x] * ring[key + block + x]
    for c in range(odd * LANE, block, 2 * LANE):
        q, a, k, v = query + c, arriving + c, key + c, key + block + c
        for x in range(count):
            scratch[x] += state[q + x] * ring[k + x] + state[q + LANE + x] * ring[k + LANE + x]
            scratch[LANE + x] += state[a + x] * ring[v + x] + state[a + LANE + x] * ring[v + LANE + x]
    for x in range(count):
        weight = _exp2(scratch[x])
        slope = weight * scratch[LANE + x]
        scratch[x] = weight
        scratch[LANE + x] = slope
        bias[at + LANE + x] += slope
    _mix(scratch, LANE, ring, key, channels, state, leaving, count)
    _mix(scratch, LANE, state, query, channels, ring, key + 2 * block, count)
    _mix(scratch, 0, state, arriving, channels, ring, key + 3 * block, count)


def forward(query, key, value, bias, first_row, first_column, column_bias, dilation, begin, end, out, log_total):  # type: ignore[no-untyped-def]
    """Compute the tasks begin..end-1 of (b, heads, d, H, W) features into ``out`` and ``log_total``."""
    _, heads, channels, height, width = query.shape
    kernel = (bias.shape[1] + 1) // 2
    margin, half, step = kernel // 2 * dilation, channels * LANE, 2 * channels * LANE
    dtype = query.dtype
    scale = dtype.type(LOG2_E / np.sqrt(channels))
    ring, line = np.zeros(kernel * kernel * step, dtype), np.empty(channels * width, dtype)
    biases, logits = np.zeros((2 * kernel - 1) * kernel * LANE, dtype), np.zeros(kernel * kernel * LANE, dtype)
    scaled, state = np.zeros(channels * LANE, dtype), np.zeros((2 + channels) * LANE, dtype)
    for task in range(begin, end):
        sample, head, phase = task // dilation // heads, task // dilation % heads, task % dilation
        for left in range(0, width, LANE):
            right = min(left + LANE, width)
            count = (right - left + _ROUND - 1) // _ROUND * _ROUND
            _spread_bias(bias[head], column_bias, left, right, biases, LANE)
            loaded = 0
            for y in range(phase, height, dilation):
                start = first_row[y] // dilation
                for p in range(loaded, start + kernel):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    for features, at in ((key, slot), (value, slot + half)):
                        line_of = features[sample, head, :, row]
                        _spread(line_of, line, first_column, margin, dilation, left, right, ring, at, step)
                loaded = max(loaded, start + kernel)
                for x in range(left, right):
                    for c in range(channels):
                        scaled[c * LANE + x - left] = query[sample, head, c, y, x] * scale
                above = start - y // dilation + kernel - 1
                _forward_row(scaled, ring, biases, above, start, kernel, channels, logits, state, count)
                for x in range(right - left):
                    log_total[sample, head, y, left + x] = state[x] + np.log2(state[LANE + x])
                    share = 1 / state[LANE + x]
                    for c in range(channels):
                        out[sample, head, c, y, left + x] = state[(2 + c) * LANE + x] * share


def backward(  # type: ignore[no-untyped-def]
    query, key, value, bias, first_row, first_column, column_bias, dilation, begin, end, out, log_total,
    gradient, grad_query, grad_key, grad_value, grad_bias,
):  # fmt: skip
    """Compute the gradients of the tasks begin..end-1; all but grad_query must come in as zeros."""
    _, heads, channels, height, width = query.shape
    kernel = (bias.shape[1] + 1) // 2
    margin, block, step = kernel // 2 * dilation, channels * LANE, 4 * channels * LANE
    dtype = query.dtype
    scale, one, natural = dtype.type(LOG2_E / np.sqrt(channels)), dtype.type(1), dtype.type(1 / LOG2_E)
    ring, line = np.zeros(kernel * kernel * step, dtype), np.empty(channels * width, dtype)
    biases = np.zeros((2 * kernel - 1) * kernel * 2 * LANE, dtype)
    state, scratch = np.zeros((2 + 3 * channels) * LANE, dtype), np.zeros(2 * LANE, dtype)
    for task in range(begin, end):
        sample, head, phase = task // dilation // heads, task // dilation % heads, task % dilation
        for left in range(0, width, LANE):
            right = min(left + LANE, width)
            count = (right - left + _ROUND - 1) // _ROUND * _ROUND
            _spread_bias(bias[head], column_bias, left, right, biases, 2 * LANE)
            loaded = 0
            for y in range(phase, height, dilation):
                start = first_row[y] // dilation
                for p in range(loaded, start + kernel):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    if p >= kernel:
                        old = row - kernel * dilation
                        _collect(grad_key[sample, head, :, old], line, first_column, margin, dilation, left, right, ring, slot + 2 * block, step, natural)
                        _collect(grad_value[sample, head, :, old], line, first_column, margin, dilation, left, right, ring, slot + 3 * block, step, one)
                    _spread(key[sample, head, :, row], line, first_column, margin, dilation, left, right, ring, slot, step)
                    _spread(value[sample, head, :, row], line, first_column, margin, dilation, left, right, ring, slot + block, step)
                loaded = max(loaded, start + kernel)
                state[LANE : 2 * LANE] = 0
                state[2 * LANE + 2 * block :] = 0
                for x in range(right - left):
                    state[x] = log_total[sample, head, y, left + x]
                    for c in range(channels):
                        arriving = gradient[sample, head, c, y, left + x]
                        state[2 * LANE + c * LANE + x] = query[sample, head, c, y, left + x] * scale
                        state[2 * LANE + block + c * LANE + x] = arriving
                        state[LANE + x] += arriving * out[sample, head, c, y, left + x]
                above = start - y // dilation + kernel - 1
                _backward_row(ring, biases, above, start, kernel, channels, state, scratch, count)
                for x in range(right - left):
                    for c in range(channels):
                        grad_query[sample, head, c, y, left + x] = state[2 * LANE + 2 * block + c * LANE + x] * scale * natural
            for p in range(loaded - kernel, loaded):
                row, slot = phase + p * dilation, p % kernel * kernel * step
                _collect(grad_key[sample, head, :, row], line, first_column, margin, dilation, left, right, ring, slot + 2 * block, step, natural)
                _collect(grad_value[sample, head, :, row], line, first_column, margin, dilation, left, right, ring, slot + 3 * block, step, one)
            for i in range(2 * kernel - 1):
                for j in range(kernel):
                    at = (i * kernel + j) * 2 * LANE + LANE
                    for x in range(left, right):
                        grad_bias[task, i, column_bias[x] + j] += biases[at + x - left]
                    biases[at : at + LANE] = 0


@functools.cache
def compiled(direction: str, dtype: str) -> Callable[..., None]:
    """Return ``forward`` or ``backward`` compiled for a dtype; features may have any strides, so that one build serves."""
    real = numba.from_dtype(np.dtype(dtype))
    features, plane, table = types.Array(real, 5, "A"), real[:, :, :, ::1], real[:, :, ::1]
    axis, number = types.int64[::1], types.int64
    arguments = [features, features, features, table, axis, axis, axis, number, number, number, features, plane]
    if direction == "forward":
        return numba.njit(types.void(*arguments), **_JIT)(forward)
    return numba.njit(types.void(*arguments, *[features] * 4, table), **_JIT)(backward)
