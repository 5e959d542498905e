"""Small text files that people write: read up to a length, and YAML without what makes it grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sfigf.interface import UserError

MOST_CHARACTERS = 1_000_000
_DEEPEST = 30
_OPENING = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


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
    except ValueError as error:  # a date or a number that no calendar or computer has
        raise UserError(f"{path}: holds a value that cannot be read ({error}); put it in quotes") from None


def _check_tokens(path: str | Path, text: str) -> None:
    """Refuse what is small on disk and large in memory or time, before it is built."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            raise UserError(f"{path}: YAML aliases (*name) are not allowed in settings; write the value out")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise UserError(f"{path}: cannot be read as YAML: nested deeper than {_DEEPEST} levels")
