"""The same on a CUDA device, with what can be switched there: torch.compile, channels_last, bfloat16."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from benchmarks import attention, forms, network, scene, training
from benchmarks.alone import Calls, Form, Row, side_by_side
from benchmarks.forms import BFLOAT16, OURS, PLAIN, UNFOLD
from benchmarks.section import Section
from benchmarks.sizes import Features, Sizes

COMPILED, COPY, EAGER = ", torch.compile", "copy in device memory", "float32"
COPY_BYTES = 2**28


def measure(sizes: Sizes) -> dict[str, Section]:
    """All of it, or nothing where there is no device."""
    import torch

    if not torch.cuda.is_available():
        return {}
    sections = {f"cuda-attention-{name}": _attention(name, sizes) for name in attention.LABELS}
    return sections | {"cuda-network": _network(sizes), "cuda-training": _training(sizes)}


def _attention(name: str, sizes: Sizes) -> Section:
    features = sizes.attention.square(sizes.cuda_attention_px)
    eager = [form + kind for kind in ("", BFLOAT16) for form in (PLAIN, UNFOLD, OURS)]
    compiled = [form + kind for kind in ("", BFLOAT16) for form in (PLAIN, OURS)]
    rows = {form: _on_cuda(attention.make, form, features, name, "cuda") for form in eager}
    rows |= {form + COMPILED: _on_cuda(attention.make, form, features, name, "cuda", True) for form in compiled}
    if name == "forward":
        rows[COPY] = _on_cuda(make_copy)
    measured = side_by_side(rows, sizes)
    label = attention.LABELS[name]
    text = f"{attention.described(features)}. Errors are against float64, divided by the largest value."
    if name == "forward":
        add_shares(measured, features)
        text += (
            " Share of the bandwidth: query, key and value read once and the result written once, in the time that a "
            "plain copy in device memory, measured in the same run, takes for as many bytes."
        )
    shares = {"share": ("share of the bandwidth", ".1%"), "gb_per_second": ("GB/s", ".0f")}
    return Section(
        title=f"CUDA: attention alone, {label}",
        text=text,
        rows=measured,
        measures={name: label},
        facts=attention.FACTS | (shares if name == "forward" else {}),
        baseline=PLAIN,
    )


def _on_cuda(make: Any, *arguments: Any) -> Form:
    return Form(make, arguments, device="cuda")


def add_shares(rows: dict[str, Row], features: Features) -> None:
    """Relate each form's least traffic to what a copy moves in a second."""
    copy = rows.get(COPY, {})
    if "forward" not in copy:
        return
    copy["gb_per_second"] = 2 * COPY_BYTES / copy["forward"] / 1e9
    count = features.batch * features.heads * features.channels * features.height * features.width
    for form, row in rows.items():
        if form != COPY and "forward" in row:
            moved = 4 * count * (2 if BFLOAT16 in form else 4)
            row["gb_per_second"] = moved / row["forward"] / 1e9
            row["share"] = row["gb_per_second"] / copy["gb_per_second"]


def make_copy() -> Calls:
    """Build the call that copies bytes within the device."""
    import torch

    source = torch.zeros(COPY_BYTES, dtype=torch.uint8, device="cuda")
    goal = torch.empty_like(source)
    return {"forward": lambda: goal.copy_(source)}


def _network(sizes: Sizes) -> Section:
    switches = {
        _switched(dict(zip(SWITCHES, chosen, strict=True))): chosen
        for chosen in itertools.product((False, True), repeat=len(SWITCHES))
    }
    side, width = sizes.cuda_network_px, sizes.width
    rows = {PLAIN: _on_cuda(make_network, PLAIN, side, width, False, False, False)}
    rows |= {name: _on_cuda(make_network, OURS, side, width, *chosen) for name, chosen in switches.items()}
    return Section(
        title=f"CUDA: depth network, forward, {side} x {side}",
        text=f"Width {width}, random weights; bfloat16 by autocast. Errors are against the plain form in float32 and "
        "divided by the range of the output.",
        rows=side_by_side(rows, sizes),
        measures={"forward": "forward"},
        facts=network.FACTS,
        baseline=PLAIN,
    )


SWITCHES = ("torch.compile", "channels_last", "bfloat16")


def _switched(chosen: Mapping[str, bool]) -> str:
    """``ours, torch.compile, bfloat16``: what is on."""
    return ", ".join([OURS, *(name for name, on in chosen.items() if on)])


def make_network(
    form: str, side: int, width: int, compiled: bool, channels_last: bool, bfloat16: bool, device: str = "cuda"
) -> Calls:
    """Build the call ``forward`` and the facts."""
    import torch

    layout = torch.channels_last if channels_last else torch.contiguous_format
    built: Any = forms.network(form, width=width).to(device)
    built = built.to(memory_format=layout)
    images = tuple(image.to(device).contiguous(memory_format=layout) for image in scene.whole(side))
    run: Any = torch.compile(built) if compiled else built

    def forward() -> Any:
        # torch.compile does not get on with inference mode: it guards tensors that are kept between calls.
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            return run(*images)

    def facts() -> dict[str, float]:
        restored = forward().double()
        exact = network.forward(forms.network(PLAIN, width=width).to(device), images).double()
        forms.use(form)
        return network.errors(restored, exact)

    forward()  # compiles what is to be compiled
    return {"forward": forward, "facts": facts}


def _training(sizes: Sizes) -> Section:
    batch, side = sizes.cuda_training
    rows = {
        kind + how: _on_cuda(training.make, OURS + dtype, sizes.width, 4, batch, side, "cuda", bool(how))
        for how in ("", COMPILED)
        for kind, dtype in ((EAGER, ""), ("bfloat16", BFLOAT16))
    }
    return Section(
        title="CUDA: training",
        text=f"Depth, width {sizes.width}, batches of {batch} patches of {side} x {side}; bfloat16 by autocast.",
        rows=side_by_side(rows, sizes),
        measures={"step": "steps"},
        baseline=EAGER,
        rate=True,
    )
