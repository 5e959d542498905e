"""GACN: decision map and fused image from one network (Ma et al., Neurocomputing 2022)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.sesf import DenseEncoder, block, guided_filter, squared_steps, to_grey, window_sum

_STEEPNESS = 1000.0
_BLUR_SIDE, _BLUR_SIGMA = 9, 8.0
_INSIDE, _OUTSIDE = 0.8, 0.1
_GUIDE_RADIUS_PX, _GUIDE_EPSILON = 3, 0.1
_SOFT_COMPARISON, _TINY = 1e5, 1e-6


class SpatialGate(nn.Module):
    """Weigh each place by what a 7x7 layer without bias makes of all channels around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, 1, 7, padding=3, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,channels,H,W)."""
        return features * torch.sigmoid(self.gate(features))


class GACN(nn.Module):
    """Compare the activity of two images feature by feature, vote, and blend the images by the vote.

    68,820 parameters at the published width. The vote is a steep sigmoid: where it is sure, no gradient passes; it is
    best trained by ``loss``.

    Args:
        width: Channels of each of the four blocks of the encoder.

    Source: Keep-Passion/GACN@4994c88 ``nets/gacn_net.py``, ``ga_loss.py``.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.encoder = DenseEncoder(width)
        widths = [4 * width, 3 * width, 2 * width, width, 1]
        self.gates = nn.ModuleList(map(SpatialGate, widths))
        self.votes = nn.ModuleList(map(block, widths, widths[1:]))

    def mask(self, grey_a: Tensor, grey_b: Tensor) -> Tensor:
        """Return how surely image A is the sharper, (b,1,H,W) in [0,1]; grey images (b,1,H,W) in [0,1]."""
        activity_a, activity_b = (window_sum(squared_steps(self.encoder(grey))) for grey in (grey_a, grey_b))
        features = self.gates[0](torch.sigmoid(_STEEPNESS * (activity_a - activity_b)).to(grey_a.dtype))
        for vote, gate in zip(self.votes, self.gates[1:], strict=True):
            features = gate(vote(features))
        return torch.sigmoid(_STEEPNESS * features)

    def share(self, mask: Tensor, grey_a: Tensor, grey_b: Tensor) -> Tensor:
        """Return the share of image A, (b,1,H,W): the mask, guided-filtered along its own boundary."""
        mask, grey_a, grey_b = (
            image.to(torch.promote_types(image.dtype, torch.float32)) for image in (mask, grey_a, grey_b)
        )
        boundary = _boundary(mask)
        filtered = guided_filter(mask * grey_a + (1 - mask) * grey_b, mask, _GUIDE_RADIUS_PX, _GUIDE_EPSILON)
        return filtered * boundary + mask * (1 - boundary)

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the fused (b,3,H,W) in about [0,1] of images A and B (b,3,H,W), all RGB in [0,1]."""
        grey_a, grey_b = to_grey(target), to_grey(guide)
        share = self.share(self.mask(grey_a, grey_b), grey_a, grey_b)
        return (share * target + (1 - share) * guide).to(target.dtype)

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """Return Dice(mask, where A is the sharper) + 1 - soft Q_G(A, B, fused), both of the whole batch.

        The published network knows where A is sharp from the masks it blurred by; here that is where A is nearer to
        the truth than B is, in the mean of squares over the window of the activity (11 px).
        """
        grey_a, grey_b = to_grey(target), to_grey(guide)
        mask = self.mask(grey_a, grey_b).float()
        share = self.share(mask, grey_a, grey_b)
        error_a, error_b = (window_sum((image - truth).square().sum(dim=1, keepdim=True)) for image in (target, guide))
        sharp = (error_a < error_b).float() * valid
        kept = _soft_q_g(grey_a, grey_b, share * grey_a + (1 - share) * grey_b)
        likeness = (kept * valid).sum() / valid.sum().clamp_min(1)
        return _dice(mask * valid, sharp) + 1 - likeness


def _boundary(mask: Tensor) -> Tensor:
    """Return 1 on the boundary of a mask (b,1,H,W), falling to 0 away from it."""
    taps = torch.arange(_BLUR_SIDE, dtype=mask.dtype, device=mask.device) - _BLUR_SIDE // 2
    line = torch.exp(-0.5 * (taps / _BLUR_SIGMA).square())
    window = torch.outer(line, line) / line.sum().square()
    blurred = functional.conv2d(mask, window[None, None], padding=_BLUR_SIDE // 2)
    inside, outside = (blurred > _INSIDE).to(mask.dtype), (blurred < _OUTSIDE).to(mask.dtype)
    sure = inside * blurred + outside * (1 - blurred)
    return 1 - (2 * (blurred * sure + (1 - sure) / 2) - 1).abs()


def _dice(mask: Tensor, sharp: Tensor) -> Tensor:
    """Return 1 - the Dice coefficient with squares in its denominator, smoothed by 1."""
    return 1 - (2 * (mask * sharp).sum() + 1) / (mask.square().sum() + sharp.square().sum() + 1)


def _soft_q_g(grey_a: Tensor, grey_b: Tensor, fused: Tensor) -> Tensor:
    """Return, pixel by pixel (b,1,H,W), the share of both images' edges that the fused image keeps.

    Source: Xydeas and Petrovic, Proc. SPIE 4051, 2000, as in ``sfigf.metrics``; the comparison of two strengths is a
    steep sigmoid, as in ``ga_loss.py``.
    """
    (strength_a, angle_a), (strength_b, angle_b), (strength, angle) = map(_edges, (grey_a, grey_b, fused))
    kept_a = _kept(strength_a, strength) * _aligned(angle_a, angle)
    kept_b = _kept(strength_b, strength) * _aligned(angle_b, angle)
    return (strength_a * kept_a + strength_b * kept_b) / (strength_a + strength_b)


def _edges(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Return strength, never 0, and angle (-pi/2, pi/2) of the Sobel gradient; zeros lie around the image."""
    sobel = grey.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    across, down = functional.conv2d(grey, torch.stack([sobel, sobel.T])[:, None], padding=1).split(1, dim=1)
    across = torch.where(across.abs() < _TINY, torch.full_like(across, _TINY), across)
    return torch.hypot(across, down), torch.atan(down / across)


def _kept(source: Tensor, fused: Tensor) -> Tensor:
    stronger = torch.sigmoid(_SOFT_COMPARISON * (fused - source))
    return torch.sigmoid(10 * (stronger * source / fused + (1 - stronger) * fused / source - 0.5))


def _aligned(source: Tensor, fused: Tensor) -> Tensor:
    alignment = ((source - fused).abs() - math.pi / 2).abs() / (math.pi / 2)
    return torch.sigmoid(20 * (alignment - 0.75))
