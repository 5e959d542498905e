"""SESF-Fuse: an auto-encoder whose features say which image is the sharper (Ma et al., Neural Comput. Appl. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_GREY = (0.2125, 0.7154, 0.0721)
_MEAN, _DEVIATION = 0.4500517361627943, 0.26465333914691797
_WINDOW_PX = 11
_DISC_RADIUS_PX, _SMALL_SHARE = 5, 0.01
_GUIDE_RADIUS_PX, _GUIDE_EPSILON = 4, 0.1
_LEVELS = 4
_SSIM_SIDE, _SSIM_SIGMA, _SSIM_WEIGHT = 5, 1.5, 1000.0


def to_grey(rgb: Tensor) -> Tensor:
    """Return the ITU-709 grey (b,1,H,W) of an RGB image (b,3,H,W), as scikit-image weighs it."""
    return (rgb * rgb.new_tensor(_GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def block(channels: int, width: int) -> nn.Sequential:
    """Return a 3x3 convolution, ReLU, batch normalisation, in this order."""
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(width))


class Excitation(nn.Module):
    """Weigh each channel by what two small layers make of all channels' means."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(width, max(2, width // 8), bias=False)
        self.excite = nn.Linear(max(2, width // 8), width, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (b,width,H,W)."""
        weights = self.excite(functional.relu(self.squeeze(features.mean(dim=(2, 3)))))
        return features * torch.sigmoid(weights)[:, :, None, None]


class DenseEncoder(nn.Module):
    """Four blocks, each given all earlier results, each weighed channel by channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(block(max(1, width * level), width) for level in range(_LEVELS))
        self.gates = nn.ModuleList(Excitation(width) for _ in range(_LEVELS))

    def forward(self, grey: Tensor) -> Tensor:
        """Return features (b,4*width,H,W) of a grey image (b,1,H,W)."""
        found: list[Tensor] = []
        for layer, gate in zip(self.blocks, self.gates, strict=True):
            found.append(gate(layer(torch.cat(found, dim=1) if found else grey)))
        return torch.cat(found, dim=1)


def squared_steps(features: Tensor) -> Tensor:
    """Return the squared differences to the left and to the upper neighbour, added; zeros lie around the image.

    In float32 at least: what is compared later differs by little.
    """
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    left = functional.pad(features, (1, 0, 0, 0))[..., :-1]
    upper = functional.pad(features, (0, 0, 1, 0))[..., :-1, :]
    return (left - features).square() + (upper - features).square()


def window_sum(values: Tensor, side: int = _WINDOW_PX) -> Tensor:
    """Return sums over square windows around each pixel of (b,c,H,W); zeros lie around the image."""
    rows = functional.avg_pool2d(values, (1, side), 1, (0, side // 2))
    return functional.avg_pool2d(rows, (side, 1), 1, (side // 2, 0)) * side**2


def guided_filter(guide: Tensor, target: Tensor, radius: int, epsilon: float) -> Tensor:
    """Return the target (b,1,H,W) explained, window by window, by the channels of a guide (b,c,H,W), each by itself.

    With one channel it is the filter of He, Sun, Tang, TPAMI 2013; with more the channels' covariances are left out.
    A mean at a border is that of the part inside the image.
    """

    def mean(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, 2 * radius + 1, 1, radius, count_include_pad=False)

    # Centring first: the variance is a difference of means of squares and would lose digits on a bright image.
    guide = guide - guide.mean(dim=(2, 3), keepdim=True)
    guide_mean, target_mean = mean(guide), mean(target)
    slope = (mean(guide * target) - guide_mean * target_mean) / (mean(guide * guide) - guide_mean**2 + epsilon)
    offset = target_mean - (slope * guide_mean).sum(dim=1, keepdim=True)
    return (mean(slope) * guide).sum(dim=1, keepdim=True) + mean(offset)


def tidied(decision: Tensor) -> Tensor:
    """Open a decision map (b,1,H,W) of 0 and 1, turn its small islands over, close it, turn its small holes over.

    Both with a disc of 5 px; small is below 1 % of the image. What lies outside the image never counts.
    """
    opened = _spread(_shrunk(decision))
    closed = _shrunk(_spread(1 - _small_filled(1 - opened)))
    return _small_filled(closed)


def _spread(decision: Tensor) -> Tensor:
    steps = torch.arange(-_DISC_RADIUS_PX, _DISC_RADIUS_PX + 1, device=decision.device)
    disc = (steps[:, None].square() + steps.square() <= _DISC_RADIUS_PX**2).to(decision.dtype)
    return (functional.conv2d(decision, disc[None, None], padding=_DISC_RADIUS_PX) > 0.5).to(decision.dtype)


def _shrunk(decision: Tensor) -> Tensor:
    return 1 - _spread(1 - decision)


def _small_filled(decision: Tensor) -> Tensor:
    """Return the map with its connected patches of 0 set to 1 where they are small (neighbours: up, down, sides)."""
    if decision.is_meta:  # shapes alone are asked for
        return decision
    import numpy as np
    from scipy.ndimage import label

    filled = decision[:, 0].cpu().numpy() > 0.5
    for image in filled:
        patches, _ = label(~image)
        image |= (np.bincount(patches.ravel()) < _SMALL_SHARE * image.size)[patches]
    return torch.from_numpy(filled)[:, None].to(decision)


class SESFFuse(nn.Module):
    """Take each place from the image whose features vary more around it; a guided filter softens the seam.

    74,803 parameters at the published width; the decoder (60,387 of them) serves training alone. The decision is hard:
    no gradient passes ``forward``, and the network learns by ``loss``.

    Args:
        width: Channels of each of the four blocks of the encoder.

    Source: Keep-Passion/SESF-Fuse@23e60b8 ``nets/sesf_net.py``. There the fused image is cut to 8 bit; here it is not.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.encoder = DenseEncoder(width)
        widths = [4 * width, 4 * width, 2 * width, width, 1]
        self.decoder = nn.Sequential(*map(block, widths, widths[1:]))

    def normalised(self, rgb: Tensor) -> Tensor:
        """Return the grey image (b,1,H,W) the encoder sees of an RGB image (b,3,H,W) in [0,1]."""
        return (to_grey(rgb) - _MEAN) / _DEVIATION

    def reconstruct(self, grey: Tensor) -> Tensor:
        """Return what the decoder makes of a normalised grey image (b,1,H,W): about the same image."""
        return self.decoder(self.encoder(grey))

    def decide(self, grey_a: Tensor, grey_b: Tensor) -> Tensor:
        """Return 1 where image A is the sharper, else 0, (b,1,H,W); images normalised, (b,1,H,W)."""
        activity_a, activity_b = (
            window_sum(squared_steps(self.encoder(grey)).sum(dim=1, keepdim=True)) for grey in (grey_a, grey_b)
        )
        return (activity_a > activity_b).to(torch.promote_types(grey_a.dtype, torch.float32))

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the fused (b,3,H,W) in [0,1] of images A and B (b,3,H,W), all RGB in [0,1]."""
        decision = tidied(self.decide(self.normalised(target), self.normalised(guide)))
        image_a, image_b = target.to(decision.dtype), guide.to(decision.dtype)
        blend = decision * image_a + (1 - decision) * image_b
        share = guided_filter(255 * blend, decision, _GUIDE_RADIUS_PX, _GUIDE_EPSILON)
        return (share * image_a + (1 - share) * image_b).clamp(0, 1).to(target.dtype)

    def loss(self, target: Tensor, guide: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """Return ``|x - y|_2 + 1000 (1 - SSIM)`` of the truth and its reconstruction; the blurred pair is not used.

        The published network learns on sharp photographs alone; the truth is one. The norm is that of the whole batch.
        """
        grey = self.normalised(truth)
        rebuilt = self.reconstruct(grey).float()
        pixels = torch.linalg.vector_norm((rebuilt - grey) * valid)
        likeness = (_ssim(rebuilt, grey) * valid).sum() / valid.sum().clamp_min(1)
        return pixels + _SSIM_WEIGHT * (1 - likeness)


def _ssim(restored: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity at each pixel (b,1,H,W), 5x5 Gaussian windows, zeros around, constants of a range of 1."""
    taps = torch.arange(_SSIM_SIDE, dtype=truth.dtype, device=truth.device) - _SSIM_SIDE // 2
    line = torch.exp(-0.5 * (taps / _SSIM_SIGMA).square())
    window = torch.outer(line, line)[None, None] / line.sum().square()
    images = torch.cat([restored, truth, restored.square(), truth.square(), restored * truth], dim=1)
    means = functional.conv2d(images, window.expand(5, 1, -1, -1), padding=_SSIM_SIDE // 2, groups=5)
    mean_r, mean_t, square_r, square_t, product = means.split(1, dim=1)
    covariance, variances = product - mean_r * mean_t, square_r + square_t - mean_r.square() - mean_t.square()
    likeness = (2 * mean_r * mean_t + 1e-4) * (2 * covariance + 9e-4)
    return likeness / ((mean_r.square() + mean_t.square() + 1e-4) * (variances + 9e-4))
