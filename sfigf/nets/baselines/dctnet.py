"""DCTNet: coupled features, joined by a problem that the discrete cosine transform solves (Zhao et al., CVPR 2022)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.depth_inputs import imagenet, padded_end, precise

_SMALLEST_PX = 15  # the edge weight takes a stride of 2 and then a pool of 7 px


def laplacian(image: Tensor) -> Tensor:
    """Return (b,n,H,W): the sum of the eight neighbours less eight times the pixel, over 16; borders reflected."""
    mean = functional.avg_pool2d(functional.pad(image, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    return (mean - image) * (9 / 16)


def cosine(values: Tensor) -> Tensor:
    """Type II cosine transform of the last axis, not normalised, in float32 or float64.

    Source: Makhoul, "A fast cosine transform in one and two dimensions", IEEE TASSP 1980.
    """
    interleaved = torch.cat([values[..., ::2], values[..., 1::2].flip(-1)], dim=-1)
    return 2 * (torch.fft.fft(interleaved) * _turns(values, -1)).real


def inverse_cosine(spectrum: Tensor) -> Tensor:
    """Undo ``cosine``."""
    side = spectrum.shape[-1]
    mirrored = functional.pad(spectrum[..., 1:].flip(-1), (1, 0))
    interleaved = torch.fft.ifft(torch.complex(spectrum, -mirrored) * _turns(spectrum, 1) / 2).real
    even, odd = interleaved[..., : (side + 1) // 2], interleaved[..., (side + 1) // 2 :].flip(-1)
    pairs = torch.stack([even, functional.pad(odd, (0, even.shape[-1] - odd.shape[-1]))], dim=-1)
    return pairs.flatten(-2)[..., :side]


def _turns(like: Tensor, sign: int) -> Tensor:
    side = like.shape[-1]
    angle = torch.arange(side, dtype=like.dtype, device=like.device) * (sign * math.pi / (2 * side))
    return torch.polar(torch.ones_like(angle), angle)


def smoothed(values: Tensor, strength: Tensor) -> Tensor:
    """Solve ``(1 + strength K^2) z = values`` with K the 5-point Laplacian, edges mirrored.

    Args:
        values: (b,n,H,W) float32 or float64.
        strength: (1,n,1,1), positive.
    """
    rows, columns = (
        2 * (torch.cos(torch.arange(side, dtype=values.dtype, device=values.device) * (math.pi / side)) - 1)
        for side in values.shape[-2:]
    )
    spectrum = cosine(cosine(values).mT).mT / (1 + strength * (rows[:, None] + columns).square())
    return inverse_cosine(inverse_cosine(spectrum).mT).mT


class CoupledConv(nn.Module):
    """Two 3x3 convolutions, one per branch, that have their first half of filters in common."""

    def __init__(self, width: int) -> None:
        super().__init__()
        common = width // 2
        self.common = nn.Conv2d(width, common, 3, padding=1)
        self.target = nn.Conv2d(width, width - common, 3, padding=1)
        self.guide = nn.Conv2d(width, width - common, 3, padding=1)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_uniform_(parameter)

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two branches, each (b,width,H,W), activated by nothing."""
        return self._apply_to(target, self.target), self._apply_to(guide, self.guide)

    def _apply_to(self, features: Tensor, own: nn.Conv2d) -> Tensor:
        return torch.cat([self.common(features), own(features)], dim=1)


class CoupledLayer(nn.Module):
    """``relu(second(relu(first(x))) + x)`` of each branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = CoupledConv(width)
        self.second = CoupledConv(width)

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return both branches, each of the shape it came in (b,width,H,W)."""
        inner = [functional.relu(features) for features in self.first(target, guide)]
        new_target, new_guide = self.second(*inner)
        return functional.relu(new_target + target), functional.relu(new_guide + guide)


class EdgeWeight(nn.Module):
    """A weight in (0,1) for each guide feature, from a small map of wide surroundings."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 4
        self.squeeze = nn.Conv2d(width, inner, 1)
        self.across = nn.Conv2d(inner, inner, 1)
        self.halve = nn.Conv2d(inner, inner, 3, stride=2)
        self.small = nn.ModuleList(nn.Conv2d(inner, inner, 3, padding=1) for _ in range(3))
        self.expand = nn.Conv2d(inner, width, 1)
        self.dilated = nn.Conv2d(inner, inner, 3, padding=2, dilation=2)

    def forward(self, features: Tensor) -> Tensor:
        """Return (b,width,H,W) for features of that shape, at least 15 px on each side."""
        squeezed = self.squeeze(features)
        small = functional.max_pool2d(self.halve(squeezed), 7, stride=3)
        small = self.small[2](functional.relu(self.small[1](functional.relu(self.small[0](small)))))
        wide = functional.interpolate(small, squeezed.shape[-2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.expand(wide + self.across(squeezed)))


class DCTNet(nn.Module):
    """Give the features of the target the weighted edges of the guide's, by a problem solved in closed form.

    482,865 parameters at the published width and depth, 2,320 of them in a dilated layer that the original stores and
    never calls. The original clamps to [0,1] in its tests, where the truth lies in [0,1]; here the truth may leave the
    range of the coarse map, so nothing is clamped but, by the last ReLU, what is below 0. Its transform diagonalises
    the 5-point Laplacian while its right-hand side has the 9-point one: kept, the released weights are of that.

    Args:
        width: Channels of the features of each branch.
        depth: Coupled layers; the comments of the original say 3, its code 4.

    Source: Zhaozixiang1228/GDSR-DCTNet@5243875 ``model.py``, ``dct.py``.
    """

    dead: ClassVar[tuple[str, ...]] = ("edge_weight.dilated",)

    def __init__(self, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.target_head = nn.Conv2d(1, width, 3, padding=1)
        self.guide_head = nn.Conv2d(3, width, 3, padding=1)
        self.coupled = nn.ModuleList(CoupledLayer(width) for _ in range(depth))
        self.edge_weight = EdgeWeight(width)
        self.log_strength = nn.Parameter(torch.empty(1, width, 1, 1))
        nn.init.normal_(self.log_strength, 0.1, 0.3)
        widths = (width, width // 2, width // 4, 1)
        self.decoder = nn.ModuleList(nn.Conv2d(inputs, outputs, 3, padding=1) for inputs, outputs in pairwise(widths))

    def join(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return features (b,width,H,W) near the target's, with the weighted edges of the guide's; both that shape."""
        strength = precise(self.log_strength).exp()
        weighted = precise(self.edge_weight(guide)) * laplacian(precise(guide))
        return smoothed(strength * laplacian(weighted) + precise(target), strength).to(target.dtype)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W), not below 0, for a target (b,1,H,W) and an RGB guide (b,3,H,W) in [0,1].

        Sides below 15 px are padded by replication and cropped again.
        """
        height, width = target.shape[-2:]
        images = [padded_end(image, 1, _SMALLEST_PX) for image in (target, imagenet(guide))]
        features, edges = functional.relu(self.target_head(images[0])), functional.relu(self.guide_head(images[1]))
        for layer in self.coupled:
            features, edges = layer(features, edges)
        restored = self.join(features, edges)
        for layer in self.decoder:
            restored = functional.relu(layer(restored))
        return restored[..., :height, :width]
