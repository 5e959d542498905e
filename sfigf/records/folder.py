"""A study's folder: how each of its files was made, and whether the same job would make the same now."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from pathlib import Path
from typing import Any

from sfigf.config import Study
from sfigf.environment import told_in
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.records.currency import Compared, compare, read_study
from sfigf.records.facts import facts_of
from sfigf.records.jobs import Record, Records


@dataclasses.dataclass(frozen=True)
class StudyFolder:
    """The records of a study, its settings, and the digests of its files, each taken once."""

    records: Records
    config: Path

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.records.folder

    @functools.cached_property
    def study(self) -> Study | str:
        """The settings now, or why they cannot be compared with."""
        return read_study(self.path / self.config)

    @functools.cached_property
    def _digests(self) -> dict[str, str]:
        return {}

    def digest(self, name: str) -> str:
        """The sha256 of a file as it is now; nothing where it is not here, or is a folder."""
        if name not in self._digests:
            path = self.path / name
            self._digests[name] = sha256_of(path) if path.is_file() else ""
        return self._digests[name]

    def made(self, name: str) -> Record | None:
        """How a file was made; None where no readable record says it."""
        with contextlib.suppress(UserError):
            return self.records.find(name)
        return None

    def said(self, record: Record) -> dict[str, Any]:
        """What the files of a job say of it."""
        others = [facts_of(self.path / name) for name in self.records.siblings(record)]
        own = facts_of(self.path / record.output)
        return {key: value for facts in (*others, own) for key, value in facts.items() if key != "about"} | own

    def environment(self, record: Record) -> dict[str, Any]:
        """What a job's log ends with: ``versions``, ``device``, ``machine``; empty where it is not there."""
        told = (told_in(self.path / log) for log in record.logs)
        return next((facts for facts in told if facts), {})

    def compared(self, record: Record) -> tuple[Compared, Compared]:
        """The digests of a job's code and settings, then and now."""
        return compare(record, self.study, str(self.said(record).get("config_digest", "")))

    def holds(self, record: Record) -> tuple[list[str], list[str]]:
        """What says that a job would now make something else, and what is not known about that."""
        changed: list[str] = []
        unknown: list[str] = []
        for what, pair in zip(("code", "settings"), self.compared(record), strict=True):
            if pair.same is False:
                changed.append(f"other {what} (now {pair.now})")
            elif pair.same is None:
                unknown.append(what)
        changed += [f"other {name}" for name in self.differing(record) if name in self.records.files]
        # Of a file that nobody made here, say a card, the meaning counts and not the bytes.
        unknown += [
            f"{name}, which has other bytes" for name in self.differing(record) if name not in self.records.files
        ]
        lost = sum(not (was and self.digest(name)) for name, was in record.inputs.items())
        return changed, [*unknown, *([f"{lost} of {len(record.inputs)} inputs"] if lost else [])]

    def differing(self, record: Record) -> list[str]:
        """Inputs of a job that have other bytes now."""
        return [name for name, was in record.inputs.items() if was and self.digest(name) not in ("", was)]
