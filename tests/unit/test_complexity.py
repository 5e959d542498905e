"""Counts against sums done by hand."""

from __future__ import annotations

from torch import Tensor, nn

from sfigf.interface import Signature
from sfigf.nets.attention.module import NeighbourhoodAttention
from sfigf.nets.complexity import count_multiply_adds, count_parameters
from sfigf.nets.sfigf import build_sfigf


class _ByHand(nn.Module):
    """One of each kind of layer, on an image of 24x30."""

    def __init__(self) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(3, 4, 3, padding=1)
        self.spread = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.attend = NeighbourhoodAttention(4, 2, cross=True)
        self.linear = nn.Linear(30, 5)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        return self.linear(self.attend(self.spread(self.convolve(target)), self.convolve(guide)))


def test_multiply_adds_by_hand() -> None:
    pixels = 24 * 30
    convolutions = 2 * 3 * 4 * 9 * pixels + 4 * 9 * pixels
    attention = (4 * 4 + 4 * 8 + 4 * 4) * pixels + 2 * 49 * 4 * pixels
    linear = 4 * 24 * 30 * 5
    assert count_multiply_adds(_ByHand(), Signature(3, 3, 4), 24, 30) == convolutions + attention + linear


def test_parameters_of_the_released_sizes() -> None:
    expected = {"depth": 4912501, "pan": 81452, "focus": 89779, "raw-red": 4921928, "raw-mono": 12828289}
    assert {variant: count_parameters(build_sfigf(variant)) for variant in expected} == expected


def test_counting_leaves_the_network_as_it_was() -> None:
    network = build_sfigf("depth", width=8, levels=2)
    small, large = (count_multiply_adds(network, Signature(1, 3, 1), side, side) for side in (64, 128))
    assert 3.9 < large / small < 4.1
    assert all(parameter.device.type == "cpu" for parameter in network.parameters())


def test_a_network_without_guide_is_counted_on_the_mosaic():
    from sfigf.nets.sfigf import build_sfigf

    signature = Signature(4, 0, 3, 2)
    network = build_sfigf("raw-mono", width=8)
    small, large = (count_multiply_adds(network, signature, side, side) for side in (32, 64))
    assert 3 < large / small < 5
