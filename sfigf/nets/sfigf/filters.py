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
from sfigf.nets.blocks import ChannelNorm, DropPath, depthwise, pointwise, spatial

Mixing = Literal["cross", "self", "conv"]


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
        a = self.a(torch.cat([*features, guide], dim=1))
        b = self.b(torch.cat([a, *images], dim=1))
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
        self.mlp_a = _mlp(channels)
        self.norm_c = ChannelNorm(channels)
        self.attend = _Lookup(channels, cross_heads, kernel, dilation, attention)
        self.norm_d = ChannelNorm(channels)
        self.mlp_b = _mlp(channels)
        self.drop = DropPath(drop_path)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return q (b, n, h, w) from p and i (b, n, h, w)."""
        z = self.mix(torch.cat([guide, target], dim=1))
        z = self.drop(self.attend_self(self.norm_a(z))) + z
        z = self.drop(self.mlp_a(self.norm_b(z)))
        b = z + (_pooled(target) if self.pooled_target else target)
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
            return self.mix(torch.cat([target, guide], dim=1))
        return self.mix(target, guide) if self.attention == "cross" else self.mix(target)


def _mlp(channels: int) -> nn.Sequential:
    return nn.Sequential(PixelLinear(channels, 4 * channels), nn.GELU(), PixelLinear(4 * channels, channels))


def _pooled(target: Tensor) -> Tensor:
    return functional.layer_norm(target, target.shape[1:]).mean(dim=(-2, -1), keepdim=True)
