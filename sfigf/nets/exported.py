"""The network in a form that can be exported: every size is a tensor in the graph, and no branch looks at one.

``exportable`` copies a network and exchanges the parts that decide by an image's size for parts that compute with it.
They give the same values; only an exporter has use for them.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.attention.module import NeighbourhoodAttention
from sfigf.nets.sfigf.features import Decoder
from sfigf.nets.sfigf.filters import FeatureGuidedFilter
from sfigf.nets.sfigf.network import Sides

Windows = tuple[Tensor, Tensor]
Softmax = tuple[Tensor, Tensor, Tensor]


def exportable(network: nn.Module) -> nn.Module:
    """Return a copy of a network, in eval mode, that an exporter can trace once for every size."""
    network = copy.deepcopy(network).eval()
    forms: dict[type, type] = {
        NeighbourhoodAttention: GraphAttention,
        Decoder: GraphDecoder,
        FeatureGuidedFilter: GraphFilter,
    }
    for module in network.modules():
        module.__class__ = forms.get(type(module), type(module))
        if isinstance(sides := getattr(module, "sides", None), Sides):
            module.sides = GraphSides(sides.multiple, sides.least)  # type: ignore[assignment]
    return network


class GraphSides(Sides):
    """``Sides`` whose padding is index arithmetic."""

    def pad(self, image: Tensor) -> Tensor:
        """Grow an image as ``Sides.pad`` does."""
        for dim in (-1, -2):
            whole = (_length(image, dim) + self.multiple - 1) // self.multiple * self.multiple
            image = _grown(image, dim, whole.clamp(min=self.least))
        return image


class GraphDecoder(Decoder):
    """``Decoder`` that always gathers what it may have to reflect."""

    def forward(self, filtered: list[Tensor], coarsest: Any) -> Tensor:
        """Return f_1 from [q_1 .. q_L] and (t_L, g_L)."""
        features = self.gates[-1](torch.cat([filtered[-1], *coarsest], dim=1))
        for q, up, gate in zip(filtered[-2::-1], reversed(self.ups), reversed(self.gates[:-1]), strict=True):
            finer = up(features)
            for dim in (-1, -2):
                finer = _grown(finer, dim, _length(q, dim))
            features = gate(torch.cat([q, finer], dim=1))
        return features


class GraphFilter(FeatureGuidedFilter):
    """``FeatureGuidedFilter`` whose pooled target needs no normalised shape."""

    def forward(self, target: Tensor, guide: Tensor, pooled: Tensor | None = None) -> Tensor:
        """Return q (b, n, h, w) from p and i (b, n, h, w)."""
        if self.pooled_target and pooled is None:
            centred = target - target.mean(dim=(1, 2, 3), keepdim=True)
            deviation = (centred.square().mean(dim=(1, 2, 3), keepdim=True) + 1e-5).sqrt()
            pooled = centred.mean(dim=(2, 3), keepdim=True) / deviation
        return super().forward(target, guide, pooled)


class GraphAttention(NeighbourhoodAttention):
    """``NeighbourhoodAttention`` on plain operators: one column of taps at a time, with a running softmax."""

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return (b, n, H, W)."""
        height, width = sides = _length(x, -2), _length(x, -1)
        if y is not None:
            query = self.query(x)
            key, value = self.key_value(self._pad(y)).chunk(2, dim=1)
        else:
            query, key, value = self.query_key_value(self._pad(x)).chunk(3, dim=1)
            query = query[..., :height, :width]
        query, key, value = (features.unflatten(1, (self.heads, -1)) for features in (query, key, value))
        mixed = self._attend(query * query.shape[2] ** -0.5, key, value, *map(self._windows, sides))
        return self.project(mixed.flatten(1, 2))

    def _pad(self, x: Tensor) -> Tensor:
        extent = self.kernel * self.dilation
        below, right = ((extent - _length(x, dim)).clamp(min=0) for dim in (-2, -1))
        return functional.pad(x, (0, right, 0, below))  # type: ignore[arg-type]

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, vertical: Windows, horizontal: Windows) -> Tensor:
        (first_row, row_bias), (first_column, column_bias) = vertical, horizontal
        taps = range(self.kernel)
        rows = [first_row + tap * self.dilation for tap in taps]
        biases = torch.stack([self.bias.index_select(1, row_bias + tap) for tap in taps], dim=1)

        def column(tap: int) -> Softmax:
            keys, values = (x.index_select(-1, first_column + tap * self.dilation) for x in (key, value))
            logits = torch.stack([(query * keys.index_select(-2, row)).sum(dim=2) for row in rows], dim=2)
            logits = logits + biases.index_select(-1, column_bias + tap)
            largest = logits.amax(dim=2)
            weights = torch.exp(logits - largest.unsqueeze(2))
            terms = (weights[:, :, i].unsqueeze(2) * values.index_select(-2, row) for i, row in enumerate(rows))
            return largest, weights.sum(dim=2), functools.reduce(torch.add, terms)

        _, total, mixed = functools.reduce(_merged, map(column, taps))
        return mixed / total.unsqueeze(2)

    def _windows(self, side: Tensor) -> Windows:
        """First key and its bias index of every pixel along an axis, as ``windows.axis_windows`` has them."""
        length = side.clamp(min=self.kernel * self.dilation)
        pixel = torch.arange(side)  # type: ignore[call-overload]
        position = torch.div(pixel, self.dilation, rounding_mode="trunc")
        phase = pixel - position * self.dilation
        last = torch.div(length - 1 - phase, self.dilation, rounding_mode="trunc") + 1 - self.kernel
        start = torch.minimum((position - self.kernel // 2).clamp(min=0), last)
        return phase + start * self.dilation, start - position + self.kernel - 1


class DetailEncoded(nn.Module):
    """A network with the encoding ``detail`` around it (``sfigf.encoding``): takes and gives plain images.

    Args:
        network: ``network(target, guide)`` of encoded images.
        gain: Factor of what is left of an image when its low-pass is taken off.
        sigma: Standard deviation of the low-pass in pixels; cut at four of them, borders repeated.
    """

    kernel: Tensor

    def __init__(self, network: nn.Module, gain: float, sigma: float) -> None:
        super().__init__()
        self.network: nn.Module = network
        self.gain, self.radius = gain, int(4 * sigma + 0.5)
        steps = torch.arange(-self.radius, self.radius + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
        self.register_buffer("kernel", (kernel / kernel.sum()).float())

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored image (b, Co, H, W) on the scale of ``target``."""
        if target.shape[1] == guide.shape[1]:
            low = guide_low = self._low((target + guide) / 2)
        else:
            low, guide_low = self._low(target), self._low(guide)
        restored = self.network((target - low) * self.gain, (guide - guide_low) * self.gain)
        return restored / self.gain + low

    def _low(self, image: Tensor) -> Tensor:
        planes = functional.pad(image.flatten(0, 1).unsqueeze(1), (self.radius,) * 4, mode="replicate")
        low = functional.conv2d(functional.conv2d(planes, self.kernel.view(1, 1, -1, 1)), self.kernel.view(1, 1, 1, -1))
        return low.view_as(image)


def _merged(one: Softmax, other: Softmax) -> Softmax:
    """Two parts of a softmax as one: largest logit, sum of weights, weighted sum of values."""
    largest = torch.maximum(one[0], other[0])
    fades = [torch.exp(part[0] - largest) for part in (one, other)]
    total = one[1] * fades[0] + other[1] * fades[1]
    return largest, total, one[2] * fades[0].unsqueeze(2) + other[2] * fades[1].unsqueeze(2)


def _length(x: Tensor, dim: int) -> Tensor:
    """A side as a tensor: while tracing it is one already, and stays in the graph."""
    return torch.as_tensor(x.shape[dim])


def _grown(x: Tensor, dim: int, length: Tensor) -> Tensor:
    """Lengthen an axis at its end: reflected, or its last value repeated where it is too short for that."""
    last = _length(x, dim) - 1
    index = torch.arange(length)  # type: ignore[call-overload]
    reflected = last - (last - index).abs()
    return x.index_select(dim, torch.where(length - 1 - last <= last, reflected, torch.minimum(index, last)))
