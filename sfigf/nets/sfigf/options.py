"""What can be chosen about a network, and what the authors chose."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

from sfigf.interface import UserError

Variant = Literal["depth", "pan", "focus", "raw-red", "raw-mono"]
Branches = Literal["full", "image-only", "feature-only"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


@dataclasses.dataclass(frozen=True)
class Options:
    """Sizes and ablations of one network.

    Attributes:
        width: Channels c of the first level.
        levels: Levels of the pyramid, 1 to 4 and more (pan and focus have one).
        self_heads: Heads of the self-attention, reduced to a divisor of a level's channels where needed.
        cross_heads: Heads of the cross-attention, reduced likewise.
        kernel: Side of the attention window in taps.
        dilation: Distance of its taps in pixels of the level.
        drop_path: Rate of stochastic depth in training.
        branches: ``full``, or one of the two guided filters alone.
        attention: ``cross`` as published; ``self`` or ``conv`` take the place of the cross-attention.
        residual: Add the target (focus: the mean of both images; raw-red: P as grey) to the output, from a zero start;
            not as published.
        even_start: Begin with signals of even size (see ``start_even``); the forward pass is as published.
    """

    width: int = 32
    levels: int = 1
    self_heads: int = 4
    cross_heads: int = 8
    kernel: int = 7
    dilation: int = 3
    drop_path: float = 0.0
    branches: Branches = "full"
    attention: Literal["cross", "self", "conv"] = "cross"
    residual: bool = False
    even_start: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or self.levels < 1:
            raise UserError(f"width and levels must be at least 1, not {self.width} and {self.levels}")
        if self.kernel % 2 == 0 or self.kernel < 1 or self.dilation < 1:
            raise UserError(f"kernel must be odd and dilation at least 1, not {self.kernel} and {self.dilation}")
        if self.branches not in get_args(Branches):
            raise UserError(f"unknown branches '{self.branches}'; known are {', '.join(get_args(Branches))}")

    @property
    def filters_image(self) -> bool:
        """Whether the image guided filter exists."""
        return self.branches != "feature-only"

    @property
    def filters_features(self) -> bool:
        """Whether the feature guided filters exist."""
        return self.branches != "image-only"

    @property
    def used_levels(self) -> int:
        """Levels that reach the output: the image branch alone reads the first only."""
        return self.levels if self.filters_features else 1


RELEASED: dict[str, Options] = {
    "depth": Options(levels=4),
    "pan": Options(),
    "focus": Options(drop_path=0.3),
    "raw-red": Options(levels=4),
    "raw-mono": Options(width=48, levels=4, self_heads=8, drop_path=0.3),
}
