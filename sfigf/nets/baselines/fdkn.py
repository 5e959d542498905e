"""FDKN: fast deformable kernel network (Kim, Ponce, Ham, IJCV 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.deformable_kernels import TAPS, Taps, filter_taps
from sfigf.nets.baselines.depth_inputs import grey_as_bgr, padded_end

_STRIDE = 4
_PHASES = _STRIDE**2


class FastKernels(nn.Module):
    """Nine weights and nine offsets a pixel, all found at a quarter of the size: 16 phases in, 16 phases out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = _PHASES
        for wide in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
            layers += [nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU()]
            channels = wide
        self.features = nn.Sequential(*layers)
        self.weights = nn.Conv2d(channels, TAPS * _PHASES, 1)
        self.offsets = nn.Conv2d(channels, 2 * TAPS * _PHASES, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights in (0,1) (b,144,H/4,W/4) and offsets (b,288,H/4,W/4) px of an image (b,1,H,W)."""
        features = self.features(functional.pixel_unshuffle(image, _STRIDE))
        return torch.sigmoid(self.weights(features)), self.offsets(features)


class FDKN(nn.Module):
    """Filter the target with nine taps a pixel; guide and target each give weights and offsets, which are multiplied.

    693,856 parameters at the published width.

    Args:
        width: Channels of the first two layers; the next pairs have two and four times as many.
        taps: Where the taps lie without offsets. The released code never centres them on the pixel; ``centred``, ours,
            does. For the released weights take ``corners``, with which they were trained, or ``half-pixel``, which the
            released code does under torch of today.
        residual: Weights sum to 0 and the target is added (as released), or they sum to 1.

    Source: cvlab-yonsei/dkn@46626aa ``models.py``. A colour guide becomes grey with the luma weights in the order of
    BGR, as there, although it is RGB. The border that fills a size up to a multiple of 4 is replicated: ours.
    """

    def __init__(self, width: int = 32, taps: Taps = "centred", residual: bool = True) -> None:
        super().__init__()
        self.taps = taps
        self.residual = residual
        self.guide_kernels = FastKernels(width)
        self.target_kernels = FastKernels(width)

    def kernels(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights (b,9,H,W) and offsets (b,18,H,W) px for images (b,1,H,W) whose sides are multiples of 4."""
        pairs = zip(self.guide_kernels(guide), self.target_kernels(target), strict=True)
        weights, offsets = (functional.pixel_shuffle(of_guide * of_target, _STRIDE) for of_guide, of_target in pairs)
        return weights, offsets

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and an RGB or grey guide (b,3 or 1,H,W), about [0,1]."""
        if guide.shape[1] == 3:
            guide = grey_as_bgr(guide)
        height, width = target.shape[-2:]
        maps = self.kernels(padded_end(target, _STRIDE), padded_end(guide, _STRIDE))
        weights, offsets = (found[..., :height, :width] for found in maps)
        return filter_taps(target, weights, offsets, self.taps, self.residual)
