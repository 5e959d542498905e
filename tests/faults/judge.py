"""What a fault may leave behind, and what not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

OLDER = b"an older file, made by an earlier version\n"
"""What lies under a final name before a command that replaces it."""
_TEMPORARY = re.compile(r"\..*-[a-z0-9_]{8}(\.\w+)*")
_PARTS = re.compile(r".*\.part")
_MEASURED = ("-timing.csv", "-cost.csv")


def broken(folder: Path, whole: Path, outputs: Iterable[str]) -> list[str]:
    """Files that are under their final names and neither whole nor as they were before."""
    return [
        f"half-written: {output}"
        for output in outputs
        if (folder / output).exists()
        and (folder / output).read_bytes() != OLDER
        and not same(folder / output, whole / output)
    ]


def differing(folder: Path, whole: Path, outputs: Iterable[str]) -> list[str]:
    """Files that are not there, or not the bytes of an undisturbed run."""
    missing = [f"missing: {output}" for output in outputs if not (folder / output).exists()]
    present = (output for output in outputs if (folder / output).exists())
    return missing + [f"differs: {output}" for output in present if not same(folder / output, whole / output)]


def same(file: Path, other: Path) -> bool:
    """Whether two files hold the same, measured seconds left out."""
    try:
        return _content(file) == _content(other)
    except (ValueError, KeyError, IndexError):  # not even whole
        return False


def _content(file: Path) -> Any:
    """A file's bytes; of files with measured seconds what else they say."""
    if file.suffix == ".jsonl":
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert lines[-1].pop("seconds") >= lines[-1].pop("waited_for_data_seconds") >= 0
        return lines
    if "costs" in file.parts:
        facts = json.loads(file.read_text())
        return {key: value for key, value in facts.items() if key != "seconds_per_megapixel"}
    return file.read_bytes()


def measured(output: str) -> bool:
    """Whether a table holds seconds, so that two runs never agree on it."""
    return output.endswith(_MEASURED)


def left(folder: Path) -> list[str]:
    """Temporary files and parts of downloads that are still there."""
    names = [path for path in folder.rglob("*") if _TEMPORARY.fullmatch(path.name) or _PARTS.fullmatch(path.name)]
    return sorted(path.relative_to(folder).as_posix() for path in names if ".snakemake" not in path.parts)


def said_badly(said: str) -> list[str]:
    """Complain of an error message that is not one line of ours."""
    if "Traceback" in said:
        return [f"a traceback: {said.strip().splitlines()[-1][:200]}"]
    lines = [line for line in said.splitlines() if line.startswith("sfigf: ")]
    return [] if len(lines) == 1 else [f"{len(lines)} lines of error: {said[-200:]!r}"]
