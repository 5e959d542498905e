"""The attention by itself: every form, forward and backward, and how far each is from float64."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from benchmarks import forms
from benchmarks.alone import Calls, Form, side_by_side
from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH, REFERENCE, UNFOLD
from benchmarks.section import Section
from benchmarks.sizes import Features, Sizes

if TYPE_CHECKING:
    from torch import Tensor

KERNEL, DILATION, SMALL_PX = 7, 3, 24
FACTS = {"error": ("largest error", ".1e")}
LABELS = {"forward": "forward", "both": "forward and backward"}
SAID = {"forward": "the result", "both": "the four gradients"}


def measure(sizes: Sizes) -> dict[str, Section]:
    """Forward on one thread, forward and backward on as many as training has."""
    forward = _section("forward", sizes, sizes.threads, (REFERENCE,))
    small = min(SMALL_PX, sizes.attention.height)
    forward.text += f" The pixel-by-pixel form runs on {small} x {small} pixels, its time is scaled to the image."
    row = forward.rows[REFERENCE]
    row.pop("forward_peak", None)
    if "forward" in row:
        row["forward"] *= sizes.attention.height * sizes.attention.width / small**2
    return {"attention-forward": forward, "attention-both": _section("both", sizes, sizes.training_threads)}


def _section(name: str, sizes: Sizes, threads: int, more: tuple[str, ...] = ()) -> Section:
    compared = (*more, PLAIN, UNFOLD, PYTORCH, OURS, *(form + BFLOAT16 for form in (PLAIN, PYTORCH, OURS)))
    rows = {
        form: Form(make, (form, sizes.attention, name), hidden=forms.hidden(form), threads=threads) for form in compared
    }
    return Section(
        title=f"Attention alone, {LABELS[name]}",
        text=f"{described(sizes.attention)}; CPU threads: {threads}. Errors are against float64, of "
        f"{SAID[name]}, divided by the largest value.",
        rows=side_by_side(rows, sizes),
        measures={name: LABELS[name]},
        facts=FACTS,
        baseline=PLAIN,
    )


def described(features: Features) -> str:
    """The size of the features, in words."""
    batch, heads, channels, height, width = dataclasses.astuple(features)
    return (
        f"{batch} x {heads} heads x {channels} channels, {height} x {width} pixels, {KERNEL} x {KERNEL} taps "
        f"{DILATION} pixels apart, with relative position bias"
    )


def make(form: str, features: Features, name: str, device: str = "cpu", compiled: bool = False) -> Calls:
    """Build the call ``forward`` or ``both``, and the facts."""
    import torch

    run = forms.attention(form)
    run = torch.compile(run) if compiled else run
    small = inputs(form, features.square(min(SMALL_PX, features.height)), device)
    shown = small if form.startswith(REFERENCE) else inputs(form, features, device)

    call = {"forward": _forward, "both": _both}[name]
    call(run, small)  # compiles what is to be compiled
    return {name: lambda: call(run, shown), "facts": lambda: _facts(call, run, small)}


def _forward(run: Any, tensors: list[Tensor]) -> tuple[Tensor, ...]:
    import torch

    with torch.no_grad():
        return (run(*tensors),)


def _both(run: Any, tensors: list[Tensor]) -> tuple[Tensor, ...]:
    """The four gradients."""
    import torch

    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    return torch.autograd.grad(run(*leaves), leaves, tensors[0])


def inputs(form: str, features: Features, device: str) -> list[Tensor]:
    """Query, key, value and bias: normally distributed, always the same."""
    import torch

    rng = torch.Generator().manual_seed(0)
    taps = 2 * KERNEL - 1
    tensors = [
        *torch.randn((3, *dataclasses.astuple(features)), generator=rng),
        torch.randn(features.heads, taps, taps, generator=rng),
    ]
    return [tensor.to(device, torch.bfloat16 if form.endswith(BFLOAT16) else torch.float32) for tensor in tensors]


def _facts(call: Any, run: Any, small: list[Tensor]) -> dict[str, float]:
    exact = call(forms.attention(PLAIN), [tensor.cpu().double() for tensor in small])
    pairs = zip(call(run, small), exact, strict=True)
    return {
        "error": max(float((tensor.cpu().double() - true).abs().max() / true.abs().max()) for tensor, true in pairs)
    }
