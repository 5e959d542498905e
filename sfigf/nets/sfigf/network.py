"""The five released networks, for images of any size.

Liu, Zhao, Liang, Zeng, Meng, Zhang: Guided Image Restoration via Simultaneous Feature and Image Guided Fusion,
arXiv 2312.08853; structure after the released code, Xinyil256/SFIGF@3600cd0.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import UserError
from sfigf.nets.sfigf.debayer import DebayerFilter
from sfigf.nets.sfigf.features import dense_head, expanding_head
from sfigf.nets.sfigf.fusion import OneWayFusion, TwoWayFusion
from sfigf.nets.sfigf.options import RELEASED, VARIANTS, Options, Variant
from sfigf.nets.sfigf.start import start_even, start_small, start_transparent

LUMA = (0.299, 0.587, 0.114)


@dataclasses.dataclass(frozen=True)
class Sides:
    """The image sides a network can take: multiples of ``multiple`` from ``least`` on."""

    multiple: int
    least: int

    def fit(self, side: int) -> int:
        """Return the smallest side that is taken and not below ``side``."""
        return max(self.least, -(-side // self.multiple) * self.multiple)

    def pad(self, image: Tensor) -> Tensor:
        """Grow an image at its end to sides that are taken: reflected, or replicated where it is too short for that."""
        height, width = image.shape[-2:]
        for sides in ((0, self.fit(width) - width, 0, 0), (0, 0, 0, self.fit(height) - height)):
            if any(sides):
                length = width if sides[1] else height
                image = functional.pad(image, sides, mode="reflect" if max(sides) < length else "replicate")
        return image


class SFIGF(nn.Module):
    """Depth, pan, focus and raw-red: ``restored = net(target, guide)``.

    Args:
        variant: One of ``depth``, ``pan``, ``focus``, ``raw-red``.
        options: Sizes and ablations; the authors' by default.
        bands: Channels C of the target (depth 1, focus 3, raw-red 4, pan as the sensor has).
    """

    def __init__(self, variant: Variant, options: Options, bands: int) -> None:
        super().__init__()
        self.variant, self.options, self.bands = variant, options, bands
        self.upscale = 2 if variant == "raw-red" else 1
        levels = options.used_levels
        if variant == "focus":
            self.fusion: TwoWayFusion | OneWayFusion = TwoWayFusion(bands, options)
        else:
            outputs = 3 if variant == "raw-red" else bands
            head = functools.partial(dense_head, outputs=outputs, upscale=self.upscale)
            self.fusion = OneWayFusion(bands, options, head, decoded=variant != "pan")
        self.sides = Sides(multiple=2 ** max(0, levels - 2), least=2**levels)
        if variant == "focus":
            start_small(self)
        if options.even_start:
            start_even(self)
            if variant == "focus":
                start_transparent(self.fusion.head.out)
        if options.residual or options.even_start:
            self.fusion.head.start_at_zero()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored image.

        Args:
            target: (b, C, H, W) about [0, 1]: upsampled depth, upsampled bands, image A, or packed noisy raw.
            guide: (b, Cg, H, W) about [0, 1]: RGB or luma, PAN, image B, or the packed guide of raw-red.

        Returns:
            (b, C, H, W); raw-red: sRGB (b, 3, 2H, 2W).

        Raises:
            UserError: If sizes or channels do not agree.
        """
        height, width = target.shape[-2:]
        first, second = self.arrange(target, guide)
        restored = self.fusion(self.sides.pad(first), self.sides.pad(second))
        restored = restored[..., : height * self.upscale, : width * self.upscale]
        return restored + self.base(target, guide) if self.options.residual else restored

    def base(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return where a residual network starts: the target; both images' mean; or P, the clean raw guide, as grey."""
        if self.variant == "focus":
            return (target + guide) / 2
        if self.variant == "raw-red":
            return functional.pixel_shuffle(guide, 2).expand(-1, 3, -1, -1)
        return target

    def arrange(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return P and G with C channels each."""
        if target.shape[0] != guide.shape[0] or target.shape[-2:] != guide.shape[-2:]:
            raise UserError(f"target {tuple(target.shape)} and guide {tuple(guide.shape)} differ in batch or size")
        channels = guide.shape[1]
        taken = {"depth": (1, 3), "pan": (1, self.bands)}.get(self.variant, (self.bands,))
        if target.shape[1] != self.bands or channels not in taken:
            raise UserError(
                f"this {self.variant} network takes a target of {self.bands} channels and a guide of "
                f"{' or '.join(map(str, taken))}; they have {target.shape[1]} and {channels}"
            )
        if self.variant == "depth" and channels == 3:
            guide = (guide * guide.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
        guide = guide.expand_as(target)
        # The released raw-red forward takes the clean red guide as P and the noisy raw as G, against their names.
        return (guide, target) if self.variant == "raw-red" else (target, guide)


class RawMonoSFIGF(nn.Module):
    """Raw-mono: ``mono, rgb = net(raw)``; the guide is a mono image that the network estimates itself.

    Args:
        options: Sizes and ablations; the authors' by default.
    """

    def __init__(self, options: Options = RELEASED["raw-mono"]) -> None:
        super().__init__()
        if options.residual:
            raise UserError("residual adds the target to the output; raw's output is sRGB on a grid twice as fine")
        self.options = options
        self.debayer = DebayerFilter()
        self.fusion = OneWayFusion(4, options, functools.partial(expanding_head, outputs=3), mono=True)
        levels = options.used_levels
        self.sides = Sides(multiple=max(16, 2**levels), least=max(16, 2 * 2**levels))
        start_small(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mono estimate (b, 1, H, W) and sRGB (b, 3, H, W) of a Bayer mosaic (b, 1, H, W) about [0, 1].

        Raises:
            UserError: If the mosaic has more than one channel.
        """
        if raw.shape[1] != 1:
            raise UserError(f"raw-mono takes a Bayer mosaic of one channel, not {raw.shape[1]}")
        height, width = raw.shape[-2:]
        raw = self.sides.pad(raw)
        mono = self.debayer(raw)
        rgb = self.fusion(functional.pixel_unshuffle(raw, 2), functional.pixel_unshuffle(mono, 2))
        return mono[..., :height, :width], rgb[..., :height, :width]


def build_sfigf(variant: Variant, *, bands: int | None = None, **changes: Any) -> SFIGF | RawMonoSFIGF:
    """Return one of the five networks as released, or with changed ``Options``.

    Args:
        variant: ``depth``, ``pan``, ``focus``, ``raw-red`` or ``raw-mono``.
        bands: Channels of the target; 1, 8, 3 and 4 by default.
        changes: Fields of ``Options`` that differ from the released ones.

    Raises:
        UserError: If variant or options are unknown or do not fit.
    """
    if variant not in VARIANTS:
        raise UserError(f"unknown SFIGF variant '{variant}'; known are {', '.join(VARIANTS)}")
    options = dataclasses.replace(RELEASED[variant], **changes)
    if variant == "raw-mono":
        return RawMonoSFIGF(options)
    if variant in {"pan", "focus"} and options.levels != 1:
        raise UserError(f"the {variant} network has one level, not {options.levels}")
    return SFIGF(variant, options, bands or {"depth": 1, "pan": 8, "focus": 3, "raw-red": 4}[variant])
