"""Encoder and decoder of SFIGF level by level on planes; every level's gates are answered before it goes on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.blocks import ChannelGate, joined
from sfigf.nets.sfigf.features import CoupledLevel, Decoder, Encoder, Stem
from sfigf.nets.tiled.planes import Map, Plane, Size, Tally
from sfigf.nets.tiled.sweeps import Passes, with_margin
from sfigf.regions import Region

Features = Callable[[Region], tuple[Tensor, ...]]
# What the passes weigh against each other, for the progress: about the time they take.
MEASURE, RUN, RAISE = 0.15, 1.0, 0.15


def stem_features(stem: Stem, images: list[Plane]) -> Features:
    """Return t0, g0, j0 of any region of P and G."""

    def compute(outer: Region) -> tuple[Tensor, ...]:
        return stem(*(plane.read(outer) for plane in images))

    return lambda region: with_margin(compute, region, 1, images[0].size)


class Level:
    """One coupled level: its gates' means, from a pass of their own, then t and g of any region.

    Args:
        number: Counted from 0.
        coupled: Its module.
        features: t, g and j that go in.
        size: H and W of the level.
        passes: How it is walked over.
    """

    def __init__(self, number: int, coupled: CoupledLevel, features: Features, size: Size, passes: Passes) -> None:
        self.number, self.coupled, self.features, self.size, self.passes = number, coupled, features, size, passes
        self.channels = coupled.target.channels
        tallies = [Tally(size), Tally(size)]
        for region in passes.over(size, number, MEASURE):
            for tally, values in zip(tallies, with_margin(self._gated, region, 1, size), strict=True):
                tally.add(values)
        self.means = (tallies[0].mean, tallies[1].mean)

    def couple(self, region: Region) -> tuple[Tensor, ...]:
        """Return t and g of a region."""
        return with_margin(self._coupled, region, 1, self.size)

    def pooled_target(self) -> Tensor:
        """Return ``pooled_mean`` of t over the whole image, from one more pass."""
        first, second = Tally(self.size), Tally(self.size)
        for region in self.passes.over(self.size, self.number, MEASURE):
            t = self.couple(region)[0].double()
            first.add(t)
            second.add(t.square())
        mean, square = first.mean, second.mean.mean()
        centre = mean.mean()
        return ((mean - centre) / (square - centre.square() + 1e-5).sqrt()).to(self.means[0].dtype)

    def _gated(self, outer: Region) -> tuple[Tensor, ...]:
        return self.coupled.gated(*self.features(outer))

    def _coupled(self, outer: Region) -> tuple[Tensor, ...]:
        return self.coupled(*self.features(outer), self.means)


class Descent:
    """From one level to the next: t, g and j after their maxpools, on planes.

    Args:
        encoder: Has the layers.
        level: The level to go down from.
    """

    def __init__(self, encoder: Encoder, level: Level) -> None:
        height, width = level.size
        self.encoder, self.level, self.size = encoder, level, (height // 2, width // 2)
        self.planes = [level.passes.plane(2 * level.channels, self.size) for _ in range(3)]
        self.layers = [layers[level.number] for layers in (encoder.down_target, encoder.down_guide, encoder.down_joint)]

    def write(self, region: Region, outer: Region, t: Tensor, g: Tensor) -> None:
        """Go down with the t and g of ``outer``, which is two pixels larger than the region at least."""
        cut = region.grown(2, *self.level.size)
        t, g = (cut.inside(outer).of(values) for values in (t, g))
        joint = self.level.features(cut)[2] if self.encoder.own_joint else joined([t, g])
        below = region.under(2)
        if below.height and below.width:
            for plane, layer, values in zip(self.planes, self.layers, (t, g, joint), strict=True):
                plane.write(below, below.inside(cut.under(2)).of(layer(values)))

    def read(self, region: Region) -> tuple[Tensor, ...]:
        """Return t, g and j of a region of the next level."""
        return tuple(plane.read(region) for plane in self.planes)


class Gated:
    """A gate over maps side by side, computed when it is read.

    Args:
        gate: A ``ChannelGate`` or ``ChannelPixelGate``.
        maps: What it joins.
        size: H and W.
    """

    def __init__(self, gate: nn.Module, maps: list[Map], size: Size) -> None:
        self.gate, self.maps, self.size = gate, maps, size
        self._mean = torch.cat([values.mean for values in maps], dim=1)

    @property
    def mean(self) -> Tensor:
        """Mean over the image; only a gate that scales whole channels can tell it."""
        assert isinstance(self.gate, ChannelGate)
        return self.gate(self._mean, self._mean)

    def read(self, region: Region) -> Tensor:
        """Return the gated values of a region."""
        margin = 0 if isinstance(self.gate, ChannelGate) else 1
        return with_margin(self._compute, region, margin, self.size)[0]

    def _compute(self, outer: Region) -> tuple[Tensor]:
        return (self.gate(joined(values.read(outer) for values in self.maps), self._mean),)


def decode(decoder: Decoder, filtered: list[Plane], coarsest: list[Plane], passes: Passes) -> Gated:
    """Return f_1 from the planes of q_1 .. q_L and of (t_L, g_L)."""
    features = Gated(decoder.gates[-1], [filtered[-1], *coarsest], filtered[-1].size)
    for level in reversed(range(len(filtered) - 1)):
        size = filtered[level].size
        raised = passes.plane(filtered[level].channels, size)
        for region in passes.over(size, level, RAISE):
            raised.write(region, _raise(decoder.ups[level], features, region, size))
        for plane in features.maps:
            plane.free()  # type: ignore[attr-defined]
        features = Gated(decoder.gates[level], [filtered[level], raised], size)
    return features


def _raise(up: nn.Module, features: Gated, region: Region, size: Size) -> Tensor:
    """Bring the coarse features up to a region; a row or column that a maxpool dropped is reflected."""
    coarse = region.over(2).grown(2, *features.size)
    raised = up(features.read(coarse))
    outer = coarse.times(2)
    below, right = size[0] - outer.bottom, size[1] - outer.right
    if below == 1 or right == 1:
        raised = functional.pad(raised, (0, int(right == 1), 0, int(below == 1)), mode="reflect")
    return region.inside(outer).of(raised)
