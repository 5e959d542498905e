"""DJFR: deep joint image filtering with a residual (Li, Huang, Ahuja, Yang, TPAMI 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALLEST_PX = 5  # a 9x9 kernel with padding 2 needs this much


def filter_branch(channels: int, width: int) -> nn.Sequential:
    """Return the 9x9, 1x1, 5x5 sub-network ``channels -> width -> width/2 -> 1``.

    Every layer pads by 2, the 1x1 too: the sizes go -4, +4, 0, and the ring around the 1x1 layer carries its bias.
    """
    branch = nn.Sequential(
        nn.Conv2d(channels, width, 9, padding=2),
        nn.ReLU(),
        nn.Conv2d(width, width // 2, 1, padding=2),
        nn.ReLU(),
        nn.Conv2d(width // 2, 1, 5, padding=2),
    )
    for name, parameter in branch.named_parameters():
        nn.init.normal_(parameter, std=0.0 if name.endswith("bias") else 0.02)
    return branch


class DJFR(nn.Module):
    """Filter target and guide apart, join them, filter again, add the target.

    56,323 parameters at the published width with an RGB guide.

    Args:
        guide_channels: Channels of the guide.
        width: Filters of the first layer of the two input branches; the joint branch has two thirds of it.

    Source: the same-size form of ashawkey/jiif@acfa3f9 ``models/djf.py``. The first release of the authors
    (Yijunmaverick/DeepJointFilter@e6f2c82) does not pad its joint branch and so loses 6 px on every side.
    """

    def __init__(self, guide_channels: int = 3, width: int = 96) -> None:
        super().__init__()
        self.target_branch = filter_branch(1, width)
        self.guide_branch = filter_branch(guide_channels, width)
        self.joint_branch = filter_branch(2, width * 2 // 3)

    def joined(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return what the joint branch makes of both, (b,1,H,W); shapes as in ``forward``."""
        height, width = target.shape[-2:]
        # max(0, missing), in a form that an exported graph works out anew for each size
        right, bottom = ((missing + abs(missing)) // 2 for missing in (_SMALLEST_PX - width, _SMALLEST_PX - height))
        margin = (0, right, 0, bottom)
        padded_target, padded_guide = (functional.pad(image, margin, mode="replicate") for image in (target, guide))
        features = torch.cat([self.target_branch(padded_target), self.guide_branch(padded_guide)], dim=1)
        return self.joint_branch(features)[..., :height, :width]

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and a guide (b,g,H,W), both about [0,1]."""
        return target + self.joined(target, guide)
