"""Weight files: safetensors that say what they are, checked before they are used."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfigf.files import replacing
from sfigf.interface import Signature, UserError
from sfigf.registry import lookup

if TYPE_CHECKING:
    from torch import nn

_ENTRY = "sfigf"
_NEEDED = ("task", "options", "variant", "signature")
LICENCE = "MIT (weights); training data under the licences of their data set cards"
_IMPORT_FIRST = "the authors' weights are imported first: `sfigf import-released`"


def versions() -> dict[str, str]:
    """Versions that made a result: ours, Python's, torch's, numpy's."""
    import numpy
    import torch

    from sfigf import __version__

    return {
        "sfigf": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
    }


def save_weights(path: str | Path, network: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write a network's state and the facts that rebuild and explain it, atomically and byte-stable."""
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    with replacing(path) as temporary:
        # Written here, so that a full disk is an OSError like any other.
        temporary.write_bytes(save(state, metadata={_ENTRY: json.dumps(dict(facts), sort_keys=True)}))


def read_facts(path: str | Path) -> dict[str, Any]:
    """Read what a weight file says of itself; loads no tensor.

    Raises:
        UserError: If the file is missing, damaged, or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise UserError(f"{path}: no such weight file; train it, run `dvc pull`, or name another with --weights")
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads((file.metadata() or {})[_ENTRY])
            if not isinstance(facts, dict):
                raise ValueError(f"its facts are a {type(facts).__name__}")
            return facts
    except KeyError:
        raise UserError(f"{path}: safetensors without sfigf's facts; {_IMPORT_FIRST}") from None
    except (SafetensorError, ValueError, RecursionError, OSError) as error:
        if _is_pytorch(path):
            raise UserError(f"{path}: a PyTorch checkpoint, not a weight file of ours; {_IMPORT_FIRST}") from None
        raise UserError(f"{path}: not a readable weight file ({error}); fetch or train it again") from None


def is_ours(path: str | Path) -> bool:
    """Whether a file is safetensors with our facts."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return _ENTRY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _is_pytorch(path: str | Path) -> bool:
    """A zip archive or a bare pickle."""
    with Path(path).open("rb") as stream:
        return stream.read(2) in (b"PK", b"\x80\x02")


def load_network(path: str | Path, task: str | None = None) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild the network a weight file describes, in eval mode, with its facts.

    Raises:
        UserError: If the weights are of another task, or do not fit the network they name.
    """
    from safetensors.torch import load_file

    facts = read_facts(path)
    if missing := [name for name in _NEEDED if name not in facts]:
        raise UserError(f"{path}: does not say its {', '.join(missing)}; fetch or train it again")
    if task is not None and facts["task"] != task:
        raise UserError(f"{path}: weights of task '{facts['task']}', asked for '{task}'; name weights of {task}")
    network = _network_of(path, facts)
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, KeyError, ValueError) as error:
        raise UserError(f"{path}: does not fit {facts['method']}: {' '.join(str(error).split())[:300]}") from None
    return network.eval(), facts


def _network_of(path: str | Path, facts: Mapping[str, Any]) -> nn.Module:
    """Build the network that a file names, once it is known, without memory, to have the shapes that the file holds."""
    import torch
    from safetensors import safe_open

    try:
        with torch.device("meta"):
            wanted = {name: [*value.shape] for name, value in build_network(facts).state_dict().items()}
        with safe_open(path, framework="numpy") as file:
            stored = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except UserError:
        raise
    except Exception as error:  # options and signatures can be wrong in any way
        raise UserError(
            f"{path}: what it says of its network makes none ({' '.join(str(error).split())[:300]})"
        ) from None
    differing = sorted(name for name in {*wanted, *stored} if wanted.get(name) != stored.get(name))
    if differing:
        first = differing[0]
        held = f"{first} is {stored.get(first, 'not there')}, the network has {wanted.get(first, 'none')}"
        raise UserError(f"{path}: does not fit {facts['options']['method']}: {held}; {len(differing)} differ")
    return build_network(facts)


def build_network(facts: Mapping[str, Any]) -> nn.Module:
    """Build the (untrained) network that the facts of a weight file name."""
    options = dict(facts["options"])
    method = lookup("method", options.pop("method"))(**options)
    return method.build(Signature(**facts["signature"]), facts["variant"])
