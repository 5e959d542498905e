"""Random weights under the authors' names, written down from the list of their keys: no word of ours is used."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

Shapes = Iterator[tuple[str, tuple[int, ...]]]


def released_state(
    variant: str,
    width: int = 8,
    bands: int | None = None,
    levels: int = 4,
    heads: tuple[int, int] = (4, 8),
    kernel: int = 7,
    *,
    dead: bool = True,
    seed: int = 0,
) -> dict[str, Tensor]:
    """A state dict as the released class of ``variant`` would save it; heads are those of self- and cross-attention."""
    rng = torch.Generator().manual_seed(seed)
    bands = {"depth": 1, "pan": 8, "focus": 3, "raw-red": 4, "raw-mono": 4}[variant] if bands is None else bands
    levels = 1 if variant in ("pan", "focus") else levels
    shapes = dict(_network(variant, width, bands, levels, heads, kernel))
    state = {key: 0.2 * torch.randn(shape, generator=rng) for key, shape in shapes.items()}
    return {key: value for key, value in state.items() if dead or not _is_dead(key, variant)}


def _is_dead(key: str, variant: str) -> bool:
    return ".conv_b." in key or (variant == "pan" and key.startswith("sca."))


def _network(variant: str, c: int, bands: int, levels: int, heads: tuple[int, int], kernel: int) -> Shapes:
    yield from _conv("smfe.init_rgb.0", c, bands, 3)
    yield from _conv("smfe.init_mono.0", c, bands, 3)
    yield from _conv("smfe.init_rgb_mono.0", c, 2 * bands, 3)
    mono, focus, deep = variant == "raw-mono", variant == "focus", variant not in ("pan", "focus")
    widths = [c * 2**level for level in range(levels)]
    for level, n in enumerate(widths, start=1):
        digit = "" if level == 1 else str(level)
        yield from _update(f"smfe.encoder.naf_inp{digit}", n)
        yield from _update(f"smfe.encoder.naf_guide{digit}", n)
        yield from _filter(f"guide{level}", n, heads, kernel)
    if focus:
        yield from _filter("guide2", c, heads, kernel)
    for digit in ("", "2") if focus else ("",):
        yield from _image_filter(digit, c, bands)
    if focus or mono:
        for digit in ("", "2") if focus else ("",):
            inner = c if focus else 2 * c
            yield from _conv(f"guide_res{digit}.0", inner, 1, 3)
            yield from _conv(f"guide_res{digit}.2", bands, inner, 1)
    if deep:
        yield from _pyramid(widths, mono)
    if variant == "pan":
        yield from _conv("sca.1", 2 * c, 2 * c, 1)
    if mono:
        yield from _debayer()
    yield from _head(variant, c, bands)


def _head(variant: str, c: int, bands: int) -> Shapes:
    joined = {"pan": c + bands, "focus": 4 * bands, "raw-mono": 2 * bands}.get(variant, 2 * c + bands)
    yield from _gate("ca_out", joined)
    if variant == "raw-mono":
        yield from _conv("out.0", 32, joined, 1)
        yield from _conv("out.2", 32, 1, 3)
        yield from _conv("out.4", 12, 32, 1)
        return
    yield from _conv("out.0", joined, 1 if variant == "focus" else joined, 3)
    yield from _conv("out.2", 12 if variant == "raw-red" else bands, joined, 1)


def _pyramid(widths: list[int], mono: bool) -> Shapes:
    decoded = [2 * n for n in widths[:-1]] + [3 * widths[-1]]
    for level, n in enumerate(widths[:-1], start=1):
        yield from _conv(f"smfe.encoder.downsample_i{level}.0", 2 * n, n, 1)
        yield from _conv(f"smfe.encoder.downsample_g{level}.0", 2 * n, n, 1)
        if mono:
            yield from _conv(f"smfe.encoder.igconv{level + 1}.0", 2 * n, n, 1)
            yield from _conv(f"smfe.encoder.igconv{level + 1}.2", 2 * n, 1, 3)
        else:
            yield from _conv(f"smfe.encoder.downsample_ig{level}.0", n, 2 * n, 1)
            yield from _conv(f"smfe.encoder.downsample_ig{level}.2", n, 1, 3)
            yield from _conv(f"smfe.encoder.downsample_ig{level}.4", 2 * n, n, 1)
        yield from _conv(f"upsample{level + 1}.0", n, decoded[level], 1)
        yield from _conv(f"upsample{level + 1}.3", n, 1, 3)
    for level, n in enumerate(decoded, start=1):
        digit = "" if level == 1 else str(level)
        yield from _gate(f"ca{digit}", n) if mono else _conv(f"sca{digit}.1", n, n, 1)


def _update(part: str, n: int) -> Shapes:
    yield from _conv(f"{part}.0", n, 2 * n, 1)
    yield from _norm(f"{part}.2.norm1", n)
    yield from _norm(f"{part}.2.norm2", n)
    inside = {"conv1": (2 * n, n, 1), "conv2": (2 * n, 1, 3), "sca.1": (n, n, 1), "conv3": (n, n, 1)}
    for name, sizes in (inside | {"conv4": (2 * n, n, 1), "conv5": (n, n, 1)}).items():
        yield from _conv(f"{part}.2.{name}", *sizes)
    yield from ((f"{part}.2.{name}", (1, n, 1, 1)) for name in ("beta", "gamma"))


def _filter(part: str, n: int, heads: tuple[int, int], kernel: int) -> Shapes:
    yield from _conv(f"{part}.conv_a.0", n, 2 * n, 1)
    yield from _conv(f"{part}.conv_a.2", n, 1, 3)
    yield f"{part}.conv_b.0.weight", (2 * n, 1, 3, 3)
    yield f"{part}.conv_b.2.weight", (n, 2 * n, 1, 1)
    for name in ("norm_inp", "norm_inp2", "norm1", "norm2"):
        yield from _norm(f"{part}.{name}", n)
    linears = {"attn_inp.qkv": (3 * n, n), "attn_inp.proj": (n, n), "attn.q": (n, n), "attn.kv": (2 * n, n)}
    linears |= {"attn.proj": (n, n), "mlp_inp.fc1": (4 * n, n), "mlp_inp.fc2": (n, 4 * n)}
    for name, sizes in (linears | {"mlp.fc1": (4 * n, n), "mlp.fc2": (n, 4 * n)}).items():
        yield f"{part}.{name}.weight", sizes
        yield f"{part}.{name}.bias", sizes[:1]
    for name, wanted in zip(("attn_inp", "attn"), heads, strict=True):
        count = next(h for h in range(min(wanted, n), 0, -1) if n % h == 0)
        yield f"{part}.{name}.rpb", (count, 2 * kernel - 1, 2 * kernel - 1)


def _image_filter(digit: str, c: int, bands: int) -> Shapes:
    joint = 2 * c + bands
    yield from _conv(f"guide_a{digit}.0", joint, 1, 3)
    yield from _conv(f"guide_a{digit}.2", joint, 1, 3)
    yield from _conv(f"guide_a{digit}.4", bands, joint, 1)
    yield from _conv(f"guide_b{digit}.0", c, 3 * bands, 1)
    yield from _conv(f"guide_b{digit}.2", c, 1, 3)
    yield from _conv(f"guide_b{digit}.4", bands, c, 1)


def _gate(part: str, n: int) -> Shapes:
    yield from _conv(f"{part}.conv_du.0", n // 2, n, 1)
    yield from _conv(f"{part}.conv_du.2", n, n // 2, 1)
    yield from _conv(f"{part}.conv_spa.0", n // 2, n, 1)
    yield from _conv(f"{part}.conv_spa.2", n // 2, 1, 3)
    yield from _conv(f"{part}.conv_spa.4", n, n // 2, 1)


def _debayer() -> Shapes:
    widths = [1, 8, 16, 32, 64, 128]
    for stage in range(1, 6):
        yield from _conv(f"dbf.DBF_conv{stage}.Conv1", widths[stage], widths[stage - 1], 3)
        yield from _conv(f"dbf.DBF_conv{stage}.Conv2", widths[stage], widths[stage], 3)
    for stage in range(6, 10):
        n = widths[10 - stage]
        yield f"dbf.DBF_upv{stage - 1}.weight", (2 * n, n, 2, 2)
        yield f"dbf.DBF_upv{stage - 1}.bias", (n,)
        yield from _conv(f"dbf.DBF_conv{stage}.Conv1", n, 2 * n, 3)
        yield from _conv(f"dbf.DBF_conv{stage}.Conv2", n, n, 3)
    yield from _conv("dbf.DBF_out", 1, 8, 3)


def _conv(name: str, outputs: int, inputs: int, kernel: int) -> Shapes:
    yield f"{name}.weight", (outputs, inputs, kernel, kernel)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, n: int) -> Shapes:
    yield f"{name}.weight", (n,)
    yield f"{name}.bias", (n,)
