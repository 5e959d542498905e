"""CU-Net: what two images have in common and what is their own (Deng, Dragotti, TPAMI 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LUMA_ITU601 = (0.299, 0.587, 0.114)
_FIRST_THRESHOLD = 0.01


def conv(channels: int, outputs: int) -> nn.Conv2d:
    """Return a 9x9 convolution with padding 4 and no bias, Xavier-initialised."""
    layer = nn.Conv2d(channels, outputs, 9, padding=4, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer


class SparseCode(nn.Module):
    """Learned convolutional sparse coding: each round decodes, encodes the result again, and thresholds softly.

    The thresholds, one a round and one before the first, are single learned numbers and may become negative.

    Args:
        channels: Channels of the image.
        width: Channels of the code.
        rounds: How often the code is mended.
    """

    def __init__(self, channels: int, width: int, rounds: int) -> None:
        super().__init__()
        self.encode = conv(channels, width)
        self.decoders = nn.ModuleList(conv(width, channels) for _ in range(rounds))
        self.encoders = nn.ModuleList(conv(channels, width) for _ in range(rounds))
        self.thresholds = nn.Parameter(torch.full((rounds + 1,), _FIRST_THRESHOLD))

    def forward(self, image: Tensor) -> Tensor:
        """Return the code (b,width,H,W) of an image (b,channels,H,W)."""
        first, *others = self.thresholds
        encoded = self.encode(image)
        code = soft_threshold(encoded, first)
        for decode, encode, threshold in zip(self.decoders, self.encoders, others, strict=True):
            code = soft_threshold(encoded + code - encode(decode(code)), threshold)
        return code


def soft_threshold(values: Tensor, threshold: Tensor) -> Tensor:
    """Return ``sign(v) max(|v| - t, 0)``."""
    return values.sign() * (values.abs() - threshold).clamp_min(0)


class CommonAndUnique(nn.Module):
    """Codes of two images: one of each by itself, one of what these two leave over."""

    def __init__(self, channels: int, width: int, rounds: int) -> None:
        super().__init__()
        self.unique_a = SparseCode(channels, width, rounds)
        self.unique_b = SparseCode(channels, width, rounds)
        self.common = SparseCode(2 * channels, width, rounds)
        self.explained_a = conv(width, channels)
        self.explained_b = conv(width, channels)

    def forward(self, image_a: Tensor, image_b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the codes (b,width,H,W) of image A alone, of image B alone, and of both; images (b,channels,H,W)."""
        code_a, code_b = self.unique_a(image_a), self.unique_b(image_b)
        left_over = [image_a - self.explained_a(code_a), image_b - self.explained_b(code_b)]
        return code_a, code_b, self.common(torch.cat(left_over, dim=1))


class CUNet(nn.Module):
    """Restore depth from its own code and the one it has in common with the guide.

    207,375 parameters at the published options.

    Args:
        width: Channels of every code.
        rounds: How often a code is mended.

    Source: cindydeng1991/TPAMI-CU-Net@ac43ffc ``RGB_guided_depth_image_SR/Code/CUNet.py``. There both inputs come with
    their mean subtracted; here the network takes it off, image by image, and gives that of the target back.
    """

    def __init__(self, width: int = 64, rounds: int = 4) -> None:
        super().__init__()
        self.codes = CommonAndUnique(1, width, rounds)
        self.decode_unique = conv(width, 1)
        self.decode_common = conv(width, 1)

    def core(self, target: Tensor, luma: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) of mean 0 for a target and a luminance (b,1,H,W) of mean 0 each."""
        unique, _, common = self.codes(target, luma)
        return self.decode_unique(unique) + self.decode_common(common)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and an RGB or grey guide (b,3 or 1,H,W), about [0,1].

        An RGB guide becomes its ITU-601 luma.
        """
        if guide.shape[1] == 3:
            guide = (guide * guide.new_tensor(_LUMA_ITU601).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        level, luma_level = (image.mean(dim=(1, 2, 3), keepdim=True) for image in (target, guide))
        return self.core(target - level, guide - luma_level) + level


class CUNetFusion(nn.Module):
    """Fuse two colour images: decode what is image A's own, what is common, what is image B's own, and add.

    637,647 parameters at the published options.

    Args:
        width: Channels of every code.
        rounds: How often a code is mended.

    Source: cindydeng1991/TPAMI-CU-Net@ac43ffc ``MIF_Task_pytorch/Code/MIF_CUNet.py``. How its test images were prepared
    is not in that repository; here they are taken as they are, in [0,1] and with their means.
    """

    def __init__(self, width: int = 64, rounds: int = 4) -> None:
        super().__init__()
        self.codes = CommonAndUnique(3, width, rounds)
        self.decode_a = conv(width, 3)
        self.decode_common = conv(width, 3)
        self.decode_b = conv(width, 3)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the fused (b,3,H,W) of images A and B (b,3,H,W), all RGB in about [0,1]."""
        code_a, code_b, common = self.codes(target, guide)
        return self.decode_a(code_a) + self.decode_common(common) + self.decode_b(code_b)
