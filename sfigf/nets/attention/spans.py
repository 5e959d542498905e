"""Stretches of queries along one axis, and where their keys lie."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from sfigf.nets.attention.windows import Axis, axis_windows

LEAST_EVEN = 64  # below it, one gather costs less than three spans of an axis, nine blocks of an image


class Span:
    """Queries start..start+length-1 of an axis.

    Args:
        axis: The windows of the axis.
        start: First query.
        stop: The one behind the last.
        kernel: Taps of a window.
        dilation: Their distance.
        device: Where features are.

    Attributes:
        even: Whether all keys of a tap lie at one distance from their queries.
        bias: For each tap the bias index of each query, or of all, (length or 1,).
    """

    def __init__(self, axis: Axis, start: int, stop: int, kernel: int, dilation: int, device: torch.device) -> None:
        self.start, self.length, self.kernel, self.dilation = start, stop - start, kernel, dilation
        self._runs = [(max(a, start), min(b, stop), s) for a, b, s in axis.runs.tolist() if a < stop and b > start]
        self.even = len(self._runs) == 1
        first = torch.from_numpy(axis.first[start:stop]).to(device)
        entry = torch.from_numpy(axis.bias[start : start + 1] if self.even else axis.bias[start:stop]).to(device)
        self.bias = [entry + tap for tap in range(kernel)]
        self._first = [first + tap * dilation for tap in range(kernel)]

    def gather(self, features: Tensor, tap: int, dim: int) -> Tensor:
        """The keys of a tap along ``dim``: a view where the span is even."""
        if self.even:
            start, _, shift = self._runs[0]
            return features.narrow(dim, start + shift + tap * self.dilation, self.length)
        return features.index_select(dim, self._first[tap])

    def runs(self, tap: int) -> Iterator[tuple[int, int, int]]:
        """Queries a..b-1, counted from ``start``, and the key of query a."""
        for start, stop, shift in self._runs:
            yield start - self.start, stop - self.start, start + shift + tap * self.dilation

    def summed(self, slope: Tensor, dim: int) -> Tensor:
        """Sum over the span where all its queries share a bias."""
        return slope.sum(dim=dim, keepdim=True) if self.even else slope

    def entries(self, tap: int, like: torch.dtype) -> Tensor:
        """(2 * kernel - 1, length or 1) of 0 and 1: which entry of a bias table each query has."""
        table = torch.arange(2 * self.kernel - 1, device=self.bias[tap].device)
        return (table[:, None] == self.bias[tap]).to(like)


def spans(
    keys: int, queries: int, kernel: int, dilation: int, device: torch.device, longest: int | None = None
) -> list[Span]:
    """Cut the first ``queries`` of an axis of ``keys`` pixels: near each border, and between, if that is long.

    Args:
        keys: Length of the axis.
        queries: How many there are, from its beginning.
        kernel: Taps of a window.
        dilation: Their distance.
        device: Where features are.
        longest: Most queries of a span between the borders.
    """
    axis = axis_windows(keys, kernel, dilation).part(queries)
    middle = np.argmax(axis.runs[:, 1] - axis.runs[:, 0])
    begin, end = axis.runs[middle, :2].tolist()
    if end - begin < LEAST_EVEN:
        return [Span(axis, 0, queries, kernel, dilation, device)]
    bounds = sorted({0, *range(begin, end, longest or end), end, queries})
    return [Span(axis, a, b, kernel, dilation, device) for a, b in itertools.pairwise(bounds)]
