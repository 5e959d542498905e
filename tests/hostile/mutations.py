"""Ways to damage a file, whatever its kind; all out of a generator, so that a seed gives the same bytes again."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Change = Callable[[bytes, np.random.Generator], bytes]
_LONGEST = 64
_NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut the end off, near either end more often than in the middle."""
    near = min(len(data), int(rng.integers(0, _LONGEST)))
    return data[: (near, len(data) - near, int(rng.integers(0, len(data) + 1)))[int(rng.integers(3))]]


def flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip one to eight bits anywhere."""
    return _patched(data, [(place, bytes([data[place] ^ 1 << int(rng.integers(8))])) for place in _places(data, rng)])


def flip_head(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip one to eight bits of the first 256 bytes, where most headers are."""
    return flip_bits(data[:256], rng) + data[256:]


def set_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Set one to eight bytes to anything."""
    return _patched(data, [(place, rng.bytes(1)) for place in _places(data, rng)])


def swap_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Let two neighbours change places."""
    place = int(rng.integers(max(1, len(data) - 1)))
    return data[:place] + data[place : place + 2][::-1] + data[place + 2 :]


def zero_block(data: bytes, rng: np.random.Generator) -> bytes:
    """Zero a block, as a disk does that lost it."""
    place, length = _block(data, rng)
    return data[:place] + bytes(length) + data[place + length :]


def random_block(data: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite a block with noise."""
    place, length = _block(data, rng)
    return data[:place] + rng.bytes(length) + data[place + length :]


def drop_block(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave a block out."""
    place, length = _block(data, rng)
    return data[:place] + data[place + length :]


def repeat_block(data: bytes, rng: np.random.Generator) -> bytes:
    """Put a block in twice."""
    place, length = _block(data, rng)
    return data[: place + length] + data[place:]


def set_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Put a number that tends to break things where some header may have one: 1, 2, 4 or 8 bytes, either order."""
    width, order = int(rng.choice((1, 2, 4, 8))), "little" if rng.integers(2) else "big"
    top = len(data) if rng.integers(3) == 0 else min(len(data), 512)
    place = int(rng.integers(max(1, top)))
    number = int(rng.choice(_NUMBERS)) if width < 8 else int(rng.choice((*_NUMBERS, 2**40, 2**62, 2**63 - 1)))
    value = (number % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
    return _patched(data, [(place, value)])


def append(data: bytes, rng: np.random.Generator) -> bytes:
    """Add noise at the end."""
    return data + rng.bytes(int(rng.integers(1, 4096)))


ANY: tuple[Change, ...] = (
    truncate, flip_bits, flip_head, set_bytes, swap_bytes, zero_block, random_block, drop_block, repeat_block,
    set_number, append,
)  # fmt: skip


def change_bytes(data: bytes, rng: np.random.Generator, own: Sequence[Change] = ()) -> tuple[bytes, str]:
    """Apply one change, seldom several; half of the time one of the format's ``own`` if there are any."""
    done = []
    for _ in range(1 if rng.integers(4) else int(rng.integers(2, 4))):
        pool = own if own and rng.integers(2) else ANY
        chosen = pool[int(rng.integers(len(pool)))]
        if data:
            with contextlib.suppress(struct.error, LookupError, ValueError, OverflowError):  # no more of the format
                data = chosen(data, rng)
        done.append(chosen.__name__)
    return data, " ".join(done)


def change_file(path: Path, rng: np.random.Generator, own: Sequence[Change] = ()) -> str:
    """Damage a file in place, or one file of a folder; say how."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        path = files[int(rng.integers(len(files)))]
    if rng.integers(25) == 0:
        return replace_file(path, rng)
    data, done = change_bytes(path.read_bytes(), rng, own)
    path.write_bytes(data)
    return done


def replace_file(path: Path, rng: np.random.Generator) -> str:
    """Put something else in a file's place: nothing, a folder, a pipe, or a link that leads nowhere good."""
    chosen = REPLACEMENTS[int(rng.integers(len(REPLACEMENTS)))]
    path.unlink()
    chosen(path)
    return chosen.__name__.strip("_")


def ended(text: str) -> str:
    """``text`` if it is one line that says something; an AssertionError otherwise."""
    assert text.strip(), "an empty message"
    assert len(text.splitlines()) == 1, f"not one line: {text!r}"
    return text


AWKWARD_NAMES = (
    "with space", "it's", 'a "b"', "two\nlines", "$(touch pwned)", "`touch pwned`", "; touch pwned #", "| touch pwned",
    "&& touch pwned", "-rf", "--help", "a,b", "a*b?[c]", "%s%n", "{0}", "~", "$HOME", "über", "\u202egnp", "tab\there",
    "back\\slash", "bell\a", "\x1b[31mred", os.fsdecode(b"not-\xff\xfe-utf8"),
)  # fmt: skip
"""Stems that a shell, a format string, a terminal or an encoder may stumble over."""


def _nothing(path: Path) -> None:
    return None


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling_link(path: Path) -> None:
    path.symlink_to("nowhere" + path.suffix)


def _endless_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder_link(path: Path) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


REPLACEMENTS: tuple[Callable[[Path], None], ...] = (
    _nothing, _empty, _folder, _pipe, _link_to_itself, _dangling_link, _endless_link, _folder_link,
)  # fmt: skip


def copied(seed: Path, folder: Path) -> Path:
    """A copy of a seed, a file or a folder, that may be damaged."""
    path = folder / seed.name
    shutil.copytree(seed, path) if seed.is_dir() else shutil.copyfile(seed, path)
    return path


def _patched(data: bytes, patches: Sequence[tuple[int, bytes]]) -> bytes:
    changed = bytearray(data)
    for place, value in patches:
        changed[place : place + len(value)] = value
    return bytes(changed)


def _places(data: bytes, rng: np.random.Generator) -> list[int]:
    return [int(place) for place in rng.integers(0, len(data), int(rng.integers(1, 9)))] if data else []


def _block(data: bytes, rng: np.random.Generator) -> tuple[int, int]:
    place = int(rng.integers(len(data) + 1))
    return place, min(len(data) - place, int(rng.integers(1, _LONGEST if rng.integers(2) else 8 * _LONGEST)))
