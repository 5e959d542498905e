"""What a training minimises.

Sources: masked means, ours; the others as the released training code has them, Xinyil256/SFIGF@3600cd0.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sfigf.interface import UserError
from sfigf.training_settings import Training

Answer = Tensor | tuple[Tensor, Tensor]
_SSIM_SIDE, _SSIM_SIGMA = 11, 1.5
_MASKED = ("l1", "mse", "charbonnier", "mse-released", "own")
_ROLES: dict[str, tuple[str, ...]] = {
    "focus-unsupervised": ("target", "guide"),
    "raw-mono": ("target", "guide", "truth", "valid", "mono"),
}


def roles_of(loss: str) -> tuple[str, ...]:
    """Arrays of a sample that a loss needs."""
    return _ROLES.get(loss, ("target", "guide", "truth", "valid"))


def roles_if_there(loss: str, network: Any) -> tuple[str, ...]:
    """Arrays that a loss takes where every sample has them: a network's own may ask for ``mono``."""
    if loss != "own" or not has_own_loss(network):
        return ()
    return tuple(role for role in ("mono",) if role in inspect.signature(network.loss).parameters)


def has_own_loss(network: nn.Module) -> bool:
    """Whether a network brings the loss it was published with: ``loss(target, guide, truth, valid)``."""
    return callable(getattr(network, "loss", None))


def own_loss(network: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return the loss that a network brings itself, on a batch of tensors by role."""
    return network.loss(**batch)


def loss_of(answer: Answer, batch: Mapping[str, Tensor], settings: Training) -> Tensor:
    """Return the loss of a network's answer (b,C,H,W), or of (mono, rgb), on a batch of tensors by role."""
    if settings.loss == "raw-mono":
        return raw_mono_loss(answer, batch["truth"], batch["mono"])
    restored = last_of(answer).float()
    if settings.loss == "focus-unsupervised":
        return focus_loss(restored, batch["target"], batch["guide"], trains_gradient=not settings.released("gradient"))
    if settings.loss == "mse-released":
        return masked_loss(restored, batch["truth"], batch["valid"], "mse") / (2 * settings.batch_size)
    return masked_loss(restored, batch["truth"], batch["valid"], settings.loss)


def weight_of(batch: Mapping[str, Tensor], settings: Training) -> float:
    """Return what a loss is the mean over, valid pixels or patches: shares of a batch count in this proportion.

    Two networks' own losses (GACN's, SESF's) look at a batch as a whole; they are then taken share by share.
    """
    masked = settings.loss in _MASKED
    return float(batch["valid"].sum()) if masked else float(len(batch["target"]))


def last_of(answer: Answer) -> Tensor:
    """The restored image; a network that answers (mono, rgb) restores rgb."""
    return answer[-1] if isinstance(answer, tuple) else answer


def masked_loss(restored: Tensor, truth: Tensor, valid: Tensor, kind: str) -> Tensor:
    """Mean loss over valid pixels; restored, truth (b,C,H,W), valid (b,1,H,W) in {0,1}."""
    error = restored - truth
    per_pixel = {"l1": error.abs, "mse": error.square, "charbonnier": lambda: (error.square() + 1e-6).sqrt()}[kind]()
    return (per_pixel * valid).sum() / (valid.sum() * truth.shape[1]).clamp_min(1)


def focus_loss(restored: Tensor, first: Tensor, second: Tensor, *, trains_gradient: bool = True) -> Tensor:
    """0.5 L_int + 1.5 L_grad: at each pixel, and in each first difference, be like the sharper of both images.

    Args:
        restored: (b,C,H,W).
        first: Image A, likewise.
        second: Image B, likewise.
        trains_gradient: False detaches the differences of ``restored``, as the released code does.
    """
    sharper = (_detail(first) > _detail(second)).to(first.dtype)
    intensity = _likeness(restored, first, second, sharper)
    differed = restored if trains_gradient else restored.detach()
    gradient = sum(
        _likeness(differed.diff(dim=axis), first.diff(dim=axis), second.diff(dim=axis), sharper.narrow(axis, 0, side))
        for axis, side in ((2, restored.shape[2] - 1), (3, restored.shape[3] - 1))
    )
    return 0.5 * intensity + 1.5 * gradient


def _likeness(restored: Tensor, first: Tensor, second: Tensor, mask: Tensor) -> Tensor:
    return (mask * (restored - first).square() + (1 - mask) * (restored - second).square()).mean()


def _detail(image: Tensor) -> Tensor:
    """``|x - gauss3(x)|`` of each channel, zeros around the image."""
    line = image.new_tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(line, line).expand(image.shape[1], 1, 3, 3)
    return (image - functional.conv2d(image, kernel, padding=1, groups=image.shape[1])).abs()


def raw_mono_loss(answer: Answer, truth: Tensor, mono: Tensor) -> Tensor:
    """L1(mono) + L1(rgb) + 0.5 (1 - SSIM(rgb)); a network that answers rgb alone has no mono term.

    Args:
        answer: (mono (b,1,H,W), rgb (b,3,H,W)), or rgb.
        truth: sRGB (b,3,H,W).
        mono: What the monochrome camera saw (b,1,H,W).

    Raises:
        UserError: If the image is smaller than the window of the SSIM.
    """
    restored = last_of(answer).float()
    loss = (restored - truth).abs().mean() + 0.5 * (1 - ssim(truth, restored))
    return loss + (answer[0].float() - mono).abs().mean() if isinstance(answer, tuple) else loss


def ssim(truth: Tensor, restored: Tensor, peak: float = 1.0) -> Tensor:
    """Structural similarity one can differentiate: 11x11 Gaussian (sigma 1.5), borders left out, mean over all.

    Args:
        truth: (b,C,H,W), both sides at least 11.
        restored: Likewise.
        peak: Largest value the unit allows.

    Raises:
        UserError: If a side is shorter than the window.

    Source: Wang et al., IEEE TIP 13(4), 2004; equals ``sfigf.metrics.display.ssim``.
    """
    if min(truth.shape[-2:]) < _SSIM_SIDE:
        raise UserError(f"SSIM needs patches of at least {_SSIM_SIDE} px, got {min(truth.shape[-2:])}; raise patch_px")
    mean_t, mean_r, square_t, square_r, product = (
        _windowed(image) for image in (truth, restored, truth.square(), restored.square(), truth * restored)
    )
    variances = (square_t - mean_t.square()) + (square_r - mean_r.square())
    covariance = product - mean_t * mean_r
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    likeness = (2 * mean_t * mean_r + c1) * (2 * covariance + c2)
    return (likeness / ((mean_t.square() + mean_r.square() + c1) * (variances + c2))).mean()


def _windowed(image: Tensor) -> Tensor:
    """Gaussian mean of each channel where the window lies inside the image."""
    taps = torch.arange(_SSIM_SIDE, dtype=image.dtype, device=image.device) - _SSIM_SIDE // 2
    line = torch.exp(-0.5 * (taps / _SSIM_SIGMA).square())
    line = (line / line.sum()).expand(image.shape[1], 1, 1, _SSIM_SIDE)
    rows = functional.conv2d(image, line, groups=image.shape[1])
    return functional.conv2d(rows, line.transpose(2, 3), groups=image.shape[1])
