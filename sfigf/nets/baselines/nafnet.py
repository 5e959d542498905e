"""NAFNet: restoration without activation functions (Chen, Chu, Zhang, Sun, ECCV 2022), here from raw to sRGB."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import Signature


class ChannelNorm(nn.Module):
    """Normalise each pixel over its channels, then scale and shift each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        centred = features - features.mean(dim=1, keepdim=True)
        normed = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()
        return normed * self.weight[:, None, None] + self.bias[:, None, None]


def simple_gate(features: Tensor) -> Tensor:
    """Return the first half of the channels times the second."""
    first, second = features.chunk(2, dim=1)
    return first * second


class Block(nn.Module):
    """Two residual steps: around each pixel with channel attention, then at each pixel; both start as nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.conv1 = nn.Conv2d(width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.attention = nn.Conv2d(width, width, 1)
        self.conv3 = nn.Conv2d(width, width, 1)
        self.conv4 = nn.Conv2d(width, 2 * width, 1)
        self.conv5 = nn.Conv2d(width, width, 1)
        self.beta = nn.Parameter(torch.zeros(1, width, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        gated = simple_gate(self.conv2(self.conv1(self.norm1(features))))
        gated = gated * self.attention(gated.mean(dim=(2, 3), keepdim=True))
        features = features + self.beta * self.conv3(gated)
        return features + self.gamma * self.conv5(simple_gate(self.conv4(self.norm2(features))))


class NAFNet(nn.Module):
    """A U-Net of such blocks; what comes up is added to what was left out, and the image to the result.

    5,899,684 parameters at four channels and the default sizes (published: several sizes, see the tests).

    Args:
        channels: Channels of the image.
        outputs: Channels of the result.
        width: Channels of the finest level, doubled at each coarser one.
        encoder: Blocks of each level but the coarsest, finest first.
        middle: Blocks of the coarsest level.
        decoder: Blocks of each level on the way up, coarsest first; as many as ``encoder``.
        residual: Add the image to the result.

    Source: megvii-research/NAFNet@2b4af71 ``basicsr/models/archs/NAFNet_arch.py``.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        width: int = 32,
        encoder: Sequence[int] = (1, 1, 1, 4),
        middle: int = 1,
        decoder: Sequence[int] = (1, 1, 1, 1),
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.residual = residual
        widths = [width * 2**level for level in range(len(encoder) + 1)]
        self.intro = nn.Conv2d(channels, width, 3, padding=1)
        self.encoders = nn.ModuleList(map(_blocks, widths, encoder))
        self.downs = nn.ModuleList(nn.Conv2d(wide, 2 * wide, 2, stride=2) for wide in widths[:-1])
        self.middle = _blocks(widths[-1], middle)
        self.ups = nn.ModuleList(nn.Conv2d(wide, 2 * wide, 1, bias=False) for wide in widths[:0:-1])
        self.decoders = nn.ModuleList(map(_blocks, widths[-2::-1], decoder))
        self.ending = nn.Conv2d(width, outputs, 3, padding=1)

    def restore(self, image: Tensor) -> Tensor:
        """Return (b,outputs,H,W) of an image (b,channels,H,W) of any size; zeros fill it up to a multiple."""
        height, width = image.shape[-2:]
        multiple = 2 ** len(self.encoders)
        padded = functional.pad(image, (0, -width % multiple, 0, -height % multiple))
        features = self.intro(padded)
        skips = []
        for blocks, down in zip(self.encoders, self.downs, strict=True):
            skips.append(blocks(features))
            features = down(skips[-1])
        features = self.middle(features)
        for up, blocks in zip(self.ups, self.decoders, strict=True):
            features = blocks(functional.pixel_shuffle(up(features), 2) + skips.pop())
        restored = self.ending(features)
        return (restored + padded if self.residual else restored)[..., :height, :width]


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))


class RawNAFNet(NAFNet):
    """NAFNet for a packed mosaic: twelve outputs, a pixel shuffle to sRGB, no residual as the channels differ.

    Ours, not published.

    Args:
        signature: Channel counts and magnification (raw: 4, 4, 3, 2).
        width: See ``NAFNet``.
        encoder: See ``NAFNet``.
        middle: See ``NAFNet``.
        decoder: See ``NAFNet``.
        use_guide: Concatenate the packed guide to the packed target.
    """

    def __init__(
        self,
        signature: Signature,
        width: int = 32,
        encoder: Sequence[int] = (1, 1, 1, 4),
        middle: int = 1,
        decoder: Sequence[int] = (1, 1, 1, 1),
        use_guide: bool = True,
    ) -> None:
        channels = signature.target + (signature.guide if use_guide else 0)
        super().__init__(
            channels, signature.output * signature.upscale**2, width, encoder, middle, decoder, residual=False
        )
        self.use_guide = use_guide
        self.upscale = signature.upscale

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return sRGB (b,3,2H,2W) for a packed target (b,4,H,W) and a packed guide (b,4,H,W), both about [0,1]."""
        image = torch.cat([target, guide], dim=1) if self.use_guide else target
        return functional.pixel_shuffle(self.restore(image), self.upscale)

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """Return minus the PSNR in dB, averaged over the images; a pixel counts where ``valid`` is 1."""
        error = (self(target, guide).float() - truth).square() * valid
        counted = (valid.sum(dim=(1, 2, 3)) * truth.shape[1]).clamp_min(1)
        return 10 * (error.sum(dim=(1, 2, 3)) / counted + 1e-8).log10().mean()
