"""SID U-Net: from an amplified raw mosaic to sRGB (Chen, Chen, Xu, Koltun, CVPR 2018), with an optional guide."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import Signature

_LEVELS = 5
_MULTIPLE_PX = 2 ** (_LEVELS - 1)


def two_convs(channels: int, width: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each followed by LeakyReLU 0.2."""
    layers = []
    for inputs in (channels, width):
        conv = nn.Conv2d(inputs, width, 3, padding=1)
        nn.init.xavier_uniform_(conv.weight)
        layers += [conv, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def double_size(width: int) -> nn.ConvTranspose2d:
    """Return the 2x2 transposed convolution that doubles the size and halves the channels."""
    up = nn.ConvTranspose2d(width, width // 2, 2, stride=2)
    nn.init.trunc_normal_(up.weight, std=0.02, a=-0.04, b=0.04)
    return up


class SIDUNet(nn.Module):
    """Five-level U-Net on the packed mosaic, a 1x1 layer to the phases of each colour, a pixel shuffle.

    7,760,748 parameters at the published width without a guide.

    Args:
        signature: Channel counts and magnification (raw: 4, 4, 3, 2).
        width: Channels of the finest level, doubled at each of the four coarser ones.
        use_guide: Concatenate the packed guide to the packed target; the published network has none.

    Source: cchen156/Learning-to-See-in-the-Dark@0448b58 ``train_Sony.py``; the initialisation is that file's.
    """

    def __init__(self, signature: Signature, width: int = 32, use_guide: bool = True) -> None:
        super().__init__()
        self.upscale = signature.upscale
        self.use_guide = use_guide and signature.guide > 0
        channels = signature.target + (signature.guide if self.use_guide else 0)
        widths = [width * 2**level for level in range(_LEVELS)]
        self.encoder = nn.ModuleList(map(two_convs, [channels, *widths], widths))
        self.ups = nn.ModuleList(double_size(wide) for wide in widths[:0:-1])
        self.decoder = nn.ModuleList(two_convs(2 * narrow, narrow) for narrow in widths[-2::-1])
        self.last = nn.Conv2d(width, signature.output * signature.upscale**2, 1)
        nn.init.xavier_uniform_(self.last.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return sRGB (b,3,2H,2W) for a packed target (b,4,H,W) and a packed guide (b,4,H,W), both about [0,1].

        Sizes that are no multiple of 16 are padded by replication and cropped again.
        """
        height, width = target.shape[-2:]
        features = torch.cat([target, guide], dim=1) if self.use_guide else target
        features = functional.pad(features, (0, -width % _MULTIPLE_PX, 0, -height % _MULTIPLE_PX), mode="replicate")
        skips = []
        for level in self.encoder[:-1]:
            skips.append(level(features))
            features = functional.max_pool2d(skips[-1], 2)
        features = self.encoder[-1](features)
        for up, level in zip(self.ups, self.decoder, strict=True):
            features = level(torch.cat([up(features), skips.pop()], dim=1))
        restored = functional.pixel_shuffle(self.last(features), self.upscale)
        return restored[..., : height * self.upscale, : width * self.upscale]
