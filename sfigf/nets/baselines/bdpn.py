"""BDPN: a pyramid in both directions (Zhang, Liu, Sun, Wang, Zhang, IEEE TGRS 57(8), 2019)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.pan_layers import coarse_bands, whole_coarse_pixels

FACTOR = 4


class ParametricBlock(nn.Module):
    """``x + conv(prelu(conv(x)))`` with 3x3 layers; one slope for all channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.activation = nn.PReLU(init=0.2)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.second(self.activation(self.first(features)))


class BDPN(nn.Module):
    """Take details out of PAN at two scales, going down; put them into the bands, going up by two and two.

    1,487,069 parameters at eight bands and the published width and depth, about ten times the work of FusionNet. One
    of them, the slope ``activation``, is dead in the released network too: nothing reads it.

    Args:
        bands: Bands of the multispectral target.
        width: Channels of the residual blocks.
        depth: Residual blocks at each of the two scales.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/BDPN``.
    """

    dead: ClassVar[tuple[str, ...]] = ("activation",)

    def __init__(self, bands: int, width: int = 64, depth: int = 10) -> None:
        super().__init__()
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.fine = nn.Sequential(*(ParametricBlock(width) for _ in range(depth)))
        self.middle = nn.Sequential(*(ParametricBlock(width) for _ in range(depth)))
        self.details = nn.Conv2d(width, bands, 3, padding=1)
        self.first_up = nn.Conv2d(bands, 4 * bands, 3, padding=1)
        self.second_up = nn.Conv2d(bands, 4 * bands, 3, padding=1)
        self.activation = nn.PReLU(init=0.2)

    def core(self, coarse: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bands at half size (b,C,H/2,W/2) and whole (b,C,H,W), for coarse (b,C,H/4,W/4) and PAN."""
        features = self.head(guide)
        fine = features + self.fine(features)
        pooled = functional.max_pool2d(fine, 2)
        middle = pooled + self.middle(pooled)
        half = functional.pixel_shuffle(self.first_up(coarse), 2) + self.details(middle)
        return half, functional.pixel_shuffle(self.second_up(half), 2) + self.details(fine)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for 23-tap upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1].

        The coarse bands are picked out of the upsampled ones; sides that are no multiple of 4 are padded.
        """
        height, width = target.shape[-2:]
        target, guide = (whole_coarse_pixels(image, FACTOR) for image in (target, guide))
        return self.core(coarse_bands(target, FACTOR), guide)[1][..., :height, :width]
