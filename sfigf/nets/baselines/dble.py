"""DBF and DBLE: estimate what a sensor without colour filters saw, then restore from both (Dong et al., CVPR 2022)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 5
_MULTIPLE_PX = 2 ** (_LEVELS - 1)
_SLOPE = 0.2


def two_convs(channels: int, width: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each followed by LeakyReLU 0.2."""
    first, second = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
    return nn.Sequential(first, nn.LeakyReLU(_SLOPE), second, nn.LeakyReLU(_SLOPE))


def double_size(width: int) -> nn.ConvTranspose2d:
    """Return the 2x2 transposed convolution that doubles the size and halves the channels."""
    return nn.ConvTranspose2d(width, width // 2, 2, stride=2)


class Encoder(nn.ModuleList):
    """Five pairs of convolutions with a maximum pooling between them."""

    def __init__(self, channels: int, widths: list[int]) -> None:
        super().__init__(map(two_convs, [channels, *widths], widths))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the features of all levels, finest first; sides of the image (b,channels,H,W) multiples of 16."""
        levels = [self[0](image)]
        for layer in list(self)[1:]:
            levels.append(layer(functional.max_pool2d(levels[-1], 2)))
        return levels


class DBF(nn.Module):
    """U-Net from the mosaic to the monochrome image ("de-Bayer filter"). 485,737 parameters at the published width."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_LEVELS)]
        self.encoder = Encoder(1, widths)
        self.ups = nn.ModuleList(map(double_size, widths[:0:-1]))
        self.decoder = nn.ModuleList(two_convs(2 * wide, wide) for wide in widths[-2::-1])
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, mosaic: Tensor) -> Tensor:
        """Return the monochrome image (b,1,H,W) of a mosaic (b,1,H,W) whose sides are multiples of 16."""
        *skips, features = self.encoder(mosaic)
        for up, layer in zip(self.ups, self.decoder, strict=True):
            features = layer(torch.cat([up(features), skips.pop()], dim=1))
        return functional.leaky_relu(self.last(features), _SLOPE)


class ChannelAttention(nn.Module):
    """Weigh each channel by what two small layers make of all channels' means."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, max(3, width // reduction), 1)
        self.excite = nn.Conv2d(max(3, width // reduction), width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        weights = self.excite(functional.relu(self.squeeze(features.mean(dim=(2, 3), keepdim=True))))
        return features * torch.sigmoid(weights)


class DBLE(nn.Module):
    """Two encoders, of mosaic and monochrome image, one decoder that weighs the channels of both.

    "Dual branch low-light enhancement"; 14,528,054 parameters at the published width.
    """

    def __init__(self, width: int = 32, reduction: int = 16) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_LEVELS)]
        self.colour, self.mono = Encoder(4, widths), Encoder(4, widths)
        self.colour_up, self.mono_up = double_size(widths[-1]), double_size(widths[-1])
        joined = [4 * widths[-2], *(3 * wide for wide in widths[-3::-1])]
        self.attentions = nn.ModuleList(ChannelAttention(wide, reduction) for wide in joined)
        self.decoder = nn.ModuleList(map(two_convs, joined, widths[-2::-1]))
        self.ups = nn.ModuleList(double_size(wide) for wide, _ in pairwise(widths[-2::-1]))
        self.last = nn.Conv2d(width, 12, 1)

    def forward(self, mosaic: Tensor, mono: Tensor) -> Tensor:
        """Return sRGB (b,3,H,W) for a mosaic and a monochrome image (b,1,H,W) whose sides are multiples of 32."""
        *colours, colour = self.colour(functional.pixel_unshuffle(mosaic, 2))
        *monos, mono = self.mono(functional.pixel_unshuffle(mono, 2))
        raised = [self.colour_up(colour), self.mono_up(mono)]
        for place, (attention, layer) in enumerate(zip(self.attentions, self.decoder, strict=True)):
            features = layer(attention(torch.cat([*raised, colours.pop(), monos.pop()], dim=1)))
            if place < len(self.ups):
                raised = [self.ups[place](features)]
        return functional.pixel_shuffle(functional.leaky_relu(self.last(features), _SLOPE), 2)


class MCRNet(nn.Module):
    """Estimate the monochrome image, then restore colour from mosaic and estimate; the guide is not looked at.

    15,013,791 parameters at the published options.

    Args:
        mono_width: Channels of the finest level of the first stage.
        width: Channels of the finest level of the second stage.
        reduction: How many times fewer channels the attention squeezes to.

    Source: TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark@7c42c33 ``network.py``, ``train.py``. There the mosaic is
    amplified by the ratio of the exposures alone; that of our samples is white-balanced too. The initialisation that
    file defines is not called there, nor here.
    """

    def __init__(self, mono_width: int = 8, width: int = 32, reduction: int = 16) -> None:
        super().__init__()
        self.first = DBF(mono_width)
        self.second = DBLE(width, reduction)

    def stages(self, mosaic: Tensor) -> tuple[Tensor, Tensor]:
        """Return the monochrome image (b,1,H,W) and sRGB (b,3,H,W) of a mosaic (b,1,H,W), sides multiples of 32."""
        mono = self.first(mosaic)
        return mono, self.second(mosaic, mono)

    def both(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return what ``stages`` does, of a packed target (b,4,H,W) of any size."""
        height, width = target.shape[-2:]
        padded = functional.pad(target, (0, -width % _MULTIPLE_PX, 0, -height % _MULTIPLE_PX), mode="replicate")
        mono, restored = self.stages(functional.pixel_shuffle(padded, 2))
        return mono[..., : 2 * height, : 2 * width], restored[..., : 2 * height, : 2 * width]

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return sRGB (b,3,2H,2W) for a packed target (b,4,H,W) about [0,1]; the guide is not looked at."""
        return self.both(target)[1]

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor, mono: Tensor | None = None) -> Tensor:
        """Return L1(sRGB), plus L1(mono) where a truth (b,1,2H,2W) of the monochrome image is there."""
        estimate, restored = self.both(target)
        loss = _mean_error(restored, truth, valid)
        return loss if mono is None else loss + _mean_error(estimate, mono, valid)


def _mean_error(restored: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    counted = (valid.sum() * truth.shape[1]).clamp_min(1)
    return ((restored.float() - truth).abs() * valid).sum() / counted
