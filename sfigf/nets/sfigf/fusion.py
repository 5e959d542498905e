"""Simultaneous feature and image guided fusion: the two guided filters side by side, and a head that joins them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from sfigf.nets.blocks import ChannelGate, ChannelPixelGate, depthwise, joined, pointwise
from sfigf.nets.sfigf.features import CoupledLevel, Decoder, Encoder, Head, Stem, light_head
from sfigf.nets.sfigf.filters import FeatureGuidedFilter, ImageGuidedFilter
from sfigf.nets.sfigf.options import Options


def feature_filter(channels: int, options: Options, *, pooled_target: bool = False) -> FeatureGuidedFilter:
    """A feature guided filter with the options' heads, window and ablation."""
    return FeatureGuidedFilter(
        channels,
        self_heads=options.self_heads,
        cross_heads=options.cross_heads,
        kernel=options.kernel,
        dilation=options.dilation,
        drop_path=options.drop_path,
        pooled_target=pooled_target,
        attention=options.attention,
    )


class OneWayFusion(nn.Module):
    """Depth, pan, raw-red and the inner part of raw-mono: the guide filters the target.

    Args:
        channels: C of target and guide.
        options: Sizes and ablations.
        head: Makes the head for a number of input channels.
        mono: The raw-mono form: joint features of their own, CPA gates, active coefficients, pooled target, a tail.
        decoded: Whether a decoder gathers the filtered features; pan takes those of its one level as they are.
    """

    def __init__(
        self,
        channels: int,
        options: Options,
        head: Callable[[int], Head],
        *,
        mono: bool = False,
        decoded: bool = True,
    ) -> None:
        super().__init__()
        width, levels = options.width, options.used_levels
        self.stem = Stem(channels, width)
        self.encoder = Encoder(width, levels, own_joint=mono)
        self.image_filter = ImageGuidedFilter(width, channels, active=mono) if options.filters_image else None
        inputs = channels if options.filters_image else 0
        if options.filters_features:
            widths = [width * 2**level for level in range(levels)]
            self.filters = nn.ModuleList(feature_filter(n, options, pooled_target=mono) for n in widths)
            self.decoder = Decoder(width, levels, ChannelPixelGate if mono else ChannelGate) if decoded else None
            features = self.decoder.channels[0] if self.decoder else width
            self.tail = _tail(features, channels) if mono else nn.Identity()
            inputs += channels if mono else features
        self.filters_features = options.filters_features
        self.head = head(inputs)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the head's output for P and G (b, C, H, W)."""
        pyramid = self.encoder(*self.stem(target, guide))
        branches = []
        if self.image_filter is not None:
            branches.append(self.image_filter([*pyramid[0]], guide, [target, guide]))
        if self.filters_features:
            filtered = [level_filter(t, g) for level_filter, (t, g) in zip(self.filters, pyramid, strict=True)]
            decoded = filtered[0] if self.decoder is None else self.decoder(filtered, pyramid[-1])
            branches.append(self.tail(decoded))
        return self.head(joined(branches))


def _tail(features: int, channels: int) -> nn.Sequential:
    return nn.Sequential(depthwise(features), nn.GELU(), pointwise(features, channels), nn.GELU())


class TwoWayFusion(nn.Module):
    """Focus: each of two images filters the other; one level."""

    def __init__(self, channels: int, options: Options) -> None:
        super().__init__()
        width = options.width
        self.stem = Stem(channels, width)
        self.coupled = CoupledLevel(width)
        self.filters_image, self.filters_features = options.filters_image, options.filters_features
        if self.filters_image:
            self.image_filters = nn.ModuleList(ImageGuidedFilter(width, channels) for _ in range(2))
        if self.filters_features:
            self.filters = nn.ModuleList(feature_filter(width, options) for _ in range(2))
            self.tails = nn.ModuleList(_tail(width, channels) for _ in range(2))
        self.head = light_head(2 * channels * (self.filters_image + self.filters_features), channels)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the fused image (b, C, H, W) of A and B."""
        a, b = self.coupled(*self.stem(first, second))
        return self.head(self.branches(a, b, first, second))

    def branches(self, a: Tensor, b: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Return what the head joins, from the features a and b (b, c, H, W) of A and B."""
        ways = (((b, a), second), ((a, b), first))  # (p, i) of the feature filter, image that the image filter scales
        branches = []
        for way, (features, image) in enumerate(ways):
            if self.filters_image:
                branches.append(self.image_filters[way]([a, b], image, [first, second]))
            if self.filters_features:
                branches.append(self.tails[way](self.filters[way](*features)))
        return joined(branches)
