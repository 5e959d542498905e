"""One row of queries of the compiled attention, forward and backward. Logits are in units of ln 2.

One and two channels per head, the sizes of small networks, have loops of their own, in which every number is loaded
once; more channels go four at a time.
"""

from __future__ import annotations

import numba
import numpy as np

from sfigf.nets.attention.lanes import INNER, LANE, exp2, four, index


@numba.njit(**INNER)
def forward_row(query, ring, bias, above, start, kernel, channels, logits, state, lanes):  # type: ignore[no-untyped-def]
    """Attend for one row of queries. state: lanes of the maximum, the total, and the weighted values by channel."""
    count = index(lanes)
    total = index(LANE)
    mix1, mix2, query2 = index(2 * LANE), index(3 * LANE), index(LANE)
    for x in range(count):
        state[x] = -np.inf
    for i in range(kernel):
        for j in range(kernel):
            lane = ((start + i) % kernel * kernel + j) * 2 * channels * LANE
            key, key2 = index(lane), index(lane + LANE)
            at, out = index(((above + i) * kernel + j) * LANE), index((i * kernel + j) * LANE)
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
            value, value2 = index(lane), index(lane + LANE)
            out = index((i * kernel + j) * LANE)
            if channels == 1:
                for x in range(count):
                    weight = exp2(logits[out + x] - state[x])
                    state[total + x] += weight
                    state[mix1 + x] += weight * ring[value + x]
            elif channels == 2:
                for x in range(count):
                    weight = exp2(logits[out + x] - state[x])
                    state[total + x] += weight
                    state[mix1 + x] += weight * ring[value + x]
                    state[mix2 + x] += weight * ring[value2 + x]
            else:
                for x in range(count):
                    weight = exp2(logits[out + x] - state[x])
                    logits[out + x] = weight
                    state[total + x] += weight
                _mix(logits, out, ring, lane, channels, state, 2 * LANE, count)
    for c in range(2, 2 + channels):
        mixed = index(c * LANE)
        for x in range(count):
            state[mixed + x] /= state[total + x]


@numba.njit(**INNER)
def _dot(query, ring, key, bias, at, channels, logits, out, count):  # type: ignore[no-untyped-def]
    """logits = bias + sum over channels of query * key, four channels at a time."""
    q, q2, q3, q4 = four(0)
    k, k2, k3, k4 = four(key)
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
        q, k = index(c), index(key + c)
        for x in range(count):
            logits[out + x] += query[q + x] * ring[k + x]
    for c in range(odd * LANE, channels * LANE, 4 * LANE):
        q, q2, q3, q4 = four(c)
        k, k2, k3, k4 = four(key + c)
        for x in range(count):
            logit = logits[out + x] + query[q + x] * ring[k + x] + query[q2 + x] * ring[k2 + x]
            logits[out + x] = logit + query[q3 + x] * ring[k3 + x] + query[q4 + x] * ring[k4 + x]


@numba.njit(**INNER)
def _mix(weights, at, ring, value, channels, state, into, count):  # type: ignore[no-untyped-def]
    """state[c] += weights * value[c], four channels at a time."""
    for c in range(channels % 4):
        v, t = index(value + c * LANE), index(into + c * LANE)
        for x in range(count):
            state[t + x] += weights[at + x] * ring[v + x]
    for c in range(channels % 4 * LANE, channels * LANE, 4 * LANE):
        v, v2, v3, v4 = four(value + c)
        t, t2, t3, t4 = four(into + c)
        for x in range(count):
            weight = weights[at + x]
            state[t + x] += weight * ring[v + x]
            state[t2 + x] += weight * ring[v2 + x]
            state[t3 + x] += weight * ring[v3 + x]
            state[t4 + x] += weight * ring[v4 + x]


@numba.njit(**INNER)
def backward_row(ring, bias, above, start, kernel, channels, state, scratch, lanes):  # type: ignore[no-untyped-def]
    """Gradients for one row of queries.

    state: lanes of the log-total, the product of output and its gradient, then by channel the query, the arriving
    gradient and the query's gradient. ring: by slot and tap column the lanes of keys, values and both their gradients.
    bias: by table row and tap column the lanes of the bias and its gradient.
    """
    count, product = index(lanes), index(LANE)
    s2, s3, s4, s5, s6, s7 = (
        index(2 * LANE),
        index(3 * LANE),
        index(4 * LANE),
        index(5 * LANE),
        index(6 * LANE),
        index(7 * LANE),
    )
    for i in range(kernel):
        for j in range(kernel):
            lane = ((start + i) % kernel * kernel + j) * 4 * channels * LANE
            table = ((above + i) * kernel + j) * 2 * LANE
            at, slopes = index(table), index(table + LANE)
            r0, r1, r2, r3 = index(lane), index(lane + LANE), index(lane + 2 * LANE), index(lane + 3 * LANE)
            r4, r5, r6, r7 = (
                index(lane + 4 * LANE),
                index(lane + 5 * LANE),
                index(lane + 6 * LANE),
                index(lane + 7 * LANE),
            )
            if channels == 1:
                for x in range(count):
                    weight = exp2(bias[at + x] + state[s2 + x] * ring[r0 + x] - state[x])
                    slope = weight * (state[s3 + x] * ring[r1 + x] - state[product + x])
                    bias[slopes + x] += slope
                    ring[r2 + x] += slope * state[s2 + x]
                    ring[r3 + x] += weight * state[s3 + x]
                    state[s4 + x] += slope * ring[r0 + x]
            elif channels == 2:
                for x in range(count):
                    logit = bias[at + x] + state[s2 + x] * ring[r0 + x] + state[s3 + x] * ring[r1 + x]
                    weight = exp2(logit - state[x])
                    slope = state[s4 + x] * ring[r2 + x] + state[s5 + x] * ring[r3 + x] - state[product + x]
                    slope = weight * slope
                    bias[slopes + x] += slope
                    ring[r4 + x] += slope * state[s2 + x]
                    ring[r5 + x] += slope * state[s3 + x]
                    ring[r6 + x] += weight * state[s4 + x]
                    ring[r7 + x] += weight * state[s5 + x]
                    state[s6 + x] += slope * ring[r0 + x]
                    state[s7 + x] += slope * ring[r1 + x]
            elif channels == 4:
                _backward_four(ring, lane, bias, table, state, count)
            else:
                _backward_tap(ring, lane, bias, table, channels, state, scratch, count)


@numba.njit(**INNER)
def _backward_tap(ring, key, bias, table, channels, state, scratch, count):  # type: ignore[no-untyped-def]
    """One tap of ``_backward_row`` for any number of channels."""
    block, first = channels * LANE, channels % 4 * LANE
    query, arriving, leaving = 2 * LANE, 2 * LANE + block, 2 * LANE + 2 * block
    at, slopes, product = index(table), index(table + LANE), index(LANE)
    for x in range(count):
        scratch[x] = bias[at + x] - state[x]
        scratch[product + x] = -state[product + x]
    for c in range(0, first, LANE):
        q, a, k, v = index(query + c), index(arriving + c), index(key + c), index(key + block + c)
        for x in range(count):
            scratch[x] += state[q + x] * ring[k + x]
            scratch[product + x] += state[a + x] * ring[v + x]
    for c in range(first, block, 4 * LANE):
        q, q2, q3, q4 = four(query + c)
        k, k2, k3, k4 = four(key + c)
        for x in range(count):
            logit = scratch[x] + state[q + x] * ring[k + x] + state[q2 + x] * ring[k2 + x]
            scratch[x] = logit + state[q3 + x] * ring[k3 + x] + state[q4 + x] * ring[k4 + x]
        a, a2, a3, a4 = four(arriving + c)
        v, v2, v3, v4 = four(key + block + c)
        for x in range(count):
            slope = scratch[product + x] + state[a + x] * ring[v + x] + state[a2 + x] * ring[v2 + x]
            scratch[product + x] = slope + state[a3 + x] * ring[v3 + x] + state[a4 + x] * ring[v4 + x]
    for x in range(count):
        weight = exp2(scratch[x])
        slope = weight * scratch[product + x]
        scratch[x] = weight
        scratch[product + x] = slope
        bias[slopes + x] += slope
    _mix(scratch, product, ring, key, channels, state, leaving, count)
    _mix(scratch, product, state, query, channels, ring, key + 2 * block, count)
    _mix(scratch, index(0), state, arriving, channels, ring, key + 3 * block, count)


@numba.njit(**INNER)
def _backward_four(ring, key, bias, table, state, count):  # type: ignore[no-untyped-def]
    """One tap of ``backward_row`` for four channels."""
    at, slopes, product = index(table), index(table + LANE), index(LANE)
    q, q2, q3, q4 = four(2 * LANE)
    a, a2, a3, a4 = four(6 * LANE)
    g, g2, g3, g4 = four(10 * LANE)
    k, k2, k3, k4 = four(key)
    v, v2, v3, v4 = four(key + 4 * LANE)
    gk, gk2, gk3, gk4 = four(key + 8 * LANE)
    gv, gv2, gv3, gv4 = four(key + 12 * LANE)
    for x in range(count):
        logit = bias[at + x] + state[q + x] * ring[k + x] + state[q2 + x] * ring[k2 + x]
        logit = logit + state[q3 + x] * ring[k3 + x] + state[q4 + x] * ring[k4 + x]
        weight = exp2(logit - state[x])
        slope = state[a + x] * ring[v + x] + state[a2 + x] * ring[v2 + x] - state[product + x]
        slope = weight * (slope + state[a3 + x] * ring[v3 + x] + state[a4 + x] * ring[v4 + x])
        bias[slopes + x] += slope
        state[g + x] += slope * ring[k + x]
        state[g2 + x] += slope * ring[k2 + x]
        state[g3 + x] += slope * ring[k3 + x]
        state[g4 + x] += slope * ring[k4 + x]
        ring[gk + x] += slope * state[q + x]
        ring[gk2 + x] += slope * state[q2 + x]
        ring[gk3 + x] += slope * state[q3 + x]
        ring[gk4 + x] += slope * state[q4 + x]
        ring[gv + x] += weight * state[a + x]
        ring[gv2 + x] += weight * state[a2 + x]
        ring[gv3 + x] += weight * state[a3 + x]
        ring[gv4 + x] += weight * state[a4 + x]
