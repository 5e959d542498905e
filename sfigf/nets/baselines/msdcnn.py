"""MSDCNN: a multiscale deep and a shallow branch (Yuan, Wei, Meng, Shen, Zhang, IEEE JSTARS 11(3), 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def same(inputs: int, outputs: int, kernel_px: int) -> nn.Conv2d:
    """Return a convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, kernel_px, padding=kernel_px // 2)


class Multiscale(nn.Module):
    """``relu(x + cat(3x3, 5x5 and 7x7 convolutions of x))``, each of a third of the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(same(3 * width, width, kernel_px) for kernel_px in (3, 5, 7))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,3*width,H,W)."""
        return functional.relu(features + torch.cat([scale(features) for scale in self.scales], dim=1))


class MSDCNN(nn.Module):
    """Add a deep branch with two multiscale blocks to a shallow one, and cut what is negative.

    228,556 parameters at eight bands and the published widths.

    Args:
        bands: Bands of the multispectral target.
        width: Channels of each of the three kernel sizes in the first block; the second has half of them.
        shallow_width: Filters of the first layer of the shallow branch; the second has half of them.
        rectify: Cut what is negative, as published.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/MSDCNN``.
    """

    def __init__(self, bands: int, width: int = 20, shallow_width: int = 64, rectify: bool = True) -> None:
        super().__init__()
        self.rectify = rectify
        half = width // 2
        self.deep = nn.Sequential(
            same(bands + 1, 3 * width, 7),
            nn.ReLU(),
            Multiscale(width),
            same(3 * width, 3 * half, 3),
            nn.ReLU(),
            Multiscale(half),
            same(3 * half, bands, 5),
        )
        self.shallow = nn.Sequential(
            same(bands + 1, shallow_width, 9),
            nn.ReLU(),
            same(shallow_width, shallow_width // 2, 1),
            nn.ReLU(),
            same(shallow_width // 2, bands, 5),
        )

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1]."""
        both = torch.cat([target, guide], dim=1)
        restored = self.deep(both) + self.shallow(both)
        return functional.relu(restored) if self.rectify else restored
