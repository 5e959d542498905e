"""A copy of the repository to run the workflow in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

ROOMS = (
    "Snakefile", "config", "workflow", "profiles", "scripts", "sfigf", "data/vendored", "environment.yml",
    "pyproject.toml", "requirements.lock", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitattributes",
    ".gitignore",
)  # fmt: skip


class House:
    """A copy, and the commands that run in it with the copy's own package."""

    def __init__(self, folder: Path, stand_in: bool) -> None:
        self.folder = folder
        self.bin = folder.parent / f"{folder.name}-bin"
        self.stand_in = stand_in

    @classmethod
    def build(cls, folder: Path, stand_in: bool = True) -> House:
        """Copy the rooms; with ``stand_in`` no command does more than write a file."""
        for room in ROOMS:
            source, copy = ROOT / room, folder / room
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        return cls(folder, stand_in)

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the copy."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment(), text=True, capture_output=True, stdin=subprocess.DEVNULL
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        log = (self.folder / "started.log").open("w")
        return subprocess.Popen(
            words, cwd=self.folder, env=self.environment(), text=True, stdout=log, stderr=log, start_new_session=True
        )

    def environment(self) -> dict[str, str]:
        """The copy's package first, the stand-in before the installed command, quiet and single-threaded."""
        self.bin.mkdir(exist_ok=True)
        if self.stand_in:
            command = self.bin / "sfigf"
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/workflow/stand_in.py" "$@"\n')
            command.chmod(0o755)
        path = os.pathsep.join([str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]])
        changes = {"PATH": path, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1", "HOME": str(self.bin)}
        names = {
            f"GIT_{who}_{what}": "tester@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        return {**os.environ, **changes, **names}

    def snakemake(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the workflow on two cores."""
        return self.run("snakemake", "--cores", "2", *words, check=check)

    def planned(self, *words: str) -> dict[str, int]:
        """Count the jobs a dry run plans, by rule; nothing at all if nothing is to be done."""
        said = self.run("snakemake", "--dry-run", "--quiet", "rules", *words)
        text = said.stdout + said.stderr
        if "Nothing to be done" in text:
            return {}
        table = text.partition("Job stats:")[2].partition("total")[0]
        jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        assert jobs, text
        return {rule: count for rule, count in jobs.items() if rule not in ("all", "data")}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the first occurrence of ``old`` in a file, which must be there."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} no longer holds {old!r}"
        file.write_text(text.replace(old, new, 1))

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        if not (self.folder / ".git").exists():
            self.run("git", "init", "--quiet")
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)
