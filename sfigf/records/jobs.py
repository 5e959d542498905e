"""Snakemake's records of how each file was made, read as the files they are.

``.snakemake/metadata`` holds one JSON file for each file that a job made; its name is the made file's path in URL-safe
base64. Source: snakemake 9.27, snakemake/persistence/file.py. ``dvc pull`` brings the same folder.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfigf.interface import UserError

_METADATA, _LOGS = Path(".snakemake/metadata"), Path(".snakemake/log")
_PART = "@"
"""Begins the folders that a name too long for one file is cut into."""


@dataclasses.dataclass(frozen=True)
class Record:
    """How one file was made.

    Attributes:
        output: The file, relative to the study's folder, as all paths here.
        rule: The rule whose job made it.
        command: The shell command, as it ran.
        inputs: The sha256 of each input when it was read, or None where that was not kept.
        params: What else decides whether the job is done again, as Python wrote it; names are not kept.
        logs: Log files of the job.
        started: Seconds since 1970.
        ended: Likewise.
        complete: Whether the job is known to have ended well.
    """

    output: str
    rule: str
    command: str
    inputs: Mapping[str, str | None]
    params: tuple[str, ...]
    logs: tuple[str, ...]
    started: float
    ended: float
    complete: bool

    @property
    def job(self) -> tuple[Any, ...]:
        """What the files of one job have in common."""
        return self.rule, self.logs, self.command


@dataclasses.dataclass(frozen=True)
class Records:
    """The records of a study's folder."""

    folder: Path

    @functools.cached_property
    def files(self) -> dict[str, Path]:
        """Where the record of each made file lies."""
        root = self.folder / _METADATA
        found = ((_name_of(path.relative_to(root)), path) for path in sorted(root.rglob("*")) if path.is_file())
        return {name: path for name, path in found if name}

    def find(self, name: str) -> Record | None:
        """How a file was made; a job's log stands for what the job made. None where nothing is recorded.

        Raises:
            UserError: If its record is there and cannot be read.
        """
        if name in self.files:
            return _read(name, self.files[name])
        return self._by_log.get(name)

    @functools.cached_property
    def all(self) -> list[Record]:
        """Every readable record."""
        found = []
        for name, path in self.files.items():
            try:
                found.append(_read(name, path))
            except UserError:  # another file's record is no reason to be silent about this one
                continue
        return found

    @functools.cached_property
    def _by_log(self) -> dict[str, Record]:
        return {log: record for record in reversed(self.all) for log in record.logs}

    @functools.cached_property
    def _by_job(self) -> dict[tuple[Any, ...], list[str]]:
        found: dict[tuple[Any, ...], list[str]] = {}
        for record in self.all:
            found.setdefault(record.job, []).append(record.output)
        return found

    def siblings(self, record: Record) -> list[str]:
        """The other files that the same job made."""
        return [output for output in self._by_job.get(record.job, ()) if output != record.output]

    def read_as(self, record: Record) -> dict[str, list[str]]:
        """The digests under which jobs that came after read what this one made, with what they made of it."""
        found: dict[str, list[str]] = {}
        for later in self.all:
            seen = later.inputs.get(record.output)
            if seen and later.started >= record.ended - 1:
                found.setdefault(seen, []).append(later.output)
        return found

    def run_of(self, record: Record) -> dict[str, str]:
        """Head of Snakemake's log of the run that a job was part of: host, platform, versions; empty without one."""
        latest: tuple[float, dict[str, str]] = (0.0, {})
        for path in sorted((self.folder / _LOGS).glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace")
            begun = _begun(path.name)
            if latest[0] < begun <= record.started + 1 and _mentions(text, record.output):
                latest = begun, dict(re.findall(r"^  ([A-Z][\w ]+): (.+)$", text[:4000], re.MULTILINE))
        return latest[1]


def records_about(path: str | Path) -> tuple[Records, str]:
    """Return the records of the study that a file belongs to, and the file's name in it.

    The nearest folder above that knows the file counts; else the nearest that has records.

    Raises:
        UserError: If no folder above the file has records.
    """
    whole = Path(os.path.abspath(path))
    found = [(Records(above), whole.relative_to(above).as_posix()) for above in whole.parents if _has_records(above)]
    if not found:
        raise UserError(f"{path}: no folder above it has {_METADATA}; it is a run's own, or `dvc pull` brings it")
    return next((pair for pair in found if pair[0].find(pair[1])), found[0])


def _has_records(folder: Path) -> bool:
    return (folder / _METADATA).is_dir()


def _name_of(path: Path) -> str:
    """Name of the file that a record is about; nothing where the name is not one of a record."""
    text = "".join(part.removeprefix(_PART) for part in path.parts)
    try:
        name = base64.urlsafe_b64decode(text)
        return name.decode() if base64.urlsafe_b64encode(name).decode() == text else ""
    except ValueError:
        return ""


def _read(name: str, path: Path) -> Record:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        checksums = content.get("input_checksums") or {}
        digests = {file: str(digest).removeprefix("sha256:") for file, digest in checksums.items()}
        return Record(
            output=name,
            rule=str(content["rule"]),
            command=str(content.get("shellcmd") or ""),
            inputs={str(file): digests.get(file) for file in content.get("input") or ()},
            params=tuple(map(str, content.get("params") or ())),
            logs=tuple(map(str, content.get("log") or ())),
            started=float(content["starttime"]),
            ended=float(content["endtime"]),
            complete=not content.get("incomplete"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UserError(f"{path}: not a readable record of {name} ({error!r}); make that file again") from None


def _begun(name: str) -> float:
    """When the run of a log began, which its name tells in local time; 0 where it does not."""
    try:
        return datetime.datetime.strptime(name, "%Y-%m-%dT%H%M%S.%f.snakemake.log").timestamp()
    except ValueError:
        return 0.0


def _mentions(text: str, output: str) -> bool:
    return re.search(rf"^    output: (?:.*, )?{re.escape(output)}(?:,| \(|$)", text, re.MULTILINE) is not None
