"""PGSR: depth super-resolution on piecewise planes (Xu, Yao, Guan, Xiong, IEEE TCI 2024; the code calls it PDSR)."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.depth_inputs import grey_as_bgr, imagenet, low_resolution, padded_end, precise
from sfigf.nets.baselines.pgsr_planes import (
    FusionDepth,
    PlaneInterpolation,
    PlaneReconstruction,
    conv,
    leaky,
    residual_groups,
)

_PHASES = 4
_SMALLEST_PX = 8  # the coordinates of the planes need two columns of phases
_STAGES = 3
_LOSS_SCALE = 100.0
_AUXILIARY_WEIGHT = 5e-4
_PLANE_WEIGHT = 1e-5


@dataclasses.dataclass(frozen=True)
class Stages:
    """What the three interpolations leave: features (b,n,h,w), and per stage its fusion and its two depth maps."""

    target: Tensor
    guide: Tensor
    fusions: list[Tensor]
    depths: list[Tensor]


class PGSR(nn.Module):
    """Describe the scene by a plane at each pixel, from both inputs, and let the planes of the guide correct the depth.

    728,737 parameters at the published width. The original makes three layers that merge the fusion into the target's
    features and three for the guide's, and uses the first of each at all three stages: the others are stored and never
    learn. The three heads that turn a fusion into depth serve ``loss`` alone. The original clamps to [0,1] in its
    tests; here the truth may leave the range of the coarse map, so nothing is clamped.

    Args:
        width: Channels of the features of each input.
        factor: Ratio of the grid of the target to that of the map it was upsampled from.

    Source: XrKang/PGSR@237e976 ``src/PDSR.py``, ``arch_utils.py``, ``train.py``.
    """

    dead: ClassVar[tuple[str, ...]] = (
        *(f"merge_{role}.{stage}" for role in ("target", "guide") for stage in range(1, _STAGES)),
        "fusion_depths",
    )

    def __init__(self, width: int = 32, factor: int = 8) -> None:
        super().__init__()
        self.factor = factor
        half = width // 2
        self.target_head, self.guide_head = conv(_PHASES**2, width), conv(_PHASES**2, width)
        self.common_head = conv(_PHASES**2, half)
        squeezed = max(1, width // 16)
        self.target_groups = residual_groups(width, squeezed)
        self.guide_groups = residual_groups(width, squeezed)
        self.common_groups = residual_groups(half, squeezed)
        self.target_semi, self.guide_semi = conv(width + half, width), conv(width + half, width)
        self.interpolations = nn.ModuleList(PlaneInterpolation(width) for _ in range(_STAGES))
        self.fusion_depths = nn.ModuleList(FusionDepth(half) for _ in range(_STAGES))
        self.merge_target = nn.ModuleList(conv(width + half, width) for _ in range(_STAGES))
        self.merge_guide = nn.ModuleList(conv(width + half, width) for _ in range(_STAGES))
        self.reconstruction = PlaneReconstruction(width)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and an RGB guide (b,3,H,W), both about [0,1].

        Sizes that are no multiple of 4 and of ``factor``, or below 8 px, are padded by replication and cropped again.
        """
        height, width = target.shape[-2:]
        return self.core(*self._inputs(target, guide))[..., :height, :width]

    def core(self, upsampled: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W).

        Args:
            upsampled: (b,1,H,W), the low-resolution map enlarged by torch's bicubic (which is not Pillow's).
            guide: (b,3,H,W) normalised by the statistics of ImageNet; H and W multiples of 4, at least 8.
        """
        return self._reconstructed(self._stages(upsampled, guide))

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """Return the squared error of 100 times the depth, plus that of the three stages.

        5e-4 weighs the depth of each fusion, 1e-5 the depth of the planes against the truth at a quarter of the size,
        where a pixel counts if all 16 it covers are valid. ``valid`` is (b,1,H,W) in {0,1}.
        """
        stages = self._stages(*self._inputs(target, guide))
        height, width = stages.target.shape[-2:]
        missing = (0, width * _PHASES - truth.shape[-1], 0, height * _PHASES - truth.shape[-2])
        truth, valid = functional.pad(truth, missing, mode="replicate"), functional.pad(valid, missing)
        total = _error(self._reconstructed(stages), truth, valid)
        for head, fusion in zip(self.fusion_depths, stages.fusions, strict=True):
            total = total + _AUXILIARY_WEIGHT * _error(head(fusion), truth, valid)
        small_truth = functional.interpolate(truth, (height, width), mode="bicubic", align_corners=False)
        small_valid = -functional.max_pool2d(-valid, _PHASES)
        for depth in stages.depths:
            total = total + _PLANE_WEIGHT * _error(depth, small_truth, small_valid)
        return total

    def _inputs(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        multiple = math.lcm(_PHASES, self.factor)
        target, guide = (padded_end(image, multiple, _SMALLEST_PX) for image in (target, guide))
        low = precise(low_resolution(target, self.factor))
        upsampled = functional.interpolate(low, target.shape[-2:], mode="bicubic", align_corners=False)
        return upsampled.to(target.dtype), imagenet(guide)

    def _stages(self, upsampled: Tensor, guide: Tensor) -> Stages:
        images = (functional.pixel_unshuffle(image, _PHASES) for image in (upsampled, grey_as_bgr(guide)))
        target, guide = self._features(*images)
        fusions, depths = [], []
        for interpolation in self.interpolations:
            fusion, *both = interpolation(target, guide)
            target = leaky(self.merge_target[0](torch.cat([fusion, target], dim=1)))
            guide = leaky(self.merge_guide[0](torch.cat([fusion, guide], dim=1)))
            fusions.append(fusion)
            depths += both
        return Stages(target, guide, fusions, depths)

    def _features(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        common = [self.common_groups(leaky(self.common_head(image))) for image in (target, guide)]
        target = self.target_groups(leaky(self.target_head(target)))
        guide = self.guide_groups(leaky(self.guide_head(guide)))
        target = leaky(self.target_semi(torch.cat([target, common[0]], dim=1)))
        return target, leaky(self.guide_semi(torch.cat([guide, common[1]], dim=1)))

    def _reconstructed(self, stages: Stages) -> Tensor:
        return self.reconstruction(stages.target, stages.guide, stages.fusions[-1])


def _error(restored: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    squares = (_LOSS_SCALE * (precise(restored) - truth)).square() * valid
    return squares.sum() / valid.sum().clamp_min(1)
