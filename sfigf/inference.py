"""Run a network on arrays: choose the device, check the input, restore one sample."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sfigf.encoding import Encoding, decode, encode
from sfigf.interface import Array, Sample, UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def choose_device(name: str = "auto") -> torch.device:
    """Return the named device, or the best there is: cuda, then mps, then cpu.

    Raises:
        UserError: If the named device is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, present in there.items() if present))
    kind = name.partition(":")[0]
    if not there.get(kind, False):
        raise UserError(
            f"device '{name}' is not available here; there is: {', '.join(k for k, v in there.items() if v)}"
        )
    return torch.device(name)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """bfloat16 autocast on CUDA unless the settings ask for float32; nothing elsewhere."""
    import torch

    if device.type == "cuda" and precision == "auto":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def check_sample(sample: Sample) -> None:
    """Refuse what no network can restore: NaN, inf, a guide that does not match its target.

    Raises:
        UserError: One line with both sizes, or the count of values that are not finite.
    """
    if sample.target.shape[1:] != sample.guide.shape[1:]:
        raise UserError(
            f"{sample.name}: guide is {_size(sample.guide)} px, target {_size(sample.target)} px on the same grid; "
            "crop or resize the guide so that both show the same field"
        )
    for role in ("target", "guide"):
        bad = int(np.count_nonzero(~np.isfinite(getattr(sample, role))))
        if bad:
            raise UserError(f"{sample.name}: {bad} values of the {role} are NaN or infinite; fill or mask them first")


def _size(array: Array) -> str:
    return f"{array.shape[2]}x{array.shape[1]}"


def restore_sample(network: nn.Module, sample: Sample, device: torch.device, encoding: Encoding = "none") -> Array:
    """Restore one sample whole; returns (Co,H',W') float32 on the scale of ``sample.target``.

    Of a network that answers (mono, rgb) it is rgb.
    """
    import torch

    check_sample(sample)
    shown = encode(sample, encoding)
    target, guide = (
        torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None].to(device)
        for array in (shown.target, shown.guide)
    )
    with torch.inference_mode():
        answer = ask(network, target, guide)
    restored = answer[-1] if isinstance(answer, tuple) else answer
    return decode(restored[0].float().cpu().numpy(), sample, encoding)


def ask(network: nn.Module, target: Tensor, guide: Tensor) -> Tensor | tuple[Tensor, Tensor]:
    """Return a network's answer to target (b,C,h,w) and guide (b,Cg,h,w); raw-mono is given the mosaic."""
    from torch.nn import functional

    from sfigf.nets import takes_mosaic

    if not takes_mosaic(network):
        return network(target, guide)
    return network(functional.pixel_shuffle(target, 2) if target.shape[1] == 4 else target)
