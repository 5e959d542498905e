"""Which keys a query sees: the index arithmetic of dilated neighbourhood attention, one axis at a time.

Along an axis of length L the pixel i belongs to the dilation phase ``r = i mod dilation`` and is number
``p = i // dilation`` of the Lp pixels in it. Its window starts at ``s = clamp(p - kernel // 2, 0, Lp - kernel)``: near
a border it shifts, it never shrinks. Key j is the phase's pixel ``s + j``, its bias row is ``s + j - p + kernel - 1``.

Source: semantics of NATTEN 0.14 (SHI-Labs/NATTEN); Hassani et al., Neighborhood Attention Transformer, CVPR 2023.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np


class Axis(NamedTuple):
    """The windows along one axis.

    Attributes:
        first: (L,) int64, the pixel that is key 0 of each query; key j is ``first + j * dilation``.
        bias: (L,) int64, bias index of key 0 of each query; key j has ``bias + j``.
        runs: (R, 3) int64 rows ``start, stop, shift``: the queries start..stop-1 all have key 0 at ``query + shift``.
    """

    first: np.ndarray
    bias: np.ndarray
    runs: np.ndarray

    def part(self, count: int) -> Axis:
        """The windows of the first ``count`` queries."""
        runs = np.minimum(self.runs, np.array([count, count, np.iinfo(np.int64).max]))
        return Axis(self.first[:count], self.bias[:count], runs[runs[:, 0] < runs[:, 1]])


@functools.lru_cache(maxsize=256)
def axis_windows(length: int, kernel: int, dilation: int) -> Axis:
    """Return the windows of an axis of ``length`` pixels.

    Raises:
        ValueError: If the kernel is even, or the axis shorter than ``kernel * dilation``.
    """
    if kernel < 1 or kernel % 2 == 0 or dilation < 1:
        raise ValueError(
            f"neighbourhood attention needs an odd kernel and a dilation >= 1, not {kernel} and {dilation}"
        )
    if length < kernel * dilation:
        raise ValueError(f"an axis of {length} pixels is shorter than the window extent {kernel} x {dilation}")
    pixel = np.arange(length)
    phase, position = pixel % dilation, pixel // dilation
    phase_length = -((phase - length) // dilation)
    start = np.clip(position - kernel // 2, 0, phase_length - kernel)
    first = phase + dilation * start
    shift = first - pixel
    breaks = np.flatnonzero(np.diff(shift)) + 1
    starts = np.concatenate([[0], breaks])
    stops = np.concatenate([breaks, [length]])
    runs = np.stack([starts, stops, shift[starts]], axis=1)
    return Axis(first, start - position + kernel - 1, np.ascontiguousarray(runs))
