"""How far a computation repeats itself on one machine: to the last bit on a CPU, on a GPU as far as one asks for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from sfigf.interface import UserError

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def repeatable(strict: bool) -> None:
    """Let PyTorch use deterministic algorithms: where there are such, or, if strict, nowhere any other.

    Strict also keeps float32 in float32 (no TF32) and lets cuDNN choose its algorithms by rule, not by timing. Call it
    before anything is put on a GPU.
    """
    import torch

    torch.use_deterministic_algorithms(True, warn_only=not strict)
    # Filling what nothing has been written to costs a training step about 4 % here.
    torch.utils.deterministic.fill_uninitialized_memory = strict  # type: ignore[attr-defined]
    if strict:
        os.environ.setdefault(_CUBLAS, ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False


@contextlib.contextmanager
def named(what: str) -> Iterator[None]:
    """Say in one line which operation strictness forbids.

    Raises:
        UserError: Then.
    """
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        operation = str(error).split(" does not have a deterministic", 1)[0]
        raise UserError(
            f"{what}: `strict` forbids {operation}, which has no deterministic form on this device; "
            "use the CPU, or set strict: false"
        ) from error
