"""LAGConv: convolutions that adapt to their place (Jin, Zhang, Jiang, Vivone, Deng, AAAI 2022)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_KERNEL_PX = 3
_TAPS = _KERNEL_PX**2


class AdaptiveConvolution(nn.Module):
    """A 3x3 convolution whose taps are weighted per pixel, with a bias that depends on the whole image.

    ``y(p) = sum over taps t of W_t (A_t(p) x(p+t)) + b(mean of x)``: the nine weights A in (0,1) are shared by all
    channels and come from a small network on x. Outside the image x is 0.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, _KERNEL_PX, _KERNEL_PX))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # what any convolution of torch starts from
        self.attention = nn.Sequential(
            nn.Conv2d(inputs, _TAPS, _KERNEL_PX, padding=1),
            nn.ReLU(),
            nn.Conv2d(_TAPS, _TAPS, 1),
            nn.ReLU(),
            nn.Conv2d(_TAPS, _TAPS, 1),
            nn.Sigmoid(),
        )
        self.bias = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.ReLU(), nn.Conv2d(outputs, outputs, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return (b,outputs,H,W) for features (b,inputs,H,W)."""
        height, width = features.shape[-2:]
        attention = self.attention(features)
        padded = functional.pad(features, (1, 1, 1, 1))
        answer = self.bias(features.mean(dim=(-2, -1), keepdim=True))
        for tap in range(_TAPS):
            row, column = divmod(tap, _KERNEL_PX)
            neighbours = padded[..., row : row + height, column : column + width] * attention[:, tap : tap + 1]
            answer = answer + functional.conv2d(neighbours, self.weight[:, :, row : row + 1, column : column + 1])
        return answer


class AdaptiveBlock(nn.Module):
    """``x + conv(relu(conv(x)))`` with adaptive convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = AdaptiveConvolution(width, width)
        self.second = AdaptiveConvolution(width, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.second(functional.relu(self.first(features)))


class LAGConv(nn.Module):
    """Residual blocks of adaptive convolutions on PAN and bands give the detail that is added to the bands.

    151,397 parameters at eight bands and the published width and depth: those of the authors' repository. The
    toolbox of the same group counts 54,341.

    Args:
        bands: Bands of the multispectral target.
        width: Channels of the residual blocks.
        depth: Number of residual blocks.

    Source: liangjiandeng/LAGConv@5d142a2 ``model.py``.
    """

    def __init__(self, bands: int, width: int = 32, depth: int = 5) -> None:
        super().__init__()
        self.head = AdaptiveConvolution(bands + 1, width)
        self.blocks = nn.Sequential(*(AdaptiveBlock(width) for _ in range(depth)))
        self.tail = AdaptiveConvolution(width, bands)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1]."""
        features = functional.relu(self.head(torch.cat([guide, target], dim=1)))
        return target + self.tail(self.blocks(features))
