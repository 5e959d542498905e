"""A released state dict against the network it should fill: sizes, names, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sfigf.interface import UserError
from sfigf.released.reading import ANCHOR

if TYPE_CHECKING:
    from torch import Tensor

    from sfigf.nets.sfigf import Variant


class Renamed(NamedTuple):
    """A released state dict under our names.

    Attributes:
        state: Our name -> tensor in our shape; what no forward reads is left out.
        keys: Our name -> released key.
        strangers: Released keys that belong to no part of the variant.
    """

    state: dict[str, Tensor]
    keys: dict[str, str]
    strangers: list[str]


def renamed(released: Mapping[str, Tensor], variant: str) -> Renamed:
    """Translate every key of a released state dict to ours."""
    from sfigf.nets.sfigf.names import our_name

    ours = Renamed({}, {}, [])
    for key in sorted(released):
        try:
            name = our_name(key, variant)
        except UserError:
            ours.strangers.append(key)
            continue
        if name is not None:
            ours.state[name], ours.keys[name] = _reshaped(name, released[key]), key
    return ours


def _reshaped(name: str, value: Tensor) -> Tensor:
    """Linears are 1x1 convolutions here, residual scales carry no batch axis."""
    if name.endswith((".beta", ".gamma")):
        return value.reshape(-1, 1, 1)
    return value[:, :, None, None] if value.ndim == 2 else value


def sizes_of(released: Mapping[str, Tensor], variant: str) -> tuple[int, dict[str, int]]:
    """Return bands and the options that the shapes tell; a level may have fewer heads than were asked for."""
    width, bands, _, _ = released[ANCHOR].shape
    biases = {name: [released[f"guide1.{name}.rpb"]] for name in ("attn_inp", "attn")}
    for name, tables in biases.items():
        tables += [released[key] for level in range(2, 10) if (key := f"guide{level}.{name}.rpb") in released]
    sizes = {
        "width": width,
        "self_heads": max(table.shape[0] for table in biases["attn_inp"]),
        "cross_heads": max(table.shape[0] for table in biases["attn"]),
        "kernel": (biases["attn"][0].shape[1] + 1) // 2,
    }
    if variant not in {"pan", "focus"}:
        sizes["levels"] = len(biases["attn"])
    return bands, sizes


def problems_of(ours: Renamed, wanted: Mapping[str, Tensor], variant: str) -> str:
    """Say which keys and shapes do not fit; nothing where all do."""
    from sfigf.nets.sfigf.names import released_name

    state, missing = ours.state, sorted(wanted.keys() - ours.state.keys())
    differing = [
        f"{ours.keys[name]} {tuple(state[name].shape)}, wanted {tuple(wanted[name].shape)}"
        for name in sorted(state.keys() & wanted.keys())
        if state[name].shape != wanted[name].shape
    ]
    texts = [
        _listed("missing", missing),
        _listed("too many", ours.strangers + [ours.keys[name] for name in sorted(state.keys() - wanted.keys())]),
        _listed("other shape", differing),
        f"the released name of what is missing: {_few([released_name(name, variant) for name in missing])}"
        if missing
        else "",
    ]
    return "; ".join(filter(None, texts))


def _listed(what: str, keys: list[str]) -> str:
    return f"{len(keys)} {what}: {_few(keys)}" if keys else ""


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (" ..." if len(keys) > 4 else "")


def misfit(released: Mapping[str, Tensor], variant: str, why: str) -> UserError:
    found = looks_like(released)
    guess = "" if found == variant else f" (looks like {found})" if found else " (these are no weights of SFIGF)"
    return UserError(f"the weights do not fit the {variant} network{guess}: {why}")


def looks_like(released: Mapping[str, Tensor]) -> Variant | None:
    """Guess the variant of a released state dict from its keys, and depth or raw-red from the channels of its head."""
    if ANCHOR not in released:
        return None
    if any(key.startswith("dbf.") for key in released):
        return "raw-mono"
    if any(key.startswith("guide_a2.") for key in released):
        return "focus"
    if not any(key.startswith("upsample2.") for key in released):
        return "pan"
    head, stem = released.get("out.2.weight"), released[ANCHOR]
    return "depth" if head is not None and head.shape[0] == stem.shape[1] else "raw-red"
