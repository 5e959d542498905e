"""FDSR: fast depth super-resolution with octave convolutions (He et al., CVPR 2021)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.depth_inputs import grey_as_bgr, padded_end

_PHASES = 4  # the network works on a grid this much coarser, the phases being channels
_MULTIPLE_PX = 8  # the low-frequency half is coarser by another 2


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, 0.2)


def _conv(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)


class OctaveConv(nn.Module):
    """Convolve a fine and a half-size map and let them exchange (Chen et al., ICCV 2019); no bias, LeakyReLU 0.2.

    Args:
        fine_in: Channels of the fine input.
        coarse_in: Channels of the half-size input; 0 where there is none yet.
        fine: Channels of the fine output.
        coarse: Channels of the half-size output.
    """

    def __init__(self, fine_in: int, coarse_in: int, fine: int, coarse: int) -> None:
        super().__init__()
        self.fine_to_fine = _conv(fine_in, fine, bias=False)
        self.fine_to_coarse = _conv(fine_in, coarse, bias=False)
        self.coarse_to_fine = _conv(coarse_in, fine, bias=False) if coarse_in else None
        self.coarse_to_coarse = _conv(coarse_in, coarse, bias=False) if coarse_in else None

    def forward(self, fine: Tensor, coarse: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return (b,fine,H,W) and (b,coarse,H/2,W/2) for inputs of these sizes."""
        new_fine, new_coarse = self.fine_to_fine(fine), self.fine_to_coarse(functional.avg_pool2d(fine, 2))
        if coarse is not None and self.coarse_to_fine is not None and self.coarse_to_coarse is not None:
            new_fine = new_fine + functional.interpolate(self.coarse_to_fine(coarse), scale_factor=2, mode="nearest")
            new_coarse = new_coarse + self.coarse_to_coarse(coarse)
        return _leaky(new_fine), _leaky(new_coarse)


class MultiScaleBlock(nn.Module):
    """``x + mix(near(x) + far(x))``: a plain and a dilated 3x3 layer, each activated, joined by a 1x1 layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = _conv(width, width)
        self.far = nn.Conv2d(width, width, 3, padding=2, dilation=2)
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.mix(_leaky(self.near(features)) + _leaky(self.far(features)))


class FDSR(nn.Module):
    """Add to the target what its features, joined step by step by the fine features of the guide, make of it.

    601,105 parameters at the published width. The half-size output of the last octave convolution is not used by the
    original: its weights are stored and never learn. The grey of the guide weighs its channels as if they were B, G, R.

    Args:
        width: Features of each input; three quarters of the guide's are fine, one quarter half-size.

    Source: lingzhi96/RGB-D-D-Dataset@4397c18 ``codes/models.py``, ``codes/octconv.py``.
    """

    dead: ClassVar[tuple[str, ...]] = ("octaves.2.fine_to_coarse", "octaves.2.coarse_to_coarse")

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        coarse = width // 4
        fine = width - coarse
        self.guide_head = _conv(_PHASES**2, width)
        self.target_head = _conv(_PHASES**2, width)
        inputs = [(width, 0), (fine, coarse), (fine, coarse)]
        self.octaves = nn.ModuleList(OctaveConv(*channels, fine, coarse) for channels in inputs)
        self.blocks = nn.ModuleList(MultiScaleBlock(width + step * fine) for step in range(4))
        self.up = nn.ModuleList([_conv(width + 3 * fine, 4 * width), _conv(width, 4 * width)])
        self.last = _conv(width, 1)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and an RGB guide (b,3,H,W), both about [0,1].

        Sizes that are no multiple of 8 are padded by replication and cropped again.
        """
        height, width = target.shape[-2:]
        images = [padded_end(image, _MULTIPLE_PX) for image in (target, grey_as_bgr(guide))]
        phases = [functional.pixel_unshuffle(image, _PHASES) for image in images]
        features, fine = self.blocks[0](_leaky(self.target_head(phases[0]))), _leaky(self.guide_head(phases[1]))
        coarse = None
        for octave, block in zip(self.octaves, self.blocks[1:], strict=True):
            fine, coarse = octave(fine, coarse)
            features = block(torch.cat([features, fine], dim=1))
        features = _leaky(features)
        for layer in self.up:
            features = functional.pixel_shuffle(layer(features), 2)
        return target + self.last(features)[..., :height, :width]
