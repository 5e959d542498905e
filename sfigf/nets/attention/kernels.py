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
_ROUND = 16  # a lane is worked off in whole vectors; what lies behind its end is finite and never read
_JIT: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
# Inner functions allocate nothing, and go without counting references, which would cost more than their loops.
_INNER: dict[str, Any] = {**_JIT, "_nrt": False}


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


@overload(_exp2)
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


@numba.njit(**_INNER)
def _at(index):  # type: ignore[no-untyped-def]
    """An unsigned index: one that may be negative would be wrapped, and the loop not vectorised."""
    return np.uint64(index)


@numba.njit(**_INNER)
def _four(index):  # type: ignore[no-untyped-def]
    """The lanes of four channels."""
    return _at(index), _at(index + LANE), _at(index + 2 * LANE), _at(index + 3 * LANE)


@numba.njit(**_INNER)
def _spread(row, line, first, margin, dilation, left, right, lanes, at, step):  # type: ignore[no-untyped-def]
    """lanes[at + j step + c LANE + x - left] = row[c, key j of query x] for left <= x < right; ``line`` is scratch."""
    channels, width = row.shape
    for x in range(width):
        for c in range(channels):
            line[c * width + x] = row[c, x]
    inner, outer = min(max(left, margin), right), max(min(right, width - margin), left)
    begin, end = _at(inner - left), _at(outer - left)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            ahead, here = c * width + j * dilation, at + j * step + c * LANE
            lane, source = _at(here), _at(ahead - margin + left)
            for x in range(left, inner):
                lanes[here + x - left] = line[ahead + first[x]]
            for x in range(begin, end):
                lanes[lane + x] = line[source + x]
            for x in range(outer, right):
                lanes[here + x - left] = line[ahead + first[x]]


@numba.njit(**_INNER)
def _collect(row, line, first, margin, dilation, left, right, lanes, at, step, scale):  # type: ignore[no-untyped-def]
    """Add spread gradients, times ``scale``, to the row they belong to, and clear their lanes."""
    channels, width = row.shape
    line[:] = 0
    inner, outer = min(max(left, margin), right), max(min(right, width - margin), left)
    begin, end = _at(inner - left), _at(outer - left)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            ahead, here = c * width + j * dilation, at + j * step + c * LANE
            lane, goal = _at(here), _at(ahead - margin + left)
            for x in range(left, inner):
                line[ahead + first[x]] += lanes[here + x - left]
            for x in range(begin, end):
                line[goal + x] += lanes[lane + x]
            for x in range(outer, right):
                line[ahead + first[x]] += lanes[here + x - left]
            for x in range(_at(LANE)):
                lanes[lane + x] = 0
    for x in range(width):
        for c in range(channels):
            row[c, x] += line[c * width + x] * scale


@numba.njit(**_INNER)
def _load(row, left, right, lanes, at, scale):  # type: ignore[no-untyped-def]
    """lanes[at + c LANE + x - left] = row[c, x] * scale."""
    here = at - left
    for x in range(left, right):
        for c in range(row.shape[0]):
            lanes[here + c * LANE + x] = row[c, x] * scale


@numba.njit(**_INNER)
def _store(lanes, at, left, right, scale, row):  # type: ignore[no-untyped-def]
    """row[c, x] = lanes[at + c LANE + x - left] * scale."""
    here = at - left
    for x in range(left, right):
        for c in range(row.shape[0]):
            row[c, x] = lanes[here + c * LANE + x] * scale


@numba.njit(**_INNER)
def _spread_bias(table, column_bias, left, right, lanes, step):  # type: ignore[no-untyped-def]
    """Lane (i, j) of the bias: row i of the table at key column j of each query, in units of ln 2."""
    kernel = (table.shape[0] + 1) // 2
    for i in range(table.shape[0]):
        for j in range(kernel):
            for x in range(left, right):
                lanes[(i * kernel + j) * step + x - left] = table[i, column_bias[x] + j] * LOG2_E


@numba.njit(**_INNER)
def _forward_row(query, ring, bias, above, start, kernel, channels, logits, state, lanes):  # type: ignore[no-untyped-def]
    """Attend for one row of queries. state: lanes of the maximum, the total, and the weighted values by channel."""
    count = _at(lanes)
    top, total = _at(0), _at(LANE)
    mix1, mix2, query2 = _at(2 * LANE), _at(3 * LANE), _at(LANE)
    for x in range(count):
        state[x] = -np.inf
    for i in range(kernel):
        for j in range(kernel):
            lane = ((start + i) % kernel * kernel + j) * 2 * channels * LANE
            key, key2 = _at(lane), _at(lane + LANE)
            at, out = _at(((above + i) * kernel + j) * LANE), _at((i * kernel + j) * LANE)
            if channels == 1:
                for x in range(count):
                    logit = bias[at + x] + query[x] * ring[key + x]
                    logits[out + x] = logit
                    state[x] = logit if logit > state[x] else state[x]
            elif channels == 2:
                for x in range(count):
                    logit = bias[at + x] + query[x] * ring[key + x] + query[query2 + x] * ring[key2 + x]
                    logits[out + x] = logit
                    state[x] = logit if logit > state[x] else state[x]
            else:
                _dot(query, ring, lane, bias, at, channels, logits, out, count)
                for x in range(count):
                    state[x] = logits[out + x] if logits[out + x] > state[x] else state[x]
    state[LANE : (2 + channels) * LANE] = 0
    for i in range(kernel):
        for j in range(kernel):
            lane = (((start + i) % kernel * kernel + j) * 2 + 1) * channels * LANE
            value, value2 = _at(lane), _at(lane + LANE)
            out = _at((i * kernel + j) * LANE)
            if channels == 1:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    state[total + x] += weight
                    state[mix1 + x] += weight * ring[value + x]
            elif channels == 2:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    state[total + x] += weight
                    state[mix1 + x] += weight * ring[value + x]
                    state[mix2 + x] += weight * ring[value2 + x]
            else:
                for x in range(count):
                    weight = _exp2(logits[out + x] - state[x])
                    logits[out + x] = weight
                    state[total + x] += weight
                _mix(logits, out, ring, lane, channels, state, 2 * LANE, count)
    for c in range(2, 2 + channels):
        mixed = _at(c * LANE)
        for x in range(count):
            state[mixed + x] /= state[total + x]


@numba.njit(**_INNER)
def _dot(query, ring, key, bias, at, channels, logits, out, count):  # type: ignore[no-untyped-def]
    """logits = bias + sum over channels of query * key, four channels at a time."""
    q, q2, q3, q4 = _four(0)
    k, k2, k3, k4 = _four(key)
    if channels < 4:
        done = 1
        for x in range(count):
            logits[out + x] = bias[at + x] + query[x] * ring[k + x]
    else:
        done = 4
        for x in range(count):
            logit = bias[at + x] + query[q + x] * ring[k + x] + query[q2 + x] * ring[k2 + x]
            logits[out + x] = logit + query[q3 + x] * ring[k3 + x] + query[q4 + x] * ring[k4 + x]
    odd = done + (channels - done) % 4
    for c in range(done * LANE, odd * LANE, LANE):
        q, k = _at(c), _at(key + c)
        for x in range(count):
            logits[out + x] += query[q + x] * ring[k + x]
    for c in range(odd * LANE, channels * LANE, 4 * LANE):
        q, q2, q3, q4 = _four(c)
        k, k2, k3, k4 = _four(key + c)
        for x in range(count):
            logit = logits[out + x] + query[q + x] * ring[k + x] + query[q2 + x] * ring[k2 + x]
            logits[out + x] = logit + query[q3 + x] * ring[k3 + x] + query[q4 + x] * ring[k4 + x]


@numba.njit(**_INNER)
def _mix(weights, at, ring, value, channels, state, into, count):  # type: ignore[no-untyped-def]
    """state[c] += weights * value[c], four channels at a time."""
    for c in range(channels % 4):
        v, t = _at(value + c * LANE), _at(into + c * LANE)
        for x in range(count):
            state[t + x] += weights[at + x] * ring[v + x]
    for c in range(channels % 4 * LANE, channels * LANE, 4 * LANE):
        v, v2, v3, v4 = _four(value + c)
        t, t2, t3, t4 = _four(into + c)
        for x in range(count):
            weight = weights[at + x]
            state[t + x] += weight * ring[v + x]
            state[t2 + x] += weight * ring[v2 + x]
            state[t3 + x] += weight * ring[v3 + x]
            state[t4 + x] += weight * ring[v4 + x]


@numba.njit(**_INNER)
def _backward_row(ring, bias, above, start, kernel, channels, state, scratch, lanes):  # type: ignore[no-untyped-def]
    """Gradients for one row of queries.

    state: lanes of the log-total, the product of output and its gradient, then by channel the query, the arriving
    gradient and the query's gradient. ring: by slot and tap column the lanes of keys, values and both their gradients.
    bias: by table row and tap column the lanes of the bias and its gradient.
    """
    count, product = _at(lanes), _at(LANE)
    s2, s3, s4, s5, s6, s7 = _at(2 * LANE), _at(3 * LANE), _at(4 * LANE), _at(5 * LANE), _at(6 * LANE), _at(7 * LANE)
    for i in range(kernel):
        for j in range(kernel):
            lane = ((start + i) % kernel * kernel + j) * 4 * channels * LANE
            table = ((above + i) * kernel + j) * 2 * LANE
            at, slopes = _at(table), _at(table + LANE)
            r0, r1, r2, r3 = _at(lane), _at(lane + LANE), _at(lane + 2 * LANE), _at(lane + 3 * LANE)
            r4, r5, r6, r7 = _at(lane + 4 * LANE), _at(lane + 5 * LANE), _at(lane + 6 * LANE), _at(lane + 7 * LANE)
            if channels == 1:
                for x in range(count):
                    weight = _exp2(bias[at + x] + state[s2 + x] * ring[r0 + x] - state[x])
                    slope = weight * (state[s3 + x] * ring[r1 + x] - state[product + x])
                    bias[slopes + x] += slope
                    ring[r2 + x] += slope * state[s2 + x]
                    ring[r3 + x] += weight * state[s3 + x]
                    state[s4 + x] += slope * ring[r0 + x]
            elif channels == 2:
                for x in range(count):
                    logit = bias[at + x] + state[s2 + x] * ring[r0 + x] + state[s3 + x] * ring[r1 + x]
                    weight = _exp2(logit - state[x])
                    slope = state[s4 + x] * ring[r2 + x] + state[s5 + x] * ring[r3 + x] - state[product + x]
                    slope = weight * slope
                    bias[slopes + x] += slope
                    ring[r4 + x] += slope * state[s2 + x]
                    ring[r5 + x] += slope * state[s3 + x]
                    ring[r6 + x] += weight * state[s4 + x]
                    ring[r7 + x] += weight * state[s5 + x]
                    state[s6 + x] += slope * ring[r0 + x]
                    state[s7 + x] += slope * ring[r1 + x]
            else:
                _backward_tap(ring, lane, bias, table, channels, state, scratch, count)


@numba.njit(**_INNER)
def _backward_tap(ring, key, bias, table, channels, state, scratch, count):  # type: ignore[no-untyped-def]
    """One tap of ``_backward_row`` for any number of channels."""
    block, first = channels * LANE, channels % 4 * LANE
    query, arriving, leaving = 2 * LANE, 2 * LANE + block, 2 * LANE + 2 * block
    at, slopes, product = _at(table), _at(table + LANE), _at(LANE)
    for x in range(count):
        scratch[x] = bias[at + x] - state[x]
        scratch[product + x] = -state[product + x]
    for c in range(0, first, LANE):
        q, a, k, v = _at(query + c), _at(arriving + c), _at(key + c), _at(key + block + c)
        for x in range(count):
            scratch[x] += state[q + x] * ring[k + x]
            scratch[product + x] += state[a + x] * ring[v + x]
    for c in range(first, block, 4 * LANE):
        q, q2, q3, q4 = _four(query + c)
        k, k2, k3, k4 = _four(key + c)
        for x in range(count):
            logit = scratch[x] + state[q + x] * ring[k + x] + state[q2 + x] * ring[k2 + x]
            scratch[x] = logit + state[q3 + x] * ring[k3 + x] + state[q4 + x] * ring[k4 + x]
        a, a2, a3, a4 = _four(arriving + c)
        v, v2, v3, v4 = _four(key + block + c)
        for x in range(count):
            slope = scratch[product + x] + state[a + x] * ring[v + x] + state[a2 + x] * ring[v2 + x]
            scratch[product + x] = slope + state[a3 + x] * ring[v3 + x] + state[a4 + x] * ring[v4 + x]
    for x in range(count):
        weight = _exp2(scratch[x])
        slope = weight * scratch[product + x]
        scratch[x] = weight
        scratch[product + x] = slope
        bias[slopes + x] += slope
    _mix(scratch, product, ring, key, channels, state, leaving, count)
    _mix(scratch, product, state, query, channels, ring, key + 2 * block, count)
    _mix(scratch, _at(0), state, arriving, channels, ring, key + 3 * block, count)


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
            count = (right - left + _ROUND - 1) // _ROUND * _ROUND
            if head != biased or width > LANE:
                _spread_bias(bias[head], column_bias, left, right, biases, LANE)
                biased = head
            loaded = 0
            for y in range(phase, height, dilation):
                start = first_row[y] // dilation
                for p in range(loaded, start + kernel):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    for features, at in ((key, slot), (value, slot + half)):
                        line_of = features[sample, head, :, row]
                        _spread(line_of, line, first_column, margin, dilation, left, right, ring, at, step)
                loaded = max(loaded, start + kernel)
                _load(query[sample, head, :, y], left, right, scaled, 0, scale)
                above = start - y // dilation + kernel - 1
                _forward_row(scaled, ring, biases, above, start, kernel, channels, logits, state, count)
                _store(state, 2 * LANE, left, right, one, out[sample, head, :, y])
                _store(state, 0, left, right, one, statistics[sample, head, :, y])


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
            count = (right - left + _ROUND - 1) // _ROUND * _ROUND
            _spread_bias(bias[head], column_bias, left, right, biases, 2 * LANE)
            for phase in range(dilation):
                loaded = 0
                for y in range(phase, height, dilation):
                    start = first_row[y] // dilation
                    for p in range(loaded, start + kernel):
                        row, slot = phase + p * dilation, p % kernel * kernel * step
                        if p >= kernel:
                            for grad, at, factor in grads:
                                _collect(
                                    grad[:, row - kernel * dilation], line, first_column, margin, dilation, left, right,
                                    ring, slot + at, step, factor,
                                )  # fmt: skip
                        for features, at in ((key, slot), (value, slot + block)):
                            line_of = features[sample, head, :, row]
                            _spread(line_of, line, first_column, margin, dilation, left, right, ring, at, step)
                    loaded = max(loaded, start + kernel)
                    state[leaving:] = 0
                    _load(log_total[sample, head, :, y], left, right, state, 0, one)
                    _load(product[sample, head, :, y], left, right, state, LANE, one)
                    _load(query[sample, head, :, y], left, right, state, 2 * LANE, scale)
                    _load(gradient[sample, head, :, y], left, right, state, 2 * LANE + block, one)
                    above = start - y // dilation + kernel - 1
                    _backward_row(ring, biases, above, start, kernel, channels, state, scratch, count)
                    _store(state, leaving, left, right, scale * natural, grad_query[sample, head, :, y])
                for p in range(loaded - kernel, loaded):
                    row, slot = phase + p * dilation, p % kernel * kernel * step
                    for grad, at, factor in grads:
                        _collect(
                            grad[:, row],
                            line,
                            first_column,
                            margin,
                            dilation,
                            left,
                            right,
                            ring,
                            slot + at,
                            step,
                            factor,
                        )
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
    features, table = types.Array(real, 5, "A"), real[:, :, ::1]
    axis, number = types.int64[::1], types.int64
    arguments = [features, features, features, table, axis, axis, axis, number, number, number]
    if direction == "forward":
        return numba.njit(types.void(*arguments, features, features), **_JIT)(forward)
    return numba.njit(types.void(*arguments, *[features] * 6, table), **_JIT)(backward)
