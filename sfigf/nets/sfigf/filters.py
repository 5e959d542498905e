"""The idea of SFIGF: the guided filter ``q = a * I + b``, once on features and once on images.

Symbols as in the paper (Liu et al., arXiv 2312.08853) and the released code (Xinyil256/SFIGF@3600cd0): target P, guide
G, their features p and i, coefficients a and b.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.attention.module import NeighbourhoodAttention, PixelLinear
from sfigf.nets.blocks import ChannelNorm, DropPath, depthwise, joined, pointwise, spatial

Mixing = Literal["cross", "self", "conv"]
_MLP_VALUES = 2**22


class ImageGuidedFilter(nn.Module):
    """``a * I + b`` with images a and b that small convolutions predict.

    Args:
        width: Channels c of each feature.
        channels: Channels C of the images.
        active: Whether a and b pass a last GELU (raw-mono).
    """

    def __init__(self, width: int, channels: int, *, active: bool = False) -> None:
        super().__init__()
        joint = 2 * width + channels
        last = [nn.GELU()] if active else []
        self.a = nn.Sequential(
            depthwise(joint), nn.GELU(), depthwise(joint), nn.GELU(), pointwise(joint, channels), *last
        )
        self.b = nn.Sequential(
            pointwise(3 * channels, width), nn.GELU(), depthwise(width), nn.GELU(), pointwise(width, channels), *last
        )

    def forward(self, features: list[Tensor], guide: Tensor, images: list[Tensor]) -> Tensor:
        """Filter ``guide`` (b, C, H, W); ``features`` are [t, g] (b, c, H, W), ``images`` are [P, G]."""
        a = self.a(joined([*features, guide]))
        b = self.b(joined([a, *images]))
        return a * guide + b


class FeatureGuidedFilter(nn.Module):
    """``q = a + b``: a looks the guide's features up from the target's, b is a self-attended mixture of both.

    Args:
        channels: Features n of p and i.
        self_heads: Heads of the self-attention in b.
        cross_heads: Heads of the cross-attention in a.
        kernel: Side of the attention window.
        dilation: Distance of its taps.
        drop_path: Rate of stochastic depth.
        pooled_target: b adds the mean of the layer-normalised target instead of the target (raw-mono).
        attention: What computes a: ``cross`` as published; ``self`` (the guide unseen) and ``conv`` are ablations.
    """

    def __init__(
        self,
        channels: int,
        *,
        self_heads: int = 4,
        cross_heads: int = 8,
        kernel: int = 7,
        dilation: int = 3,
        drop_path: float = 0.0,
        pooled_target: bool = False,
        attention: Mixing = "cross",
    ) -> None:
        super().__init__()
        self.pooled_target = pooled_target
        self.mix = nn.Sequential(pointwise(2 * channels, channels), nn.GELU(), depthwise(channels), nn.GELU())
        self.norm_a = ChannelNorm(channels)
        self.attend_self = NeighbourhoodAttention(channels, self_heads, kernel=kernel, dilation=dilation)
        self.norm_b = ChannelNorm(channels)
        self.mlp_a = _PixelMlp(channels)
        self.norm_c = ChannelNorm(channels)
        self.attend = _Lookup(channels, cross_heads, kernel, dilation, attention)
        self.norm_d = ChannelNorm(channels)
        self.mlp_b = _PixelMlp(channels)
        self.drop = DropPath(drop_path)

    def forward(self, target: Tensor, guide: Tensor, pooled: Tensor | None = None) -> Tensor:
        """Return q (b, n, h, w) from p and i (b, n, h, w); ``pooled`` as in ``pooled_mean``, of the whole image."""
        z = self.mix(joined([guide, target]))
        z = self.drop(self.attend_self(self.norm_a(z))) + z
        z = self.drop(self.mlp_a(self.norm_b(z)))
        if self.pooled_target and pooled is None:
            pooled = pooled_mean(target)
        b = z + (target if pooled is None else pooled)
        looked_up = self.drop(self.attend(self.norm_c(target), self.norm_c(guide)))
        a = self.drop(self.mlp_b(self.norm_d(looked_up)))
        return a + b


class _Lookup(nn.Module):
    """CrossNA(p, i), or what an ablation puts in its place."""

    def __init__(self, channels: int, heads: int, kernel: int, dilation: int, attention: Mixing) -> None:
        super().__init__()
        self.attention = attention
        if attention == "conv":
            self.mix: nn.Module = spatial(2 * channels, channels)
        else:
            cross = attention == "cross"
            self.mix = NeighbourhoodAttention(channels, heads, kernel=kernel, dilation=dilation, cross=cross)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        if self.attention == "conv":
            return self.mix(joined([target, guide]))
        return self.mix(target, guide) if self.attention == "cross" else self.mix(target)


class _PixelMlp(nn.Sequential):
    """Two Linears with a GELU; where nothing is learned a few rows at a time, so that the 4n channels stay in cache."""

    def __init__(self, channels: int) -> None:
        super().__init__(PixelLinear(channels, 4 * channels), nn.GELU(), PixelLinear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, n, h, w)."""
        rows = max(1, _MLP_VALUES // (4 * x.shape[0] * x.shape[1] * x.shape[3]))
        if torch.is_grad_enabled() or rows >= x.shape[2]:
            return super().forward(x)
        mixed = torch.empty_like(x, memory_format=torch.channels_last)
        for part, into in zip(x.split(rows, dim=2), mixed.split(rows, dim=2), strict=True):
            into.copy_(super().forward(part))
        return mixed


def pooled_mean(target: Tensor) -> Tensor:
    """Return what raw-mono adds in b: the mean over pixels of p, normalised over all of (n, h, w); (b, n, 1, 1)."""
    return functional.layer_norm(target, target.shape[1:]).mean(dim=(-2, -1), keepdim=True)
