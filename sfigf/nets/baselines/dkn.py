"""DKN: deformable kernel network (Kim, Ponce, Ham, IJCV 2021)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.deformable_kernels import TAPS, Taps, filter_taps

Passes = Literal["one", "sixteen"]
_STRIDE = 4
_BEFORE_PX, _AFTER_PX = 25, 24  # what the 50 px receptive field of a pixel reaches to either side


def layers(channels: int, width: int) -> nn.Sequential:
    """Return the trunk ``channels -> 4 width``: stride 4 and 50 px receptive field, no padding anywhere."""
    return nn.Sequential(
        *(nn.Conv2d(channels, width, 7), nn.BatchNorm2d(width), nn.ReLU()),
        *(nn.Conv2d(width, width, 2, stride=2), nn.ReLU()),
        *(nn.Conv2d(width, 2 * width, 5), nn.BatchNorm2d(2 * width), nn.ReLU()),
        *(nn.Conv2d(2 * width, 2 * width, 2, stride=2), nn.ReLU()),
        *(nn.Conv2d(2 * width, 4 * width, 5), nn.BatchNorm2d(4 * width), nn.ReLU()),
        *(nn.Conv2d(4 * width, 4 * width, 3), nn.ReLU()),
        *(nn.Conv2d(4 * width, 4 * width, 3), nn.ReLU()),
    )


class Kernels(nn.Module):
    """Nine weights and nine offsets a pixel, from the 50x50 px round it (zero outside the image)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.features = layers(channels, width)
        self.weights = nn.Conv2d(4 * width, TAPS, 1)
        self.offsets = nn.Conv2d(4 * width, 2 * TAPS, 1)

    def _heads(self, features: Tensor) -> Tensor:
        return torch.cat([torch.sigmoid(self.weights(features)), self.offsets(features)], dim=1)

    def in_sixteen_passes(self, image: Tensor) -> Tensor:
        """Shift and stitch, as published: one pass at stride 4 for each of the 16 shifts, put together again."""
        height, width = image.shape[-2:]
        image = functional.pad(image, (0, -width % _STRIDE, 0, -height % _STRIDE))
        shifts = [(row, column) for row in range(_STRIDE) for column in range(_STRIDE)]
        passes = []
        for row, column in shifts:
            margin = (_BEFORE_PX - column, _AFTER_PX - 2 + column, _BEFORE_PX - row, _AFTER_PX - 2 + row)
            passes.append(self._heads(self.features(functional.pad(image, margin))))
        phases = torch.stack(passes, dim=2).flatten(1, 2)
        return functional.pixel_shuffle(phases, _STRIDE)[..., :height, :width]

    def in_one_pass(self, image: Tensor) -> Tensor:
        """The same values: every stride is left out, and the layers after it are dilated instead."""
        features = functional.pad(image, (_BEFORE_PX, _AFTER_PX, _BEFORE_PX, _AFTER_PX))
        dilation = 1
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                features = functional.conv2d(features, layer.weight, layer.bias, dilation=dilation)
                dilation *= layer.stride[0]
            else:
                features = layer(features)
        return self._heads(features)

    def forward(self, image: Tensor, passes: Passes) -> tuple[Tensor, Tensor]:
        """Return weights in (0,1) (b,9,H,W) and offsets (b,18,H,W) px of an image (b,c,H,W)."""
        found = self.in_one_pass(image) if passes == "one" else self.in_sixteen_passes(image)
        return found[:, :TAPS], found[:, TAPS:]


class DKN(nn.Module):
    """Filter the target with nine taps a pixel; guide and target each give weights and offsets, which are multiplied.

    1,158,070 parameters at the published width with an RGB guide.

    Args:
        guide_channels: Channels of the guide.
        width: Channels of the first two layers; the later ones have two and four times as many.
        taps: Where the taps lie without offsets; see ``FDKN``.
        residual: Weights sum to 0 and the target is added (as released), or they sum to 1.
        passes: ``sixteen``: shift and stitch, as published. ``one``: the same values with seven tenths of the
            multiply-adds, but feature maps of the full size, so 16 times the memory of one of the sixteen. In training
            they differ in one thing: batch normalisation sees all pixels at once, not each shift by itself.

    Source: cvlab-yonsei/dkn@46626aa ``models.py``. The guide is RGB in [0,1] without normalisation.
    """

    def __init__(
        self,
        guide_channels: int = 3,
        width: int = 32,
        taps: Taps = "centred",
        residual: bool = True,
        passes: Passes = "one",
    ) -> None:
        super().__init__()
        self.taps = taps
        self.residual = residual
        self.passes: Passes = passes
        self.guide_kernels = Kernels(guide_channels, width)
        self.target_kernels = Kernels(1, width)

    def kernels(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights (b,9,H,W) and offsets (b,18,H,W) px for a target (b,1,H,W) and a guide (b,g,H,W)."""
        pairs = zip(self.guide_kernels(guide, self.passes), self.target_kernels(target, self.passes), strict=True)
        weights, offsets = (of_guide * of_target for of_guide, of_target in pairs)
        return weights, offsets

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and a guide (b,g,H,W), both about [0,1]."""
        weights, offsets = self.kernels(target, guide)
        return filter_taps(target, weights, offsets, self.taps, self.residual)
