"""The De-Bayer filter of raw-mono: a small U-Net that estimates what a monochrome camera would have seen."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    first, second = (nn.Conv2d(n, outputs, 3, padding=1) for n in (inputs, outputs))
    return nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2))


class DebayerFilter(nn.Module):
    """U-Net 8-16-32-64-128 with a skip from input to output; sides must be multiples of 16."""

    def __init__(self, widths: tuple[int, ...] = (8, 16, 32, 64, 128)) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(_stage(m, n) for m, n in zip((1, *widths[:-1]), widths, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(n, m, 2, stride=2) for m, n in reversed(pairs))
        self.merge = nn.ModuleList(_stage(2 * m, m) for m, _ in reversed(pairs))
        self.out = nn.Sequential(nn.Conv2d(widths[0], 1, 3, padding=1), nn.LeakyReLU(0.2))
        self.pool = nn.MaxPool2d(2)

    def forward(self, raw: Tensor) -> Tensor:
        """Return the mono estimate (b, 1, H, W) of a Bayer mosaic (b, 1, H, W)."""
        features, skips = raw, []
        for level, stage in enumerate(self.down):
            features = stage(self.pool(features) if level else features)
            skips.append(features)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1]), strict=True):
            features = merge(torch.cat([up(features), skip], dim=1))
        return self.out(features) + raw
