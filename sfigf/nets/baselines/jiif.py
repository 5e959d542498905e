"""JIIF: joint implicit image function for guided depth super-resolution (Tang, Chen, Zeng, ACM Multimedia 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.depth_inputs import imagenet, low_resolution, padded_end, resized

_CHUNK = 2**14
_PUBLISHED_LAYERS = (1024, 512, 256, 128)
_PUBLISHED_QUERIES = 30_720


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))`` with 3x3 layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        return features + self.second(functional.relu(self.first(features)))


class Encoder(nn.Module):
    """The body of EDSR (Lim et al., CVPRW 2017): residual blocks between a head and a layer that adds the head."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return (b,width,H,W) for (b,channels,H,W)."""
        features = self.head(image)
        return features + self.tail(self.blocks(features))


class JIIF(nn.Module):
    """At each pixel, four coarse neighbours each propose a value and a weight, seen through the guide's features.

    10,830,978 parameters at the published options with an RGB guide. The published 10,831,026 count 48 more: frozen
    1x1 layers that shift means, stored in both encoders and never called, and left out here. A neighbour beyond the
    border counts with features of zero and lies at the centre of the image, as in the original. The original reads its
    guide as B, G, R and normalises it with the statistics of R, G, B; that is done here, to an RGB guide.

    Args:
        width: Features of each encoder.
        blocks: Residual blocks of each encoder.
        layers: Widths of the hidden layers of the implicit function.
        factor: Ratio of the grid of the target to that of the map it was upsampled from.
        queries: Pixels of a batch that ``loss`` looks at.

    Source: ashawkey/jiif@acfa3f9 ``models/jiif.py``, ``models/edsr.py``, ``scripts/train_jiif.sh``.
    """

    def __init__(
        self,
        width: int = 128,
        blocks: int = 16,
        layers: Sequence[int] = _PUBLISHED_LAYERS,
        factor: int = 8,
        queries: int = _PUBLISHED_QUERIES,
    ) -> None:
        super().__init__()
        self.factor, self.queries, self.chunk = factor, queries, _CHUNK
        self.target_encoder = Encoder(1, width, blocks)
        self.guide_encoder = Encoder(3, width, blocks)
        widths = [3 * width + 2, *layers, 2]
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths))

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and an RGB guide (b,3,H,W), both about [0,1].

        Sizes that are no multiple of ``factor`` are padded by replication and cropped again. The low-resolution inputs
        are recovered: the map by ``low_resolution``, the small guide by Pillow's bicubic.
        """
        height, width = target.shape[-2:]
        return target + self.core(*self._inputs(target, guide))[..., :height, :width]

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """Return the mean absolute error at the valid ones of ``queries`` pixels, drawn from torch's CPU generator.

        Each image of the batch is asked at the same pixels; ``valid`` is (b,1,H,W) in {0,1}.
        """
        height, width = target.shape[-2:]
        low, image, small = self._inputs(target, guide)
        drawn = torch.randperm(height * width)[: self.queries].to(target.device)
        pixels = drawn // width * image.shape[-1] + drawn % width
        added = self._queried(*self._features(low, image, small), pixels)
        error = target.flatten(2)[..., drawn] + added - truth.flatten(2)[..., drawn]
        counts = valid.flatten(2)[..., drawn]
        return (error.abs() * counts).sum() / counts.sum().clamp_min(1)

    def core(self, low: Tensor, image: Tensor, small: Tensor) -> Tensor:
        """Return what is added to the upsampled map, (b,1,s*h,s*w).

        The pixels are asked in chunks of ``chunk``, so beside the features the memory does not grow with the image; the
        result is that of one pass.

        Args:
            low: Map (b,1,h,w).
            image: Guide (b,3,s*h,s*w), normalised; s is ``factor``.
            small: The same guide at (h,w).
        """
        features = self._features(low, image, small)
        pixels = torch.arange(image.shape[-2] * image.shape[-1], device=image.device)
        added = torch.cat([self._queried(*features, some) for some in pixels.split(self.chunk)], dim=-1)
        return added.unflatten(-1, image.shape[-2:])

    def _inputs(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        target, guide = padded_end(target, self.factor), padded_end(guide, self.factor)
        low, image = low_resolution(target, self.factor), imagenet(guide.flip(1))
        return low, image, resized(image, *low.shape[-2:])

    def _features(self, low: Tensor, image: Tensor, small: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.target_encoder(low), self.guide_encoder(image), self.guide_encoder(small)

    def _queried(self, low: Tensor, fine: Tensor, small: Tensor, pixels: Tensor) -> Tensor:
        """Return (b,1,n) at n places of the flattened fine grid."""
        row, column = pixels // fine.shape[-1], pixels % fine.shape[-1]
        here = fine.flatten(2)[..., pixels].mT
        answers = []
        for down in (0, 1):
            for right in (0, 1):
                place, inside, offset = self._neighbour(row, column, (down, right), low.shape[-2:])
                theirs, guides = (map_.flatten(2)[..., place].mT * inside[:, None] for map_ in (low, small))
                offsets = offset.to(here.dtype).expand(len(here), -1, -1)
                answers.append(self._implicit(torch.cat([theirs, here, here - guides, offsets], dim=-1)))
        value, logit = torch.stack(answers).unbind(-1)
        return (value * torch.softmax(logit, dim=0)).sum(dim=0)[:, None]

    def _neighbour(
        self, row: Tensor, column: Tensor, side: tuple[int, int], size: Sequence[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return where each pixel's coarse neighbour on a side lies, (n,); whether it is inside; how far away, (n,2).

        Pixel i is at (2 i + 1) / s on a coarse axis, neighbour k at 2 k + 1, in units of half a coarse pixel. Half a
        coarse pixel before and behind i, the nearest ones are k - 1 and k with k = (2 i + 1 + s) // (2 s).
        """
        doubled = 2 * torch.stack([row, column], dim=-1) + 1
        extent = doubled.new_tensor(tuple(size))
        nearest = (doubled + self.factor) // (2 * self.factor) - 1 + doubled.new_tensor(side)
        inside = ((nearest >= 0) & (nearest < extent)).all(dim=-1)
        theirs = torch.where(inside[:, None], 2 * nearest + 1, extent)
        kept = nearest.clamp_min(0).minimum(extent - 1)
        return kept[:, 0] * size[1] + kept[:, 1], inside, (doubled - self.factor * theirs) / self.factor

    def _implicit(self, features: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            features = functional.relu(layer(features))
        return self.layers[-1](features)
