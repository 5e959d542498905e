"""FusionNet: detail injection by a residual network (Deng, Vivone, Jin, Chanussot, IEEE TGRS 2021)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))`` with 3x3 layers and no activation after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.second(functional.relu(self.first(features)))


class FusionNet(nn.Module):
    """Turn the difference between the panchromatic image and each band into the detail that band lacks.

    78,632 parameters at eight bands and the published width and depth.

    Args:
        bands: Bands of the multispectral target.
        width: Channels of the residual blocks.
        depth: Number of residual blocks.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/FusionNet``.
    """

    def __init__(self, bands: int, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.head = nn.Conv2d(bands, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.tail = nn.Conv2d(width, bands, 3, padding=1)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1]."""
        return target + self.tail(self.blocks(functional.relu(self.head(guide - target))))
