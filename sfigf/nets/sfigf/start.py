"""How weights begin. It changes no forward pass: weights that are loaded afterwards know nothing of it."""

from __future__ import annotations

import math

from torch import nn

from sfigf.nets.attention.module import PixelLinear
from sfigf.nets.blocks import ChannelGate, NAFBlock


def start_small(network: nn.Module) -> None:
    """Draw every convolution from N(0, 0.02), as focus and raw-mono do; Linears keep their usual initial values."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not isinstance(module, PixelLinear):
            nn.init.normal_(module.weight, std=0.02)
            nn.init.normal_(module.bias, std=0.02)  # type: ignore[arg-type]


def start_even(network: nn.Module) -> None:
    """Keep signals alike in size from the first layer to the last, so that a short training need not first grow them.

    Convolutions: N(0, 2 / fan-in), zero bias (He et al. 2015; the GELU passes about half of the power). Channel gates
    begin as identity. NAF blocks begin with a tenth of their branches instead of none.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not isinstance(module, PixelLinear):
            nn.init.normal_(module.weight, std=math.sqrt(2 / module.weight[0].numel()))
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for module in network.modules():
        if isinstance(module, ChannelGate):
            nn.init.zeros_(module.mix.weight)
            nn.init.ones_(module.mix.bias)  # type: ignore[arg-type]
        if isinstance(module, NAFBlock):
            nn.init.constant_(module.beta, 0.1)
            nn.init.constant_(module.gamma, 0.1)


def start_transparent(head: nn.Sequential) -> None:
    """Let the first layer of a light head (depthwise, GELU, pointwise) begin as identity, where GELU is straight."""
    first = head[0]
    nn.init.dirac_(first.weight, groups=first.groups)  # type: ignore[arg-type]
    nn.init.constant_(first.bias, 3.0)  # type: ignore[arg-type]
