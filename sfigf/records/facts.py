"""What a file that the workflow made says of itself: weights, sets, costs and training logs. Loads no tensor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sfigf.interface import UserError
from sfigf.small_files import read_small_text
from sfigf.weights import is_ours, read_facts

_TAIL = 4096
"""Bytes at the end of a training log that hold its last event."""


def facts_of(path: str | Path) -> dict[str, Any]:
    """Return what a file says of how it was made, empty where it says nothing or cannot be read.

    Weight files give their facts, sets of images ``about``, cost files and training logs ``device`` and more.
    """
    path = Path(path)
    readers = {".safetensors": _header, ".json": _cost, ".jsonl": _training}
    if path.suffix not in readers or not path.is_file():
        return {}
    try:
        found = readers[path.suffix](path)
    except (UserError, OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _header(path: Path) -> dict[str, Any]:
    facts = read_facts(path) if is_ours(path) else {}
    return {"about": dict(facts["about"])} if "records" in facts else facts


def _cost(path: Path) -> dict[str, Any]:
    facts = json.loads(read_small_text(path))
    return {key: facts[key] for key in ("device", "threads", "seed") if key in facts} if "device" in facts else {}


def _training(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        lines = stream.read().decode(errors="replace").splitlines()
    event = json.loads(lines[-1])
    return {key: value for key, value in event.items() if key != "event"} if event["event"] == "end" else {}
