"""What breaks readers of text: wrong values, tags that run code, bombs, doubled keys, other encodings."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.mutations import AWKWARD_NAMES, Change

PWNED = '["touch pwned"]'
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**70), 10**400, 0.5, 3.0, 1e308, -1e-308, float("nan"),
    float("inf"), "", " ", "x", "8", "1e-3", "0x1f", "true", "null", "nan", "../../etc/passwd", "/", "*",
    "{task}", "{0}", "é", "\0",
    "\ud800", "\u2028", "\x1b[2J", "a" * 20_000, [], [None], [[]], [{}], [True], [1, 2], [0, 0], ["x8"], ["x8", "x8"],
    ["full"], ["full", "full"], ["bicubic"], {}, {"": None}, {"a": 1}, {"method": []}, {"method": "os"},
    {"variants": "full"}, {"variants": [1]}, {"training": 1}, {"training": {"steps": True}}, {"preset": {}},
    {"x8": None}, {"x8": {"methods": None}}, {"x8": {"train": None}}, *AWKWARD_NAMES,
)  # fmt: skip
"""To put in the place of any value of settings, cards, costs or records."""
_TOKENS = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "null", "true", "[]", "{}", '""', "1" * 5000, "9" * 400,
    "'", '"', "[" * 3000, "{" * 3000, '{"a":' * 3000, "- " * 3000, "\t", "\0", "\x85", "\u2028", "&a", "*a", "<<: *a",
    "!!float x", "!!binary x", "!!set {a}", "!!timestamp 2001-99-99", "2001-01-01", "1:30:00", "=", "%YAML 9.9", "--- ",
    "? [a, b]", f"!!python/object/apply:os.system {PWNED}", f"!!python/object/new:os.system {PWNED}",
    "!!python/name:os.system",
    "!<tag:yaml.org,2002:python/object/apply:os.system> [touch pwned]",
    "=cmd|'/c calc'!A0", "@SUM(1)", "<script>alert(1)</script>",
)  # fmt: skip
_WORD = re.compile(rb"[^\s:,\[\]{}\"']+")


def token(data: bytes, rng: np.random.Generator) -> bytes:
    """Put something else in the place of a word or number."""
    words = [*_WORD.finditer(data)]
    if not words:
        return data
    found = words[int(rng.integers(len(words)))]
    chosen = _TOKENS[int(rng.integers(len(_TOKENS)))]
    return data[: found.start()] + chosen.encode() + data[found.end() :]


def double_line(data: bytes, rng: np.random.Generator) -> bytes:
    """Give a line twice: a key, a row, a member."""
    lines = data.splitlines(keepends=True)
    place = int(rng.integers(max(1, len(lines))))
    return b"".join([*lines[: place + 1], *lines[place:]])


def drop_line(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave a line out."""
    lines = data.splitlines(keepends=True)
    place = int(rng.integers(max(1, len(lines))))
    return b"".join([*lines[:place], *lines[place + 1 :]])


def indent(data: bytes, rng: np.random.Generator) -> bytes:
    """Move a line to the right, with spaces or with tabs."""
    lines = data.splitlines(keepends=True) or [b""]
    place = int(rng.integers(len(lines)))
    lines[place] = (b"  ", b"\t", b" ")[int(rng.integers(3))] + lines[place]
    return b"".join(lines)


def encode(data: bytes, rng: np.random.Generator) -> bytes:
    """Another encoding, or a mark of one."""
    text = data.decode(errors="replace")
    marked = codecs.BOM_UTF8 + data, codecs.BOM_UTF16_LE + data
    return (*marked, text.encode("utf-16"), text.encode("utf-32"), text.encode("cp037", "replace"))[
        int(rng.integers(5))
    ]


def bomb(data: bytes, rng: np.random.Generator) -> bytes:
    """Add what is small here and enormous once it is built."""
    lists = "\n".join(
        [f"a0: &a0 [{'x,' * 9}x]", *(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}*a{i - 1}]" for i in range(1, 12))]
    )
    maps = "\n".join(["b0: &b0 {k: x}", *(f"b{i}: &b{i} {{k: *b{i - 1}, l: *b{i - 1}}}" for i in range(1, 40))])
    ring = "ring: &r [*r]"
    merge = "m: &m {k: 1}\nn: {<<: [*m, *m, *m]}"
    return data + b"\n" + (lists, maps, ring, merge)[int(rng.integers(4))].encode() + b"\n"


TEXT: tuple[Change, ...] = (token, token, double_line, drop_line, indent, encode)
YAML: tuple[Change, ...] = (*TEXT, bomb)


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every leaf and branch."""
    yield path
    steps = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in steps:
        yield from places(value, (*path, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return value
    inner = replaced(content[path[0]], path[1:], value)
    if isinstance(content, dict):
        return {key: inner if key == path[0] else old for key, old in content.items()}
    return [inner if place == path[0] else old for place, old in enumerate(content)]


def replace_value(path: Path, rng: np.random.Generator) -> str:
    """Put a value of ``VALUES`` in the place of a leaf or branch of a JSON file, or under a key of its own."""
    content = json.loads(path.read_text(encoding="utf-8"))
    known = [*places(content)]
    at, value = known[int(rng.integers(len(known)))], VALUES[int(rng.integers(len(VALUES)))]
    if rng.integers(12) == 0:
        at = (*at[:-1], AWKWARD_NAMES[int(rng.integers(len(AWKWARD_NAMES)))])
        content = _with_key(content, at, value)
    else:
        content = replaced(content, at, value)
    path.write_text(json.dumps(content, ensure_ascii=True), encoding="utf-8")
    return ascii(f"{'.'.join(map(str, at))} = {value!r}"[:120])


def _with_key(content: Any, at: tuple[Any, ...], value: Any) -> Any:
    above: Any = content
    for key in at[:-1]:
        above = above[key]
    return replaced(content, at[:-1], {**above, at[-1]: value} if isinstance(above, dict) else value)
