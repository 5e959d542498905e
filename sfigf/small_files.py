"""Small text files that people write: read up to a length, and YAML without what makes it grow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sfigf.interface import UserError

MOST_CHARACTERS = 1_000_000
_DEEPEST = 30
MOST_VALUES = 100_000
_LARGEST = 2**53
_LONGEST = 10_000
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What a file in UTF-8, a terminal or a command line cannot hold."""
_OPENING = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def is_no_plain_file(path: str | Path) -> bool:
    """Whether a folder, a pipe or a device lies there, of which reading may never end."""
    return Path(path).exists() and not Path(path).is_file()


def read_small_text(path: str | Path) -> str:
    """Read UTF-8 text.

    Raises:
        UserError: If there is no such plain file, it is no text, or it is longer than ``MOST_CHARACTERS``.
    """
    try:
        if not Path(path).is_file():
            raise UserError(f"{path}: cannot be read (no such file)")
        with Path(path).open(encoding="utf-8") as stream:
            text = stream.read(MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"{path}: longer than the {MOST_CHARACTERS:,} characters such a file may have")
    return text


def read_yaml(path: str | Path) -> Any:
    """Read YAML safely; aliases are refused so that a nested bomb cannot expand.

    Raises:
        UserError: As ``read_small_text``, and if it is no YAML, nested too deeply, or has an alias.
    """
    text = read_small_text(path)
    try:
        _check_tokens(path, text)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())[:300]}") from None
    except (AttributeError, LookupError, TypeError) as error:  # of a tag such as !!timestamp before what is none
        raise UserError(one_line(f"{path}: a tag does not fit its value ({error}); leave tags out")) from None
    except ValueError as error:  # a date or a number that no calendar or computer has
        raise UserError(f"{path}: holds a value that cannot be read ({error}); put it in quotes") from None


def read_strict_yaml(path: str | Path) -> Any:
    """Read YAML in which no key stands twice in one mapping; of two, YAML readers take the last in silence.

    Raises:
        UserError: As ``read_yaml``, and if a key stands twice; names its line.
    """
    content = read_yaml(path)
    for mapping in _mappings(yaml.compose(read_small_text(path), Loader=yaml.SafeLoader)):
        lines: dict[str, int] = {}
        for key, _ in mapping.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                twice = f"'{name}' stands twice in one mapping, in lines {lines[name]} and {line}"
                raise UserError(one_line(f"{path}: {twice}; keep one"))
            lines[name] = line
    return content


def _mappings(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        yield node
    inner = node.value if isinstance(node, yaml.CollectionNode) else ()
    for child in inner:
        for each in child if isinstance(child, tuple) else (child,):
            yield from _mappings(each)


def _check_tokens(path: str | Path, text: str) -> None:
    """Refuse what is small on disk and large in memory or time, before it is built."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            raise UserError(f"{path}: YAML aliases (*name) are not allowed in settings; write the value out")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise UserError(f"{path}: cannot be read as YAML: nested deeper than {_DEEPEST} levels")


def one_line(text: str, longest: int = 2000) -> str:
    """Return a message as one line that steers no terminal, the middle of a long one left out."""
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in " ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest // 2]} ... {line[-longest // 2 :]}"


def check_plain(settings: Any, where: str) -> None:
    """Refuse what no settings hold, before anything walks through them or copies them.

    Raises:
        UserError: More than ``MOST_VALUES`` values (aliases count each time), or one that is no plain number, text,
            list or mapping; names its key.
    """
    for count, (path, value) in enumerate(_walk(settings)):
        if count >= MOST_VALUES:
            raise UserError(f"{where}: more than {MOST_VALUES:,} values; settings are smaller, aliases count each time")
        if problem := _problem(value) if len(path) <= _DEEPEST else f"nested deeper than {_DEEPEST} levels":
            raise UserError(one_line(f"{where}: {'.'.join(map(str, path[:8])) or 'settings'}: {problem}"))


def _walk(settings: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value with the keys that lead to it, one at a time; keys are values too."""
    waiting: list[Iterator[tuple[tuple[Any, ...], Any]]] = [iter([((), settings)])]
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
            continue
        yield step
        path, value = step
        if len(waiting) > _DEEPEST + 2:
            continue
        if isinstance(value, Mapping):
            waiting.append(_steps(path, value.items()))
        elif isinstance(value, list | tuple):
            waiting.append(_steps(path, enumerate(value)))


def _steps(path: tuple[Any, ...], items: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for key, value in items:
        if not isinstance(key, int):
            yield (*path, key), key
        yield (*path, key), value


def _problem(value: Any) -> str:
    """Why a value cannot stand in settings; empty if it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no number that settings can hold"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"a number beyond {_LARGEST} in size"
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return f"longer than {_LONGEST:,} characters"
        odd = _ODD.search(value)
        return f"holds {odd[0]!r}, which is no text" if odd else ""
    if value is None or isinstance(value, bool | int | float | Mapping | list | tuple):
        return ""
    return f"a {type(value).__name__}; write numbers, words, lists and mappings, and dates in quotes"
