"""Small parts that several networks share. Features are (b, n, H, W)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Padding = Literal["reflect", "zeros"]
_ONEDNN_TYPES = (torch.float32, torch.bfloat16)


class Pointwise(nn.Conv2d):
    """A 1x1 convolution of (b, n, H, W), computed as a matrix product over channels that lie together.

    On one CPU thread torch takes a slow path for 1x1 convolutions; on a GPU both are as fast.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, m, H, W)."""
        mixed = _linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias)
        return mixed.permute(0, 3, 1, 2)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``functional.linear``; where nothing is learned on a CPU by oneDNN's own, which copies no bias first."""
    plain = torch.is_grad_enabled() or x.device.type != "cpu" or torch.is_autocast_enabled("cpu")
    if plain or x.dtype not in _ONEDNN_TYPES or not _has_onednn():
        return functional.linear(x, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


@functools.cache
def _has_onednn() -> bool:
    """Whether this build of torch has it; what inductor calls is not promised to stay, so it is tried."""
    try:
        return bool(torch.ops.mkldnn._linear_pointwise(torch.ones(1, 1), torch.ones(1, 1), None, "none", [], "") == 1)
    except (AttributeError, RuntimeError, NotImplementedError, TypeError):
        return False


def pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1x1 convolution."""
    return Pointwise(inputs, outputs)


def depthwise(channels: int, padding_mode: Padding = "reflect") -> nn.Conv2d:
    """A 3x3 convolution of every channel by itself."""
    return nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding_mode, groups=channels)


def spatial(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution with reflected borders."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def joined(parts: Iterable[Tensor]) -> Tensor:
    """Put features side by side, (b, n1 + n2 + .., H, W), channels lying together.

    ``torch.cat`` takes the memory format of its inputs, and an image of one channel is ambiguous: one such part would
    turn everything behind it around.
    """
    return torch.cat([part.permute(0, 2, 3, 1) for part in parts], dim=-1).permute(0, 3, 1, 2)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel, affine."""

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, n, H, W) with zero mean and unit variance over n, then scaled and shifted."""
        channels_last = x.permute(0, 2, 3, 1)
        normal = functional.layer_norm(channels_last, self.weight.shape, self.weight, self.bias, self.epsilon)
        return normal.permute(0, 3, 1, 2)


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016): training drops a branch for whole samples, scales the rest by 1 / keep."""

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return x, or zeros for a dropped sample."""
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        return x * (x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(keep) / keep)


def spatial_mean(x: Tensor) -> Tensor:
    """Mean over all pixels, (b, n, 1, 1)."""
    return x.mean(dim=(-2, -1), keepdim=True)


class ChannelGate(nn.Module):
    """SCA: every channel times a linear mix of all channels' means (NAFNet, Chen et al. 2022)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = pointwise(channels, channels)

    def forward(self, x: Tensor, mean: Tensor | None = None) -> Tensor:
        """Return (b, n, H, W); ``mean`` (b, n, 1, 1) is that of the whole image where x is a part of it."""
        return x * self.mix(spatial_mean(x) if mean is None else mean)


class ChannelPixelGate(nn.Module):
    """CPA: ``x * sigmoid(channel(x) + pixel(x))``, reduction 2 (SFIGF head and raw-mono decoder)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.channel = nn.Sequential(pointwise(channels, inner), nn.GELU(), pointwise(inner, channels))
        self.pixel = nn.Sequential(
            pointwise(channels, inner), nn.GELU(), depthwise(inner, "zeros"), nn.GELU(), pointwise(inner, channels)
        )

    def forward(self, x: Tensor, mean: Tensor | None = None) -> Tensor:
        """Return (b, n, H, W); ``mean`` as in ``ChannelGate``."""
        return x * torch.sigmoid(self.pixel(x) + self.channel(spatial_mean(x) if mean is None else mean))


def _halves_product(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=1)
    return first * second


class NAFBlock(nn.Module):
    """Nonlinear-activation-free block (NAFNet, Chen et al. 2022, eq. 5 and figure 2c)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels, 1e-6)
        self.expand = pointwise(channels, 2 * channels)
        self.spread = depthwise(2 * channels, "zeros")
        self.gate = ChannelGate(channels)
        self.project = pointwise(channels, channels)
        self.norm2 = ChannelNorm(channels, 1e-6)
        self.expand2 = pointwise(channels, 2 * channels)
        self.project2 = pointwise(channels, channels)
        self.beta = nn.Parameter(torch.zeros(channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(channels, 1, 1))

    def gated(self, x: Tensor) -> Tensor:
        """Return what the channel gate pools and scales."""
        return _halves_product(self.spread(self.expand(self.norm1(x))))

    def forward(self, x: Tensor, mean: Tensor | None = None) -> Tensor:
        """Return (b, n, H, W); ``mean`` is that of ``gated`` over the whole image where x is a part of it."""
        y = x + self.beta * self.project(self.gate(self.gated(x), mean))
        return y + self.gamma * self.project2(_halves_product(self.expand2(self.norm2(y))))
