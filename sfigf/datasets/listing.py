"""Files of a folder by what their names say, and how messages name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sfigf.interface import UserError


def named(path: str | Path) -> str:
    """Name of a file with its folder's, for messages; what no terminal should be sent becomes a question mark."""
    parts = (part if len(part) <= 80 else f"{part[:40]}...{part[-37:]}" for part in Path(path).absolute().parts[-2:])
    return "".join(letter if letter.isprintable() else "?" for letter in "/".join(parts))


def by_key(paths: Iterable[Path], key: Callable[[Path], str | None]) -> dict[str, Path]:
    """Return files by key, in order of name; those without a key are left out.

    Raises:
        UserError: If two files have one key.
    """
    found: dict[str, Path] = {}
    for path in sorted(paths):
        label = key(path)
        if label in found:
            raise UserError(f"{named(path)}: stands for the same as {named(found[label])}; take one of the two away")
        if label is not None:
            found[label] = path
    return found
