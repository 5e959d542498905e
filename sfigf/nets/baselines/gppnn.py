"""GPPNN: gradient projections, unrolled (Xu, Zhang, Zhao, Sun, Liu, Zhang, CVPR 2021)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sfigf.nets.baselines.pan_layers import coarse_bands, whole_coarse_pixels


def unit(inputs: int, outputs: int, width: int, kernel_px: int) -> nn.Sequential:
    """Return two convolutions without bias, ``inputs -> width -> outputs``, a ReLU between them."""
    return nn.Sequential(
        nn.Conv2d(inputs, width, kernel_px, padding=kernel_px // 2, bias=False),
        nn.ReLU(),
        nn.Conv2d(width, outputs, kernel_px, padding=kernel_px // 2, bias=False),
    )


def resized(image: Tensor, like: Tensor) -> Tensor:
    """Return an image on the grid of another: bicubic, corner pixel on corner pixel, no antialiasing."""
    return functional.interpolate(image, size=like.shape[-2:], mode="bicubic", align_corners=True)


class Projection(nn.Module):
    """One step towards an observation: ``prox(x + back(observed - seen(x)))``, the differences on its grid."""

    def __init__(self, bands: int, observed: int, width: int, kernel_px: int) -> None:
        super().__init__()
        self.seen = unit(bands, observed, width, kernel_px)
        self.back = unit(observed, bands, width, kernel_px)
        self.prox = unit(bands, bands, width, kernel_px)

    def forward(self, restored: Tensor, observed: Tensor) -> Tensor:
        """Return the bands (b,C,H,W) after the step, given an observation (b,o,h,w)."""
        seen = self.seen(restored)
        if observed.shape[-2:] == restored.shape[-2:]:
            return self.prox(restored + self.back(observed - seen))
        return self.prox(restored + resized(self.back(observed - resized(seen, observed)), restored))


class GPPNN(nn.Module):
    """Step by turns towards the coarse bands (3x3 layers, resampled) and towards PAN (1x1 layers).

    238,592 parameters at eight bands, 119,808 at four, with the published width and depth. No step shares its weights,
    and nothing is added at the end.

    Args:
        bands: Bands of the multispectral target.
        width: Filters inside every unit.
        depth: Number of pairs of steps.
        factor: Fine pixels per coarse pixel, 2 or 4.

    Source: xsxjtu/GPPNN@d344312 ``models/GPPNN.py``.
    """

    def __init__(self, bands: int, width: int = 64, depth: int = 8, factor: int = 4) -> None:
        super().__init__()
        self.factor = factor
        self.coarse_steps = nn.ModuleList(Projection(bands, bands, width, 3) for _ in range(depth))
        self.guide_steps = nn.ModuleList(Projection(bands, 1, width, 1) for _ in range(depth))

    def core(self, coarse: Tensor, guide: Tensor) -> Tensor:
        """Return (b,C,H,W) for coarse bands (b,C,h,w) and PAN (b,1,H,W)."""
        restored = resized(coarse, guide)
        for to_coarse, to_guide in zip(self.coarse_steps, self.guide_steps, strict=True):
            restored = to_guide(to_coarse(restored, coarse), guide)
        return restored

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the sharpened bands (b,C,H,W) for 23-tap upsampled bands (b,C,H,W) and PAN (b,1,H,W), about [0,1].

        The coarse bands are picked out of the upsampled ones; sides that are no multiple of ``factor`` are padded. The
        original stretches each batch to [0,1]; here samples come divided by the peak of their sensor.
        """
        height, width = target.shape[-2:]
        target, guide = (whole_coarse_pixels(image, self.factor) for image in (target, guide))
        return self.core(coarse_bands(target, self.factor), guide)[..., :height, :width]
