"""IFCNN-MAX: a general image fusion network (Zhang et al., Information Fusion 54, 2020)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import UserError

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class ConvBlock(nn.Module):
    """3x3 convolution with replicated border and no bias, batch normalisation, ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate", bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.normal_(self.conv.weight, std=math.sqrt(2 / (9 * width)))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return functional.relu(self.norm(self.conv(features)))


class IFCNN(nn.Module):
    """Extract features of both images with shared weights, keep the larger, reconstruct.

    83,587 parameters at the published width. The published stem is the first layer of an ImageNet ResNet-101, frozen
    (stride 1 here, no bias, nothing after it), which leaves 74,179 to learn. Those weights do not come with this
    package: by default the stem is learned with the rest, and published numbers are not this network's.

    Args:
        width: Channels of every layer but the last.
        frozen_stem: The stem is not trained; until its weights are loaded (``state_dict`` key ``stem.weight``) it holds
            zeros, and ``forward`` refuses.

    Source: uzeful/IFCNN@8fe59c2 ``Code/model.py``.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int = 64, frozen_stem: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, padding=3, padding_mode="replicate", bias=False)
        self.extract = ConvBlock(width)
        self.merge = ConvBlock(width)
        self.reconstruct = nn.Conv2d(width, 3, 1)
        nn.init.normal_(self.stem.weight, std=math.sqrt(2 / (49 * width)))
        nn.init.normal_(self.reconstruct.weight, std=math.sqrt(2 / 3))
        if frozen_stem:
            nn.init.zeros_(self.stem.weight.requires_grad_(False))
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_IMAGENET_DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the fused (b,3,H,W) of images A and B (b,3,H,W), all RGB in about [0,1].

        ImageNet normalisation is applied inside and undone at the end; nothing is clipped.

        Raises:
            UserError: If the stem is frozen and its weights were never loaded.
        """
        self._check_stem()
        # One pass over both images: batch normalisation then sees the statistics of the pair.
        images = (torch.cat([target, guide]) - self.mean) / self.deviation
        features_a, features_b = self.extract(self.stem(images)).chunk(2)
        fused = self.reconstruct(self.merge(torch.maximum(features_a, features_b)))
        return fused * self.deviation + self.mean

    def _check_stem(self) -> None:
        stem = self.stem.weight
        if not (stem.requires_grad or stem.is_meta or stem.any()):
            raise UserError(
                "ifcnn: the frozen stem has no weights; name a safetensors file that holds the first layer of an "
                "ImageNet ResNet-101 (conv1.weight, 64x3x7x7) in stem_file, or leave stem: learned"
            )
