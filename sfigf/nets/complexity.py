"""What a network costs: parameters and multiply-adds."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from sfigf.interface import Signature
from sfigf.nets import takes_mosaic
from sfigf.nets.attention.module import NeighbourhoodAttention


def count_parameters(module: nn.Module) -> int:
    """Return the number of values that training may change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def count_multiply_adds(module: nn.Module, signature: Signature, height: int, width: int) -> int:
    """Return the multiply-adds of one forward pass on one image.

    Counted are convolutions, matrix products and neighbourhood attention (logits and weighted values); not counted are
    biases, activations, normalisations, pooling and resizing, as is usual in published tables. Nothing is computed:
    a copy of the network runs on shapes alone.

    Args:
        module: ``forward(target, guide)`` on (1, C, H, W), or ``forward(mosaic)`` of raw-mono.
        signature: Channels of target and guide.
        height: Rows of target and guide in pixels.
        width: Columns.
    """
    shapes = copy.deepcopy(module).to("meta").eval()
    attended = 0

    def count_attention(layer: NeighbourhoodAttention, _: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal attended
        attended += 2 * layer.kernel**2 * out.numel()

    for layer in shapes.modules():
        if isinstance(layer, NeighbourhoodAttention):
            layer.register_forward_hook(count_attention)
    inputs = [torch.empty(1, n, height, width, device="meta") for n in (signature.target, signature.guide)]
    if takes_mosaic(shapes):  # target is packed or the mosaic itself
        inputs = [functional.pixel_shuffle(inputs[0], 2) if signature.target == 4 else inputs[0]]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shapes(*inputs)
    return counter.get_total_flops() // 2 + attended
