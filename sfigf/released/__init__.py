"""The authors' weights in our network: read their files, name by name, executing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.released.fitting import misfit, problems_of, renamed, sizes_of
from sfigf.released.reading import read_state
from sfigf.small_files import one_line

if TYPE_CHECKING:
    from torch import Tensor

    from sfigf.nets.sfigf import SFIGF, RawMonoSFIGF, Variant

SOURCE = "Xinyil256/SFIGF@3600cd0, released without a licence: for research, not ours to redistribute"


def import_released(path: str | Path, variant: Variant) -> SFIGF | RawMonoSFIGF:
    """Return the network of a released checkpoint in eval mode; width, levels, bands and heads are read off the shapes.

    The dilation is in no shape: it is 3, as released. The network is float32; only a float64 file whose values float32
    cannot hold gives a float64 one.

    Args:
        path: ``.pth``, ``.pth.tar``, ``.tar`` (PyTorch) or ``.safetensors`` with the released key names.
        variant: ``depth``, ``pan``, ``focus``, ``raw-red`` or ``raw-mono``.

    Raises:
        UserError: If the file cannot be read as tensors, or its keys or shapes do not fit the variant.
    """
    try:
        state = read_state(Path(path))
    except UserError as error:
        raise UserError(one_line(str(error))) from None
    try:
        return from_released(state, variant)
    except UserError as error:
        raise UserError(one_line(f"{path}: {error}")) from None  # names in the file may hold anything


def from_released(released: Mapping[str, Tensor], variant: Variant) -> SFIGF | RawMonoSFIGF:
    """Return the network, in eval mode, that a released state dict (bare names) describes.

    Raises:
        UserError: If keys or shapes do not fit the variant.
    """
    from sfigf.nets.sfigf import VARIANTS, build_sfigf

    if variant not in VARIANTS:
        raise UserError(f"unknown SFIGF variant '{variant}'; known are {', '.join(VARIANTS)}")
    ours = renamed(released, variant)
    try:
        bands, sizes = sizes_of(released, variant)
        network = build_sfigf(variant, bands=bands, **sizes)
    except (KeyError, ValueError, IndexError) as error:
        raise misfit(released, variant, f"key {error} is missing or has no shape of it") from None
    problems = problems_of(ours, network.state_dict(), variant)
    if problems:
        raise misfit(released, variant, problems)
    if any(value.dtype.itemsize > 4 and not value.float().double().equal(value) for value in ours.state.values()):
        network.double()
    network.load_state_dict(ours.state)
    return network.eval()


def convert(path: str | Path, variant: Variant, output: str | Path) -> SFIGF | RawMonoSFIGF:
    """Write a released checkpoint in our format, float32, and return the network that lies in it.

    ``sfigf.weights.load_network`` of the written file gives the bytes of ``import_released``.

    Raises:
        UserError: As ``import_released``; or if our format would take the network for another one by its channels.
    """
    from sfigf.weights import build_network, save_weights

    network = import_released(path, variant).float()
    facts = _facts(Path(path), network, variant)
    rebuilt = build_network(facts)
    if getattr(rebuilt, "variant", "raw-mono") != variant:
        raise UserError(f"{path}: a {variant} network of {network.bands} bands has no place in our format")
    rebuilt.load_state_dict(network.state_dict())
    save_weights(output, rebuilt, facts)
    return network


# How the released code shows its images to these networks; a network is used as it was trained.
_SHOWN = {"depth": "released-colours", "raw-red": "released-packing"}


def _facts(path: Path, network: SFIGF | RawMonoSFIGF, variant: Variant) -> dict[str, Any]:
    """What the written file says of itself: all that rebuilds the network, and where it comes from."""
    from sfigf.weights import versions

    bands = getattr(network, "bands", 0)
    signatures = {
        "depth": (bands, 3, bands, 1),
        "pan": (bands, 1, bands, 1),
        "focus": (bands, bands, bands, 1),
        "raw-red": (bands, bands, 3, 2),
        "raw-mono": (1, 0, 3, 1),
    }
    chosen = ("width", "levels", "self_heads", "cross_heads", "kernel", "dilation", "residual")
    return {
        "task": variant.partition("-")[0],
        "condition": "red-oracle" if variant == "raw-red" else "released",
        "label": "sfigf",
        "method": "sfigf",
        "options": {"method": "sfigf", **{name: getattr(network.options, name) for name in chosen}},
        "variant": "full",
        "seed": 0,
        "signature": dict(zip(("target", "guide", "output", "upscale"), signatures[variant], strict=True)),
        "training": {"encoding": _SHOWN.get(variant, "none")},
        "origin": {"file": path.name, "sha256": sha256_of(path), "variant": variant, "source": SOURCE},
        "licence": "none was granted; see origin",
        "versions": versions(),
    }
