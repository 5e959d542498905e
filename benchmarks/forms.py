"""The forms that are compared: the attention by itself, and the network around it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    Attention = Callable[..., Tensor]

REFERENCE, PLAIN, UNFOLD, PYTORCH, OURS = (
    "pixel by pixel",
    "plain: 49 gathers",
    "plain: unfold",
    "ours, PyTorch only",
    "ours",
)
BFLOAT16 = ", bfloat16"


def hidden(form: str) -> tuple[str, ...]:
    """Only our fast form may find the compiler: the others show what PyTorch does alone."""
    return () if form.removesuffix(BFLOAT16) == OURS else ("numba",)


def attention(form: str) -> Attention:
    """Return the function of a form; all take and return the same."""
    if form.startswith(OURS):
        return importlib.import_module("sfigf.nets.attention").neighbourhood_attention
    if form.startswith(UNFOLD):
        return importlib.import_module("benchmarks.unfold").unfold_attention
    reference = importlib.import_module("sfigf.nets.attention.reference")
    return reference.reference_attention if form.startswith(REFERENCE) else reference.gathered_attention


def network(form: str, **changes: Any) -> nn.Module:
    """Return a depth network in eval mode with random weights, always the same, that keep signals of even size.

    Every network of the process computes its attention in this form from now on.
    """
    import torch

    from sfigf.nets.sfigf import build_sfigf
    from sfigf.nets.sfigf.start import start_even

    use(form)
    torch.manual_seed(0)
    built = build_sfigf("depth", **changes)
    start_even(built)
    return built.to(torch.bfloat16 if form.endswith(BFLOAT16) else torch.float32).eval()


def use(form: str) -> None:
    """Let all networks of this process compute their attention in a form."""
    layer = importlib.import_module("sfigf.nets.attention.module")
    if not hasattr(layer, "neighbourhood_attention"):
        raise AttributeError("the attention layer has no neighbourhood_attention to put another form in place of")
    layer.neighbourhood_attention = attention(form)  # type: ignore[attr-defined]
