"""Parts of PGSR: planes, the depth they mean, depth moved along the guide's planes, and the last reconstruction."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.depth_inputs import precise

_REFINEMENTS = 3
_REACH = 0.1  # a tenth of half the image


def conv(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution with a border of zeros."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)


def leaky(features: Tensor) -> Tensor:
    """LeakyReLU 0.1."""
    return functional.leaky_relu(features, 0.1)


class AttentiveBlock(nn.Module):
    """``x + gate(mean(y)) y`` with ``y = conv(leaky(conv(x)))``: RCAB (Zhang et al., ECCV 2018), LeakyReLU 0.01."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.first, self.second = conv(width, width), conv(width, width)
        self.squeeze, self.expand = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        inner = self.second(functional.leaky_relu(self.first(features), 0.01))
        mean = inner.mean(dim=(-2, -1), keepdim=True)
        return features + inner * torch.sigmoid(self.expand(functional.relu(self.squeeze(mean))))


class ResidualGroup(nn.Module):
    """``x + conv(two attentive blocks)``."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(AttentiveBlock(width, squeezed) for _ in range(2)))
        self.last = conv(width, width, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.last(self.blocks(features))


def residual_groups(width: int, squeezed: int) -> nn.Sequential:
    """Two groups, one after the other."""
    return nn.Sequential(*(ResidualGroup(width, squeezed) for _ in range(2)))


def head(inputs: int, inner: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ELU, 3x3 convolution."""
    return nn.Sequential(conv(inputs, inner), nn.BatchNorm2d(inner), nn.ELU(), conv(inner, outputs))


def unit_planes(parameters: Tensor) -> Tensor:
    """Return planes (b,4,h,w): a unit normal p, q, r and a scale s, in float32 or float64, of four raw channels."""
    normal, scale = precise(parameters).split([3, 1], dim=1)
    return torch.cat([normal / (normal.square().sum(dim=1, keepdim=True) + 1e-6).sqrt(), scale], dim=1)


def depth_of(planes: Tensor) -> Tensor:
    """Return the depth (b,1,h,w) of planes (b,4,h,w): ``1 / max((p u + q v + r) s, 1)``, in (0,1].

    The coordinates are scaled twice, as in the original, whose weights are of that.
    """
    height, width = planes.shape[-2:]
    v, u = (_coordinate(side, max(height, width), planes) for side in (height, width))
    p, q, r, s = planes.unbind(1)
    return 1 / ((p * u + q * v[:, None] + r) * s).clamp_min(1)[:, None]


def _coordinate(side: int, longer: int, like: Tensor) -> Tensor:
    place = torch.arange(side, dtype=like.dtype, device=like.device)
    return ((place - (side - 1) / 2) / longer / (side - 1) - 0.5) * 2


def _pixel_grid(like: Tensor) -> Tensor:
    """Return (1,h,w,2): x and y of every pixel, -1 to 1 from the first to the last."""
    y, x = (torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device) for side in like.shape[-2:])
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]


class PlaneInterpolation(nn.Module):
    """Estimate depth from the guide's plane here, and from its plane at a seed pixel that the target points to.

    Args:
        width: Channels of the features of target and guide.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.seeds = head(width, quarter, 3)
        self.planes = head(width, quarter, 4)
        self.of_depth, self.of_target = conv(1, half), conv(width, half)
        self.fuse = conv(2 * half, half)

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fusion (b,width/2,h,w) and the depths of both planes (b,1,h,w), of features (b,width,h,w)."""
        confidence, offset = precise(self.seeds(target)).split([1, 2], dim=1)
        planes = unit_planes(self.planes(guide))
        seeds = functional.grid_sample(planes, self._followed(offset), padding_mode="border", align_corners=True)
        here, there = depth_of(planes), depth_of(seeds)
        depth = torch.lerp(here, there, torch.sigmoid(confidence)).to(target.dtype)
        joined = torch.cat([leaky(self.of_target(target)), leaky(self.of_depth(depth))], dim=1)
        return self.fuse(joined), here, there

    def _followed(self, offset: Tensor) -> Tensor:
        """Return where the seeds are (b,h,w,2): each pixel's offset, plus three times the offset found there."""
        grid = _pixel_grid(offset)
        offset = _REACH * torch.tanh(offset)
        for _ in range(_REFINEMENTS):
            place = (grid + offset.permute(0, 2, 3, 1)).clamp(-1, 1)
            offset = offset + functional.grid_sample(offset, place, align_corners=True)
        return (grid + offset.permute(0, 2, 3, 1)).clamp(-1, 1)


class FusionDepth(nn.Module):
    """Depth at four times the size, of a fusion: what the loss of a stage looks at."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ModuleList(conv(width, 4 * width) for _ in range(2))
        self.last = conv(width, 1)

    def forward(self, fusion: Tensor) -> Tensor:
        """Return (b,1,4h,4w) for (b,width,h,w)."""
        for layer in self.up:
            fusion = leaky(functional.pixel_shuffle(layer(fusion), 2))
        return self.last(fusion)


class PlaneReconstruction(nn.Module):
    """Let the guide in where its planes agree with the target's, and go back to full size.

    Args:
        width: Channels of the features of target and guide.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.target_planes = head(width, 4, 4)
        self.mutual = conv(4 + width // 2, 4)
        self.guide_planes = head(width, width // 4, 4)
        self.query = nn.Sequential(conv(4, width), conv(width, width))
        self.key = nn.Sequential(conv(4, width), conv(width, width))
        self.value = conv(width, width)
        self.inner = nn.Sequential(conv(width, width, bias=False), nn.LeakyReLU(0.1), conv(width, width, bias=False))
        self.join = nn.Conv2d(2 * width, width, 1)
        self.groups = residual_groups(width, max(1, width // 16))
        self.up = nn.ModuleList([conv(width, 4 * width), conv(width, 8 * width)])
        self.fine, self.last = conv(2 * width, 2 * width), conv(2 * width, 1)

    def forward(self, target: Tensor, guide: Tensor, fusion: Tensor) -> Tensor:
        """Return depth (b,1,4h,4w) of features (b,width,h,w) and a fusion (b,width/2,h,w)."""
        planes = unit_planes(self.target_planes(target)).to(target.dtype)
        query = self.query(leaky(self.mutual(torch.cat([planes, fusion], dim=1))))
        key = self.key(unit_planes(self.guide_planes(guide)).to(guide.dtype))
        agreement = torch.sigmoid((query * key).sum(dim=1, keepdim=True))
        both = torch.cat([self.value(guide) * agreement, target + self.inner(target)], dim=1)
        features = self.groups(leaky(self.join(both)))
        for layer in self.up:
            features = leaky(functional.pixel_shuffle(layer(features), 2))
        return self.last(leaky(self.fine(features)))
