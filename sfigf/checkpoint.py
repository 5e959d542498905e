"""Checkpoints that resume exactly: model, optimiser, best weights so far, log position."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfigf.files import damaged_member, replacing
from sfigf.interface import UserError


@contextlib.contextmanager
def checkpoint_folder(folder: str | Path) -> Iterator[Path]:
    """Hold a folder for one writer; a second one is refused, a killed one leaves no lock behind.

    Raises:
        UserError: If another live process trains in the folder.
    """
    from filelock import FileLock, Timeout

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{folder}: another process is training here; wait for it or stop it") from None
    try:
        yield folder
    finally:
        lock.release()


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint of a folder atomically."""
    import torch

    # By way of memory: of a full disk torch says only that a position in the file is not the one it expected.
    content = io.BytesIO()
    torch.save(state, content)
    with replacing(folder / "last.pt") as temporary:
        temporary.write_bytes(content.getbuffer())


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the checkpoint of a folder, or None; one that is damaged is set aside, never executed."""
    path = folder / "last.pt"
    if not path.is_file():
        return None
    state = _read(path)
    if state is None:
        path.replace(folder / "unreadable.pt")
    return state


def _read(path: Path) -> dict[str, Any] | None:
    """What a file holds, or None of a damaged one."""
    import torch

    try:
        if damaged_member(path) is not None:
            return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception:  # what a damaged pickle raises depends on where the damage is
        return None
    return state if isinstance(state, dict) else None


def clear_checkpoints(folder: Path) -> None:
    """Remove a folder once its final weights are written."""
    shutil.rmtree(folder, ignore_errors=True)
