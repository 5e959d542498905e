"""SVLRM: spatially variant linear representation (Pan, Dong, Ren, Lin, Tang, Yang, CVPR 2019), for four tasks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import Signature, UserError

_LUMA_ITU601 = (0.299, 0.587, 0.114)


class SVLRM(nn.Module):
    """Predict a slope and an offset per output value; the output is ``slope * guide + offset``.

    The published network restores depth with a grey guide: 371,650 parameters at width 64 and depth 10. Here the same
    formula serves any task whose guide can be laid beside the output:

    * depth: an RGB guide becomes its ITU-601 luma;
    * pan: one slope and offset per band, all on the panchromatic image;
    * focus: one per colour channel, on the same channel of image B;
    * raw: twelve at packed resolution (colour, 2x2 phase), on the guide plane of that phase, then a pixel shuffle.

    Args:
        signature: Channel counts and magnification.
        width: Channels of the trunk.
        depth: 3x3 layers between the first and the last.
        residual: Add the target to the output; not in the published formula.

    Raises:
        UserError: If the guide cannot be laid beside the output, or a residual is asked of shapes that differ.

    Source: curlyqian/SVLRM@f62186b ``depthUpsampling/`` (depth); the other three are the same formula.
    """

    def __init__(self, signature: Signature, width: int = 64, depth: int = 10, residual: bool = False) -> None:
        super().__init__()
        self.signature = signature
        self.residual = residual
        self.phases = signature.upscale**2
        outputs = signature.output * self.phases
        self.grey_guide = signature.guide == 3 and outputs == 1
        self.guide_channels = 1 if self.grey_guide else signature.guide
        self._check(outputs)
        self.first = nn.Conv2d(signature.target + self.guide_channels, width, 3, padding=1)
        self.trunk = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(depth))
        self.last = nn.Conv2d(width, 2 * outputs, 3, padding=1)
        for layer in (self.first, *self.trunk, self.last):
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (9 * layer.out_channels)))

    def _check(self, outputs: int) -> None:
        if self.guide_channels not in (1, self.phases, outputs):
            raise UserError(
                f"svlrm: a guide of {self.guide_channels} channels cannot be laid beside {outputs} output values a "
                f"pixel; give 1, {self.phases} or {outputs}"
            )
        if self.residual and self.signature.target != outputs:
            raise UserError(
                f"svlrm: residual adds a target of {self.signature.target} channels to {outputs} output values a "
                "pixel; leave residual out for this task"
            )

    def coefficients(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return slope and offset, each (b,output*upscale^2,H,W), for a target and a guide that is already grey."""
        features = functional.relu(self.first(torch.cat([target, guide], dim=1)))
        for layer in self.trunk:
            features = functional.relu(layer(features))
        slope, offset = self.last(features).chunk(2, dim=1)
        return slope, offset

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,output,H*upscale,W*upscale) for (b,target,H,W) and (b,guide,H,W), both about [0,1]."""
        if self.grey_guide:
            weights = guide.new_tensor(_LUMA_ITU601).view(1, 3, 1, 1)
            guide = (guide * weights).sum(dim=1, keepdim=True)
        slope, offset = self.coefficients(target, guide)
        beside = guide.repeat(1, slope.shape[1] // guide.shape[1], 1, 1)  # index colour * phases + phase
        restored = slope * beside + offset
        if self.residual:
            restored = restored + target
        return functional.pixel_shuffle(restored, self.signature.upscale)
