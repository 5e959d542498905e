"""PanNet: a residual network on the high-passes of bands and PAN (Yang, Fu, Hu, Huang, Ding, Paisley, ICCV 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.fusionnet import ResidualBlock
from sfigf.nets.baselines.pan_layers import coarse_bands, truncated_normal, whole_coarse_pixels

_BOX_PX = 5


def high_pass(image: Tensor) -> Tensor:
    """Return (b,C,H,W) minus its 5x5 mean; the border is mirrored about the edge pixel, however small the image."""
    mirrored = image
    for axis in (-2, -1):
        last = image.shape[axis] - 1
        positions = torch.arange(-(_BOX_PX // 2), last + _BOX_PX // 2 + 1, device=image.device).abs()
        inside = (last - (last - positions).abs()).abs().clamp(max=last)  # no branch on a size: it can be exported
        mirrored = mirrored.index_select(axis, inside)
    return image - functional.avg_pool2d(mirrored, _BOX_PX, stride=1)


class PanNet(nn.Module):
    """Upsample the high-pass of the coarse bands, join that of PAN, add what the residual blocks find to the bands.

    83,024 parameters at eight bands, factor 4 and the published width and depth. The network sees high-passes only:
    radiometry comes from the upsampled bands. Not to be confused with the "PanNet" in the released code of SFIGF,
    which is a PNN.

    Args:
        bands: Bands of the multispectral target.
        width: Channels of the residual blocks.
        depth: Number of residual blocks.
        factor: Fine pixels per coarse pixel, 2 or 4.

    Source: liangjiandeng/DLPan-Toolbox@a34f884, ``models/PanNet`` and ``common/dataset_hp.py``.
    """

    def __init__(self, bands: int, width: int = 32, depth: int = 4, factor: int = 4) -> None:
        super().__init__()
        self.factor = factor
        self.up = nn.ConvTranspose2d(bands, bands, 2 * factor, stride=factor, padding=factor // 2)
        self.head = nn.Conv2d(bands + 1, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.tail = nn.Conv2d(width, bands, 3, padding=1)
        truncated_normal(self)

    def core(self, target: Tensor, coarse: Tensor, guide: Tensor) -> Tensor:
        """Return (b,C,H,W) for upsampled bands (b,C,H,W), coarse bands (b,C,H/factor,W/factor) and PAN (b,1,H,W)."""
        details = torch.cat([self.up(high_pass(coarse)), high_pass(guide)], dim=1)
        return target + self.tail(self.blocks(functional.relu(self.head(details))))

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for 23-tap upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1].

        The coarse bands are picked out of the upsampled ones; sides that are no multiple of ``factor`` are padded.
        """
        height, width = target.shape[-2:]
        target, guide = (whole_coarse_pixels(image, self.factor) for image in (target, guide))
        return self.core(target, coarse_bands(target, self.factor), guide)[..., :height, :width]
