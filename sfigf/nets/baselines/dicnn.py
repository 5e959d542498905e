"""DiCNN: detail injection by three convolutions (He et al., IEEE JSTARS 12(4), 2019), its first form, DiCNN1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.pan_layers import truncated_normal


class DiCNN(nn.Module):
    """Three 3x3 layers on bands and PAN give the detail that is added to the bands.

    46,792 parameters at eight bands and the published width.

    Args:
        bands: Bands of the multispectral target.
        width: Filters of the two inner layers.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/DiCNN``; the initialisation is the toolbox's.
    """

    def __init__(self, bands: int, width: int = 64) -> None:
        super().__init__()
        self.first = nn.Conv2d(bands + 1, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, bands, 3, padding=1)
        truncated_normal(self)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1]."""
        features = functional.relu(self.first(torch.cat([target, guide], dim=1)))
        return target + self.last(functional.relu(self.second(features)))
