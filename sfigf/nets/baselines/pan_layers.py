"""What several pan-sharpening networks share: the coarse bands, sizes in whole coarse pixels, one initialisation."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional


def coarse_bands(target: Tensor, factor: int) -> Tensor:
    """Recover the coarse bands (b,C,h,w) from their 23-tap interpolation (b,C,h*factor,w*factor).

    The interpolation keeps coarse pixel ``i`` at ``factor*i + factor//2``, so this is exact on a whole image. A patch
    that starts elsewhere, or was flipped, gives interpolated bands instead: in place, but a little smoother.
    """
    return target[..., factor // 2 :: factor, factor // 2 :: factor]


def whole_coarse_pixels(image: Tensor, factor: int) -> Tensor:
    """Repeat the last row and column of (b,C,H,W) until both sides are multiples of ``factor``."""
    height, width = image.shape[-2:]
    return functional.pad(image, (0, -width % factor, 0, -height % factor), mode="replicate")


def truncated_normal(module: nn.Module) -> None:
    """Give every ``Conv2d`` truncated normal weights, variance 1.3 * 2 / fan-in, cut at two deviations, and no bias.

    Source: the initialisation of PanNet and DiCNN in liangjiandeng/DLPan-Toolbox@a34f884.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            deviation = math.sqrt(2.6 / layer.weight[0].numel())
            nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
            nn.init.zeros_(layer.bias)
