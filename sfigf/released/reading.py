"""Checkpoints in all the shapes they come in, read as tensors alone: no code of a file is ever run."""

from __future__ import annotations

import argparse
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfigf.files import damaged_member
from sfigf.interface import UserError

if TYPE_CHECKING:
    from torch import Tensor

ANCHOR = "smfe.init_rgb.0.weight"
"""A key that every released network has: what stands before it is a wrapper's."""
# Parallel and compiled networks put these before a key, or inside it; no released key has such a word.
_ADDED_WORDS = {"module", "_orig_mod"}
_DEEPEST = 6


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by bare name: wrapping dicts and words before the keys are taken off.

    Where a file holds several networks, the trained one is taken before its running average.

    Raises:
        UserError: If the file is missing or holds anything but tensors, numbers and plain containers.
    """
    if not path.is_file():
        raise UserError(f"weights '{path}' do not exist" if not path.exists() else f"'{path}' is no file")
    content = _read_safetensors(path) if _is_safetensors(path) else _read_pickle(path)
    states = [(where, state) for where, mapping in _mappings(content) for where, state in _bare(where, mapping)]
    if not states:
        raise UserError(f"'{path}' holds {_content(content)}, not a dict of weights, nor one wrapped in dicts")
    return min(states, key=lambda found: (ANCHOR not in found[1], "ema" in found[0].lower(), found[0].count(".")))[1]


def _content(content: Any) -> str:
    if isinstance(content, Mapping):
        return f"a dict without tensors ({', '.join(map(str, list(content)[:5]))})"
    return f"a {type(content).__name__}"


def _mappings(content: Any, where: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield every dict in dicts and lists, with the words that lead to it."""
    if depth > _DEEPEST:
        return
    if isinstance(content, Mapping):
        yield where, content
    inner = content.items() if isinstance(content, Mapping) else enumerate(content) if _is_list(content) else ()
    for name, value in inner:
        yield from _mappings(value, f"{where}{name}.", depth + 1)


def _is_list(content: Any) -> bool:
    return isinstance(content, list | tuple) and len(content) < 100


def _bare(where: str, mapping: Mapping[Any, Any]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield the state dicts in a dict, bare: one for each prefix that the first key of the network stands behind."""
    from torch import Tensor

    tensors = {
        ".".join(word for word in key.split(".") if word not in _ADDED_WORDS): value
        for key, value in mapping.items()
        if isinstance(key, str) and isinstance(value, Tensor) and key != "n_averaged"
    }
    prefixes = [key.removesuffix(ANCHOR) for key in tensors if key == ANCHOR or key.endswith(f".{ANCHOR}")]
    for prefix in prefixes or [""] * bool(tensors):
        yield (
            where + prefix,
            {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)},
        )


def _is_safetensors(path: Path) -> bool:
    """Eight bytes of length and a JSON header; the suffix may say anything."""
    with path.open("rb") as stream:
        start = stream.read(9)
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= path.stat().st_size


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from sfigf.weights import is_ours

    if is_ours(path):
        raise UserError(f"'{path}' is in our format already: give it as it is, with --weights, or to load_network")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"'{path}' is not a readable safetensors file: {error}") from error


def _read_pickle(path: Path) -> Any:
    import torch

    try:
        with torch.serialization.safe_globals(_allowed()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if zipfile.is_zipfile(path) and (name := damaged_member(path)) is not None:
                raise ValueError(f"the checksum of {name} is wrong")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way
        raise UserError(f"'{path}' cannot be read as weights alone: {_reason(str(error), type(error))}") from error


def _reason(text: str, kind: type) -> str:
    """Why a file was not loaded, without PyTorch's advice to load it with its code."""
    refused = re.search(r"GLOBAL ([\w.]+)", text)
    if refused:
        return f"it names {refused[1]}, which would run code; save the state dict of the network instead"
    if "TorchScript" in text:
        return "it is a TorchScript archive, which holds code; save the state dict of the network instead"
    if "legacy .tar" in text:
        return "it is a tar archive; unpack it, or save it again with PyTorch 1.6 or later"
    said = "" if text.startswith("Weights only") else f", {text.partition('. ')[0]}"
    return f"it is damaged or no checkpoint of PyTorch ({kind.__name__}{' '.join(said.split(chr(10)))})"


def _allowed() -> list[Any]:
    """What records beside the weights may hold: numpy scalars and arrays, and the arguments of a training."""
    import numpy as np

    scalar, rebuild = np.float64(0).__reduce__()[0], np.zeros(1).__reduce__()[0]
    dtypes = {type(np.dtype(code)) for code in "?bBhHiIlLqQefdFD"}
    # Older numpy wrote the same functions under another module.
    older: list[Any] = [(scalar, "numpy.core.multiarray.scalar"), (rebuild, "numpy.core.multiarray._reconstruct")]
    return [np.dtype, np.ndarray, scalar, rebuild, *older, *dtypes, argparse.Namespace]
