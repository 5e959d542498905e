"""U2Fusion: one dense network for fusing two luminances (Xu et al., TPAMI 44(1), 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_LUMA_ITU601 = (0.299, 0.587, 0.114)
_DENSE_LAYERS = 5
_SMALLEST_PX = 2  # a border of one pixel is reflected


def to_luma_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Return the luma (b,1,H,W) and Cb, Cr (b,2,H,W) of an RGB image (b,3,H,W); grey has Cb = Cr = 0."""
    luma = (rgb * rgb.new_tensor(_LUMA_ITU601).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    red, _, blue = rgb.split(1, dim=1)
    spans = 2 * (1 - _LUMA_ITU601[2]), 2 * (1 - _LUMA_ITU601[0])
    return luma, torch.cat([(blue - luma) / spans[0], (red - luma) / spans[1]], dim=1)


def from_luma_chroma(luma: Tensor, chroma: Tensor) -> Tensor:
    """Undo ``to_luma_chroma``."""
    blue = luma + 2 * (1 - _LUMA_ITU601[2]) * chroma[:, :1]
    red = luma + 2 * (1 - _LUMA_ITU601[0]) * chroma[:, 1:]
    green = (luma - _LUMA_ITU601[0] * red - _LUMA_ITU601[2] * blue) / _LUMA_ITU601[1]
    return torch.cat([red, green, blue], dim=1)


def mixed_chroma(chroma_a: Tensor, chroma_b: Tensor) -> Tensor:
    """Return the mean of two chromas (b,2,H,W), each value weighed by its distance from grey."""
    weight_a, weight_b = chroma_a.abs(), chroma_b.abs()
    total = weight_a + weight_b
    return (weight_a * chroma_a + weight_b * chroma_b) / torch.where(total > 0, total, torch.ones_like(total))


def conv(channels: int, width: int) -> nn.Conv2d:
    """Return a 3x3 convolution with a reflected border."""
    layer = nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect")
    nn.init.trunc_normal_(layer.weight, std=0.05, a=-0.1, b=0.1)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class U2Fusion(nn.Module):
    """Fuse the lumas by a dense network; mix the chromas by how far each is from grey.

    659,217 parameters at the published width.

    Args:
        width: Channels of each of the six layers of the encoder.

    Source: hanna-xu/U2Fusion@0a58821 ``Net.py``, ``main.py``. The chroma rule for two colour images is not in that
    repository; this one is DeepFuse's (Prabhakar et al., ICCV 2017). Its test script divides the result by its maximum
    when saving; not done here.
    """

    def __init__(self, width: int = 44) -> None:
        super().__init__()
        self.first = conv(2, width)
        self.dense = nn.ModuleList(conv(width * count, width) for count in range(1, _DENSE_LAYERS + 1))
        widths = [width * (_DENSE_LAYERS + 1), *(max(1, width * part // 44) for part in (128, 64, 32))]
        self.decoder = nn.ModuleList(map(conv, widths, widths[1:]))
        self.last = conv(widths[-1], 1)

    def core(self, luma_a: Tensor, luma_b: Tensor) -> Tensor:
        """Return the fused luma (b,1,H,W) in [0,1] of two lumas (b,1,H,W) in [0,1], both sides 2 px or more."""
        features = functional.leaky_relu(self.first(torch.cat([luma_a, luma_b], dim=1)), 0.2)
        for layer in self.dense:
            features = torch.cat([functional.leaky_relu(layer(features), 0.2), features], dim=1)
        for layer in self.decoder:
            features = functional.leaky_relu(layer(features), 0.2)
        return torch.tanh(self.last(features)) / 2 + 0.5

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the fused (b,3,H,W), not clipped, of images A and B (b,3,H,W), all RGB in [0,1]."""
        height, width = target.shape[-2:]
        (luma_a, chroma_a), (luma_b, chroma_b) = to_luma_chroma(target), to_luma_chroma(guide)
        margin = (0, max(0, _SMALLEST_PX - width), 0, max(0, _SMALLEST_PX - height))
        lumas = (functional.pad(luma, margin, mode="replicate") for luma in (luma_a, luma_b))
        fused = self.core(*lumas)[..., :height, :width]
        return from_luma_chroma(fused, mixed_chroma(chroma_a, chroma_b))
