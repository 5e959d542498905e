"""Neighbourhood attention side by side: how many times faster than the plain form, at what memory, equal to what error.

    python benchmarks/attention.py [--height 64 --width 64 --batch 4 --heads 8 --channels 2 --device cpu]

Prints a Markdown table. Every form runs in a process of its own, so that each peak is its own; the pixel-by-pixel
reference runs forward only, on at most 24 x 24 pixels, and its time is scaled to the image.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

FORMS = ("reference", "gathered", "torch", "compiled")


def run_form(form: str, options: argparse.Namespace) -> dict[str, float]:
    """Return seconds forward and with backward, peak MB above the inputs, and the largest error against float64."""
    from sfigf.nets.attention import neighbourhood_attention
    from sfigf.nets.attention.reference import gathered_attention, reference_attention
    from sfigf.nets.attention.taps import TapAttention

    torch.set_num_threads(options.threads)
    forms: dict[str, Callable[..., Tensor]] = {
        "reference": reference_attention,
        "gathered": gathered_attention,
        "torch": lambda *tensors: TapAttention.apply(*tensors, 7, 3),
        "compiled": neighbourhood_attention,
    }
    run = forms[form]
    small = _inputs(options, min(24, options.height), min(24, options.width))
    exact = gathered_attention(*(tensor.double() for tensor in small))
    row = {"error": float((run(*small).double() - exact).abs().max())}  # also compiles
    if form == "reference":
        share = options.height * options.width / (small[0].shape[-2] * small[0].shape[-1])
        return row | {"forward": _seconds(lambda: run(*small), options) * share}
    leaves = [tensor.requires_grad_() for tensor in small]
    torch.autograd.grad(run(*leaves).sum(), leaves)
    tensors = _inputs(options, options.height, options.width)
    upstream = torch.randn_like(tensors[0])
    before = _peak(options.device)
    with torch.no_grad():
        forward = _seconds(lambda: run(*tensors), options)
    leaves = [tensor.requires_grad_() for tensor in tensors]
    both = _seconds(lambda: torch.autograd.grad(run(*leaves), leaves, upstream), options)
    return row | {"forward": forward, "both": both, "memory": _peak(options.device) - before}


def _inputs(options: argparse.Namespace, height: int, width: int) -> list[Tensor]:
    rng = torch.Generator().manual_seed(0)
    shape = (3, options.batch, options.heads, options.channels, height, width)
    tensors = [*torch.randn(shape, generator=rng), torch.randn(options.heads, 13, 13, generator=rng)]
    return [tensor.to(options.device) for tensor in tensors]


def _seconds(run: Callable[[], Any], options: argparse.Namespace) -> float:
    """Return the shortest of several runs."""
    best = float("inf")
    for _ in range(options.repeats):
        start = time.perf_counter()
        run()
        if options.device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def _peak(device: str) -> float:
    """Return the peak memory so far in MB."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return the Markdown table; ratios are against the gathered form, greater is faster."""
    lines = [
        "| form | forward ms | times | with backward ms | times | peak MB | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for form, row in rows.items():
        cells = [form]
        for column in ("forward", "both"):
            seconds = row.get(column)
            cells += (
                ["", ""] if seconds is None else [f"{seconds * 1e3:.1f}", f"{rows['gathered'][column] / seconds:.2f}"]
            )
        lines.append(
            "| " + " | ".join([*cells, f"{row.get('memory', float('nan')):.0f}", f"{row['error']:.1e}"]) + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure every form and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"height": 64, "width": 64, "batch": 4, "heads": 8, "channels": 2, "repeats": 5, "threads": 1}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    rows = {}
    for form in FORMS:
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            rows[form] = alone.apply(run_form, (form, options))
    print(table(rows))


if __name__ == "__main__":
    main()
