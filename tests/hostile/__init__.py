"""Broken and hostile input: every reader of files is given thousands of damaged ones.

A reader may return what the file really says, or refuse it with one line. It may not end the process, hang, take
memory that the file does not justify, or return something else. ``python -m tests.hostile`` counts; the tests beside
this file try some hundred inputs a reader.

To add a reader: put a ``Reader`` into the list ``READERS`` of one of the modules of ``MODULES``.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sfigf.interface import UserError
from tests.hostile.mutations import change_file

MODULES = ("images", "sets", "archives", "stores", "settings")
"""Those that exist are gathered, in this order."""


def no_opinion(path: Path) -> str | None:
    """Nobody else can read it."""
    return None


@dataclasses.dataclass(frozen=True)
class Reader:
    """One reader of files, and what it is given.

    Attributes:
        name: Its row in the table, as in ``images: PNG``.
        seeds: Makes valid files in an empty folder, small ones, and returns their paths; a folder may be one too.
        read: Reads a path wholly and says in one line what is in it (shape, type, digest), or raises a refusal.
        change: Damages a copy of a seed in place, out of the generator alone, and says what was done to it.
        expected: What ``read`` must say of a path if it says anything, by another program; None without an opinion.
        refusals: What it may raise; the text must be one line.
        seconds: Time that one input may take before it counts as hung.
        memory_bytes: Memory that one input may take beyond what the process holds already.
    """

    name: str
    seeds: Callable[[Path], Sequence[Path]]
    read: Callable[[Path], str]
    change: Callable[[Path, np.random.Generator], str] = change_file
    expected: Callable[[Path], str | None] = no_opinion
    refusals: tuple[type[Exception], ...] = (UserError,)
    seconds: float = 30
    memory_bytes: int = 2**30


def gathered(*modules: str) -> list[Reader]:
    """The readers of these modules, of all if none is named."""
    names = [f"tests.hostile.{module}" for module in modules or MODULES]
    present = [name for name in names if importlib.util.find_spec(name) is not None]
    return [reader for name in present for reader in importlib.import_module(name).READERS]
