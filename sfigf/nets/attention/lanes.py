"""Lanes: blocks of columns in flat arrays, the ground on which the compiled attention vectorises.

A lane is LANE numbers for LANE neighbouring columns. Lanes lie at distances the compiler knows (multiples of LANE) and
are worked off in whole vectors: what lies behind a lane's end is finite, and never read. Each key row is laid out once
per tap column ("spread"), after which queries, keys and logits stand in line, borders included.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANE = 64
ROUND = 16
LOG2_E = 1 / math.log(2)
# These functions allocate nothing, and go without counting references, which would cost more than their loops.
INNER: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}


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


def exp2(x: float) -> float:
    """2^x for x <= 0 in steps that vectorise: 2^n by the exponent bits, 2^r, |r| <= 1/2, by Taylor."""
    return 2.0**x


@overload(exp2)
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


@numba.njit(**INNER)
def index(number):  # type: ignore[no-untyped-def]
    """An unsigned index: one that may be negative would be wrapped, and the loop not vectorised."""
    return np.uint64(number)


@numba.njit(**INNER)
def four(lane):  # type: ignore[no-untyped-def]
    """The lanes of four channels."""
    return index(lane), index(lane + LANE), index(lane + 2 * LANE), index(lane + 3 * LANE)


@numba.njit(**INNER)
def spread(row, line, first, margin, dilation, left, right, lanes, at, step):  # type: ignore[no-untyped-def]
    """lanes[at + j step + c LANE + x - left] = row[c, key j of query x] for left <= x < right; ``line`` is scratch."""
    channels, width = row.shape
    for c in range(index(channels)):
        for x in range(index(width)):
            line[c * index(width) + x] = row[c, x]
    begin, end, count, origin = _inside(margin, width, left, right)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            lane, source = index(at + j * step + c * LANE), index(c * width + j * dilation)
            for x in range(begin):
                lanes[lane + x] = line[source + first[origin + x]]
            straight = index(c * width + j * dilation - margin + left)
            for x in range(begin, end):
                lanes[lane + x] = line[straight + x]
            for x in range(end, count):
                lanes[lane + x] = line[source + first[origin + x]]


@numba.njit(**INNER)
def collect(row, line, first, margin, dilation, left, right, lanes, at, step, scale):  # type: ignore[no-untyped-def]
    """Add spread gradients, times ``scale``, to the row they belong to, and clear their lanes."""
    channels, width = row.shape
    line[:] = 0
    begin, end, count, origin = _inside(margin, width, left, right)
    for c in range(channels):
        for j in range(2 * margin // dilation + 1):
            lane, goal = index(at + j * step + c * LANE), index(c * width + j * dilation)
            for x in range(begin):
                line[goal + first[origin + x]] += lanes[lane + x]
            straight = index(c * width + j * dilation - margin + left)
            for x in range(begin, end):
                line[straight + x] += lanes[lane + x]
            for x in range(end, count):
                line[goal + first[origin + x]] += lanes[lane + x]
            for x in range(index(LANE)):
                lanes[lane + x] = 0
    for c in range(index(channels)):
        for x in range(index(width)):
            row[c, x] += line[c * index(width) + x] * scale


@numba.njit(**INNER)
def _inside(margin, width, left, right):  # type: ignore[no-untyped-def]
    """Where in a lane the windows neither meet the left border nor the right; the lane's length and first column."""
    begin, end = min(max(left, margin), right), max(min(right, width - margin), left)
    return index(begin - left), index(max(begin, end) - left), index(right - left), index(left)


@numba.njit(**INNER)
def load(row, left, right, lanes, at, scale):  # type: ignore[no-untyped-def]
    """lanes[at + c LANE + x - left] = row[c, x] * scale."""
    origin, count = index(left), index(right - left)
    for c in range(index(row.shape[0])):
        lane = index(at) + c * index(LANE)
        for x in range(count):
            lanes[lane + x] = row[c, origin + x] * scale


@numba.njit(**INNER)
def store(lanes, at, left, right, scale, row):  # type: ignore[no-untyped-def]
    """row[c, x] = lanes[at + c LANE + x - left] * scale."""
    origin, count = index(left), index(right - left)
    for c in range(index(row.shape[0])):
        lane = index(at) + c * index(LANE)
        for x in range(count):
            row[c, origin + x] = lanes[lane + x] * scale


@numba.njit(**INNER)
def spread_bias(table, column_bias, left, right, lanes, step):  # type: ignore[no-untyped-def]
    """Lane (i, j) of the bias: row i of the table at key column j of each query, in units of ln 2."""
    kernel, origin, count = (table.shape[0] + 1) // 2, index(left), index(right - left)
    for i in range(index(table.shape[0])):
        for j in range(index(kernel)):
            lane = (i * index(kernel) + j) * index(step)
            for x in range(count):
                lanes[lane + x] = table[i, column_bias[origin + x] + j] * table.dtype.type(LOG2_E)


@numba.njit(**INNER)
def collect_bias(lanes, step, column_bias, left, right, table):  # type: ignore[no-untyped-def]
    """Add spread gradients of the bias, which lie LANE behind it, to the table, and clear their lanes."""
    kernel, origin, count = (table.shape[0] + 1) // 2, index(left), index(right - left)
    for i in range(index(table.shape[0])):
        for j in range(index(kernel)):
            lane = (i * index(kernel) + j) * index(step) + index(LANE)
            for x in range(count):
                table[i, column_bias[origin + x] + j] += lanes[lane + x]
            for x in range(index(LANE)):
                lanes[lane + x] = 0
