"""The attention layer of the network: projections around ``neighbourhood_attention``, and any image size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.attention import neighbourhood_attention
from sfigf.nets.blocks import Pointwise


class PixelLinear(Pointwise):
    """A Linear of the published network, on the channel axis of (b, n, H, W); keeps the initial values of one."""


class NeighbourhoodAttention(nn.Module):
    """Multi-head neighbourhood attention: ``forward(x)`` attends to itself, ``forward(x, y)`` queries y.

    Args:
        channels: Features n of both inputs, (b, n, H, W).
        heads: Wanted number of heads; reduced to the largest divisor of ``channels`` not above it.
        kernel: Odd side of the window in taps.
        dilation: Distance of the taps in pixels.
        cross: Whether keys and values come from a second input.
    """

    def __init__(self, channels: int, heads: int, *, kernel: int = 7, dilation: int = 3, cross: bool = False) -> None:
        super().__init__()
        self.heads = next(count for count in range(min(heads, channels), 0, -1) if channels % count == 0)
        self.kernel, self.dilation, self.cross = kernel, dilation, cross
        if cross:
            self.query = PixelLinear(channels, channels)
            self.key_value = PixelLinear(channels, 2 * channels)
        else:
            self.query_key_value = PixelLinear(channels, 3 * channels)
        self.project = PixelLinear(channels, channels)
        self.bias = nn.Parameter(torch.empty(self.heads, 2 * kernel - 1, 2 * kernel - 1))
        nn.init.trunc_normal_(self.bias, std=0.02)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return (b, n, H, W); where a side is shorter than the window, keys are zero-padded at its end."""
        height, width = x.shape[-2:]
        if self.cross:
            assert y is not None, "cross-attention needs a second input"
            query = self.query(x)
            key, value = self.key_value(self._pad(y)).chunk(2, dim=1)
        else:
            query, key, value = self.query_key_value(self._pad(x)).chunk(3, dim=1)
            query = query[..., :height, :width]
        split = (self.heads, -1)
        query, key, value = (features.unflatten(1, split) for features in (query, key, value))
        mixed = neighbourhood_attention(query, key, value, self.bias, kernel=self.kernel, dilation=self.dilation)
        return self.project(mixed.flatten(1, 2))

    def _pad(self, x: Tensor) -> Tensor:
        extent = self.kernel * self.dilation
        below, right = (max(0, extent - side) for side in x.shape[-2:])
        return functional.pad(x, (0, right, 0, below)) if below or right else x
