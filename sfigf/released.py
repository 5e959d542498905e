"""The authors' weights in our network: read their files, name by name, executing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfigf.interface import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from sfigf.nets.sfigf import SFIGF, RawMonoSFIGF, Variant

_WRAPPERS = ("net", "model", "state_dict")


def import_released(path: str | Path, variant: Variant) -> SFIGF | RawMonoSFIGF:
    """Return the network of a released checkpoint in eval mode; width, levels, bands and heads are read off the shapes.

    Args:
        path: ``.pth``, ``.pth.tar``, ``.tar`` (PyTorch) or ``.safetensors`` with the released key names.
        variant: ``depth``, ``pan``, ``focus``, ``raw-red`` or ``raw-mono``.

    Raises:
        UserError: If the file cannot be read as tensors, or its keys or shapes do not fit the variant.
    """
    return from_released(read_state(Path(path)), variant)


def from_released(released: Mapping[str, Tensor], variant: Variant) -> SFIGF | RawMonoSFIGF:
    """Return the network, in eval mode, that a released state dict (bare names) describes.

    Raises:
        UserError: If keys or shapes do not fit the variant.
    """
    from sfigf.nets.sfigf import build_sfigf

    bands, sizes = _sizes(released, variant)
    network = build_sfigf(variant, bands=bands, **sizes)
    ours = translate(released, variant)
    _check_fit(ours, network.state_dict(), variant)
    network.load_state_dict(ours)
    return network.eval()


def translate(released: Mapping[str, Tensor], variant: str) -> dict[str, Tensor]:
    """Rename and reshape a released state dict to ours; parameters that no forward reads are left out."""
    from sfigf.nets.sfigf.names import our_name

    named = ((our_name(key, variant), value) for key, value in released.items())
    return {name: _reshaped(name, value) for name, value in named if name is not None}


def _reshaped(name: str, value: Tensor) -> Tensor:
    """Linears are 1x1 convolutions here, residual scales carry no batch axis."""
    if name.endswith((".beta", ".gamma")):
        return value.reshape(-1, 1, 1)
    return value[:, :, None, None] if value.ndim == 2 else value


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by bare name: wrapping dicts and ``module.`` are taken off.

    Raises:
        UserError: If the file is missing or holds anything but tensors, numbers and plain containers.
    """
    from torch import Tensor

    if not path.is_file():
        raise UserError(f"weights '{path}' do not exist")
    state: Any = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    while isinstance(state, Mapping) and not any(isinstance(value, Tensor) for value in state.values()):
        inner = next((name for name in _WRAPPERS if name in state), None)
        if inner is None:
            raise UserError(f"'{path}' holds no tensors, nor a dict named {', '.join(_WRAPPERS)}: {list(state)[:5]}")
        state = state[inner]
    if not isinstance(state, Mapping):
        raise UserError(f"'{path}' holds a {type(state).__name__}, not a state dict")
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"'{path}' is not a safetensors file: {error}") from error


def _read_pickle(path: Path) -> Any:
    import pickle

    import numpy as np
    import torch

    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(name)) for name in ("f4", "f8", "i4", "i8", "bool")]
    # Their records hold best scores as numpy scalars; older numpy wrote the same function under another module.
    allowed: list[Any] = [np.dtype, scalar, (scalar, "numpy.core.multiarray.scalar"), *dtypes]
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read as weights alone: {str(error).splitlines()[0]}") from error


def _sizes(released: Mapping[str, Tensor], variant: str) -> tuple[int | None, dict[str, int]]:
    """Return bands and the options that the shapes tell."""
    try:
        width, bands = released["smfe.init_rgb.0.weight"].shape[:2]
        self_bias, cross_bias = (released[f"guide1.{name}.rpb"] for name in ("attn_inp", "attn"))
    except KeyError as error:
        raise UserError(f"no {variant} network: key {error} is missing among {len(released)} keys") from error
    sizes = {
        "width": width,
        "self_heads": self_bias.shape[0],
        "cross_heads": cross_bias.shape[0],
        "kernel": (self_bias.shape[1] + 1) // 2,
    }
    if variant not in {"pan", "focus"}:
        sizes["levels"] = sum(f"guide{level}.attn.rpb" in released for level in range(1, 9))
    return bands, sizes


def _check_fit(ours: Mapping[str, Tensor], wanted: Mapping[str, Tensor], variant: str) -> None:
    missing, surplus = sorted(wanted.keys() - ours.keys()), sorted(ours.keys() - wanted.keys())
    differing = [
        f"{key} {tuple(ours[key].shape)}, wanted {tuple(wanted[key].shape)}"
        for key in sorted(ours.keys() & wanted.keys())
        if ours[key].shape != wanted[key].shape
    ]
    problems = [("missing", missing), ("too many", surplus), ("other shape", differing)]
    text = "; ".join(f"{len(keys)} {what}: {', '.join(keys[:4])}" for what, keys in problems if keys)
    if text:
        raise UserError(f"the weights do not fit the {variant} network: {text}")
