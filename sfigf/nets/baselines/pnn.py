"""PNN: three convolutions (Masi, Cozzolino, Verdoliva, Scarpa, Remote Sensing 8(7), 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_MARGIN_PX = 8  # what the 9x9, 5x5 and 5x5 layers take off each side


class PNN(nn.Module):
    """A 9x9, a 5x5 and a 5x5 layer without padding on bands and PAN; nothing is added to their answer.

    104,360 parameters at eight bands and the published width.

    The bands are padded by repetition, as the released test code does. Its training code pads nothing and cuts the
    truth instead; here both pad, so that every patch keeps its size.

    Args:
        bands: Bands of the multispectral target.
        width: Filters of the first layer; the second has half of them. The toolbox has 64, the paper 48.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/PNN``.
    """

    def __init__(self, bands: int, width: int = 64) -> None:
        super().__init__()
        self.first = nn.Conv2d(bands + 1, width, 9)
        self.second = nn.Conv2d(width, width // 2, 5)
        self.last = nn.Conv2d(width // 2, bands, 5)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1]."""
        features = functional.pad(torch.cat([target, guide], dim=1), (_MARGIN_PX,) * 4, mode="replicate")
        features = functional.relu(self.second(functional.relu(self.first(features))))
        return self.last(features)
