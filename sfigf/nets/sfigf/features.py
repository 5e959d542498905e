"""Where features come from and where they go: stem, coupled levels, decoder, head."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.blocks import ChannelGate, ChannelPixelGate, NAFBlock, depthwise, joined, pointwise, spatial

Gate = Callable[[int], nn.Module]
Means = tuple[Tensor | None, Tensor | None]


class Stem(nn.Module):
    """First features of target, guide and both together: t0, g0, j0."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.target = spatial(channels, width)
        self.guide = spatial(channels, width)
        self.joint = spatial(2 * channels, width)

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return t0, g0, j0 (b, c, H, W) from P and G (b, C, H, W)."""
        t, g = functional.gelu(self.target(target)), functional.gelu(self.guide(guide))
        return t, g, functional.gelu(self.joint(joined([target, guide])))


class CoupledLevel(nn.Module):
    """Target and guide features each learn from the joint ones: ``t + U([t, j])``, ``g + U([g, j])``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.target = Update(channels)
        self.guide = Update(channels)

    def forward(self, t: Tensor, g: Tensor, joint: Tensor, means: Means = (None, None)) -> tuple[Tensor, Tensor]:
        """Return the new t and g (b, n, h, w); ``means`` as in ``gated``, where these are parts of an image."""
        return self.target(t, joint, means[0]) + t, self.guide(g, joint, means[1]) + g

    def gated(self, t: Tensor, g: Tensor, joint: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the gates of both sides pool."""
        return self.target.gated(t, joint), self.guide.gated(g, joint)


class Update(nn.Module):
    """``U([x, j])``: both mixed to n channels, then a NAF block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.mix = pointwise(2 * channels, channels)
        self.block = NAFBlock(channels)

    def forward(self, x: Tensor, joint: Tensor, mean: Tensor | None = None) -> Tensor:
        """Return (b, n, h, w)."""
        return self.block(self._mixed(x, joint), mean)

    def gated(self, x: Tensor, joint: Tensor) -> Tensor:
        """Return what the NAF block's gate pools."""
        return self.block.gated(self._mixed(x, joint))

    def _mixed(self, x: Tensor, joint: Tensor) -> Tensor:
        return functional.gelu(self.mix(joined([x, joint])))


class Encoder(nn.Module):
    """Coupled levels from fine to coarse; level k has ``width * 2^(k-1)`` channels.

    Args:
        width: Channels of the first level.
        levels: How many.
        own_joint: The joint features go down by themselves (raw-mono) instead of being rebuilt from t and g.
    """

    def __init__(self, width: int, levels: int, *, own_joint: bool = False) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.own_joint = own_joint
        self.coupled = nn.ModuleList(CoupledLevel(n) for n in widths)
        self.down_target = nn.ModuleList(self._down(n) for n in widths[:-1])
        self.down_guide = nn.ModuleList(self._down(n) for n in widths[:-1])
        self.down_joint = nn.ModuleList((self._down_own if own_joint else self._down_rebuilt)(n) for n in widths[:-1])

    @staticmethod
    def _down(n: int) -> nn.Sequential:
        return nn.Sequential(pointwise(n, 2 * n), nn.GELU(), nn.MaxPool2d(2))

    @staticmethod
    def _down_own(n: int) -> nn.Sequential:
        return nn.Sequential(pointwise(n, 2 * n), nn.GELU(), depthwise(2 * n), nn.GELU(), nn.MaxPool2d(2))

    @staticmethod
    def _down_rebuilt(n: int) -> nn.Sequential:
        mix = (pointwise(2 * n, n), nn.GELU(), depthwise(n, "zeros"), nn.GELU())
        return nn.Sequential(*mix, pointwise(n, 2 * n), nn.GELU(), nn.MaxPool2d(2))

    def forward(self, t: Tensor, g: Tensor, joint: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return (t_k, g_k) of every level."""
        pyramid = [self.coupled[0](t, g, joint)]
        downs = zip(self.down_target, self.down_guide, self.down_joint, self.coupled[1:], strict=True)
        for down_target, down_guide, down_joint, coupled in downs:
            t, g = pyramid[-1]
            joint = down_joint(joint if self.own_joint else joined([t, g]))
            pyramid.append(coupled(down_target(t), down_guide(g), joint))
        return pyramid


class Decoder(nn.Module):
    """From coarse to fine: ``f_L = gate([q_L, t_L, g_L])``, ``f_k = gate([q_k, up(f_k+1)])``."""

    def __init__(self, width: int, levels: int, gate: Gate = ChannelGate) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.channels = [2 * n for n in widths[:-1]] + [3 * widths[-1]]
        self.gates = nn.ModuleList(gate(n) for n in self.channels)
        self.ups = nn.ModuleList(self._up(m, n) for m, n in zip(self.channels[1:], widths[:-1], strict=True))

    @staticmethod
    def _up(inputs: int, outputs: int) -> nn.Sequential:
        resize = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        return nn.Sequential(pointwise(inputs, outputs), nn.GELU(), resize, depthwise(outputs), nn.GELU())

    def forward(self, filtered: list[Tensor], coarsest: Iterable[Tensor]) -> Tensor:
        """Return f_1 from [q_1 .. q_L] and (t_L, g_L)."""
        features = self.gates[-1](joined([filtered[-1], *coarsest]))
        for q, up, gate in zip(filtered[-2::-1], reversed(self.ups), reversed(self.gates[:-1]), strict=True):
            features = gate(joined([q, match(up(features), q)]))
        return features


def match(features: Tensor, like: Tensor) -> Tensor:
    """Reflect the last row and column once more where a maxpool had dropped one of ``like``."""
    below, right = (side - own for side, own in zip(like.shape[-2:], features.shape[-2:], strict=True))
    return functional.pad(features, (0, right, 0, below), mode="reflect") if below or right else features


class Head(nn.Module):
    """A CPA gate over all branches, then ``out``."""

    def __init__(self, inputs: int, *out: nn.Module) -> None:
        super().__init__()
        self.channels = inputs
        self.gate = ChannelPixelGate(inputs)
        self.out = nn.Sequential(*out)

    def start_at_zero(self) -> None:
        """Let the last convolution answer zero at first, so that a residual network begins as its base."""
        last = [module for module in self.out if isinstance(module, nn.Conv2d)][-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, branches: Tensor, mean: Tensor | None = None) -> Tensor:
        """Return the output image of all branches (b, n, H, W); ``mean`` where they are parts of an image."""
        return self.out(self.gate(branches, mean))


def dense_head(inputs: int, outputs: int, upscale: int = 1) -> Head:
    """Head of depth, pan and raw-red."""
    last = [nn.PixelShuffle(upscale)] if upscale > 1 else []
    return Head(inputs, spatial(inputs, inputs), nn.GELU(), pointwise(inputs, outputs * upscale**2), *last)


def light_head(inputs: int, outputs: int) -> Head:
    """Head of focus."""
    return Head(inputs, depthwise(inputs), nn.GELU(), pointwise(inputs, outputs))


def expanding_head(inputs: int, outputs: int, inner: int = 32) -> Head:
    """Head of raw-mono; doubles the size."""
    expand = (pointwise(inputs, inner), nn.GELU(), depthwise(inner), nn.GELU())
    return Head(inputs, *expand, pointwise(inner, outputs * 4), nn.PixelShuffle(2))
