"""The whole depth network at its released size: forward, and forward with backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import forms, scene
from benchmarks.alone import Calls, Form, side_by_side
from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH
from benchmarks.section import Section
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from torch import Tensor, nn

FORWARD = (PLAIN, PYTORCH, OURS, PYTORCH + BFLOAT16, OURS + BFLOAT16)
BOTH = (PLAIN, PYTORCH, OURS)
SMALL_PX = 96
FACTS = {"rmse": ("RMSE", ".1e"), "largest": ("largest error", ".1e")}


def measure(sizes: Sizes) -> dict[str, Section]:
    """Forward at one size, forward and backward at several."""
    rows = _measured("forward", FORWARD, sizes.network_px, sizes.threads, sizes)
    sections = {
        "network-forward": Section(
            title=f"Depth network, forward, {sizes.network_px} x {sizes.network_px}",
            text=f"Width {sizes.width}, four levels, random weights; CPU threads: {sizes.threads}. Errors are against "
            "float64 and divided by the range of the output, as a disparity normalised to [0, 1] would have them.",
            rows=rows,
            measures={"forward": "forward"},
            facts=FACTS,
            baseline=PLAIN,
        )
    }
    for side in sizes.both_px:
        sections[f"network-both-{side}"] = Section(
            title=f"Depth network, forward and backward, {side} x {side}",
            text=f"The same network, gradients of all weights; CPU threads: {sizes.training_threads}.",
            rows=_measured("both", BOTH, side, sizes.training_threads, sizes),
            measures={"both": "forward and backward"},
            baseline=PLAIN,
        )
    return sections


def _measured(name: str, compared: tuple[str, ...], side: int, threads: int, sizes: Sizes) -> dict[str, Any]:
    rows = {
        form: Form(make, (form, side, name, sizes.width), hidden=forms.hidden(form), threads=threads)
        for form in compared
    }
    return side_by_side(rows, sizes)


def make(form: str, side: int, name: str, width: int) -> Calls:
    """Build the call ``forward`` or ``both``, and for forward the facts."""
    network = forms.network(form, width=width)
    shown, small = (_images(form, pixels) for pixels in (side, min(SMALL_PX, side)))
    run = {"forward": forward, "both": both}[name]
    run(network, small)
    return {name: lambda: run(network, shown)} | (
        {"facts": lambda: _facts(form, network, width, min(SMALL_PX, side))} if name == "forward" else {}
    )


def forward(network: nn.Module, images: tuple[Tensor, ...]) -> Tensor:
    """Restore."""
    import torch

    with torch.inference_mode():
        return network(*images)


def both(network: nn.Module, images: tuple[Tensor, ...]) -> None:
    """Restore, and find the gradient of every weight."""
    import torch

    live = [parameter for parameter in network.parameters() if parameter.requires_grad]
    torch.autograd.grad(network(*images).float().square().mean(), live, allow_unused=True)


def _images(form: str, side: int) -> tuple[Tensor, ...]:
    import torch

    kind = torch.bfloat16 if form.endswith(BFLOAT16) else torch.float32
    return tuple(image.to(kind) for image in scene.whole(side))


def _facts(form: str, network: nn.Module, width: int, side: int) -> dict[str, float]:
    restored = forward(network, _images(form, side)).double()
    exact = forward(forms.network(PLAIN, width=width).double(), tuple(image.double() for image in scene.whole(side)))
    forms.use(form)
    return errors(restored, exact)


def errors(restored: Tensor, exact: Tensor) -> dict[str, float]:
    """RMSE and largest error, divided by the range of the exact output."""
    error = (restored - exact) / (exact.max() - exact.min())
    return {"rmse": float(error.square().mean().sqrt()), "largest": float(error.abs().max())}
