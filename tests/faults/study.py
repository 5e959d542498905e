"""A study as small as one can be, its commands as the workflow gives them, and what they make undisturbed."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from sfigf.config import write_effective
from sfigf.files import sha256_of, write_text
from sfigf.planning import read_settings
from tests.conftest import ROOT
from tests.faults.hooks import AtEvent, OftenSaved, ShortPatience
from tests.faults.processes import Command

_TASK: dict[str, Any] = {
    "train": ["rendered:train"], "test": ["motorcycle"], "crop_px": 96,
    "training": {"steps": 6, "batch_size": 1, "patch_px": 32, "warmup_steps": 2, "validate_every_steps": 3},
    "methods": {
        "guided-filter": None, "djfr": None, "svlrm": {"width": 4, "depth": 3}, "sfigf": None,
    },
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "study": "faults", "title": "Faults, numbers without meaning",
    "rendering": {
        "train_scenes": 2, "validation_scenes": 1, "height_px": 96, "width_px": 96, "shards": 1, "textures": None,
    },
    "robustness": {"images": 1, "crop_px": 64, "perturbations": {"guide-shift": [1]}},
    "tasks": {"depth": _TASK, "pan": None, "focus": None, "raw": None},
}  # fmt: skip
SLOW = "slow"
"""Commands that read the settings take two minutes more in a folder with a file of this name."""
_PLUGIN = f"""\
import sys, time
from pathlib import Path
if Path(sys.argv[0]).name == "sfigf" and Path("{SLOW}").exists():
    time.sleep(120)
"""
USUAL = (OftenSaved(), ShortPatience())
"""Set up in every command, disturbed or not."""
GIFT = "gift-1.0.tar.gz"
_FETCHED = f"data/fetched/{GIFT}"


@dataclasses.dataclass(frozen=True)
class Job:
    """One job of the workflow: its rule, the words of its command, the files it makes."""

    rule: str
    words: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The verb: ``train``, ``draw training``."""
        return " ".join(self.words[: 2 if self.words[0] == "draw" else 1])


class Effort(NamedTuple):
    """What a command takes undisturbed: seconds, and changes of files."""

    seconds: float
    changes: int


class Study:
    """A tiny study: ``jobs`` in an order they can run in, and the folder ``whole`` of an undisturbed run."""

    def __init__(self, home: Path) -> None:
        self.home, self.whole = home, home / "whole"
        self.settings = home / "tiny.yaml"
        (home / "slow.py").write_text(_PLUGIN)
        self.settings.write_text(yaml.safe_dump(SETTINGS | {"plugins": [str(home / "slow.py")]}, sort_keys=False))
        self.jobs = self._planned()
        self.takes: dict[Job, Effort] = {}
        self._tries = 0

    def snakemake(self, folder: Path, *words: str) -> list[str]:
        """Words of a run of the workflow in a folder."""
        place = ["--directory", str(folder), "--configfile", str(self.settings)]
        return [str(Path(sys.executable).parent / "snakemake"), "--snakefile", f"{ROOT}/Snakefile", *place, *words]

    def _planned(self) -> list[Job]:
        self.whole.mkdir()
        words = self.snakemake(self.whole, "--cores", "1", "--dry-run", "--printshellcmds")
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        jobs = []
        for block in re.split(r"^(?:local)?rule ", said.stdout + said.stderr, flags=re.MULTILINE)[1:]:
            command = re.search(r"^Shell command: sfigf (.+?) 2>", block, re.MULTILINE)
            outputs = re.search(r"^ {4}output: (.+)$", block, re.MULTILINE)
            if command and outputs:
                line = re.sub(r' --commit "\$\(.*', ' --commit "" --output results/report.html', command[1])
                made = tuple(outputs[1].replace(" (temporary)", "").split(", "))
                jobs.append(Job(block.partition(":")[0], tuple(shlex.split(line)), made))
        assert len({job.rule for job in jobs}) > 10, said.stdout + said.stderr
        return jobs

    def make(self, rules: Container[str] | None = None) -> None:
        """Run every command undisturbed, or those of some rules."""
        write_effective(json.dumps(read_settings([ROOT / "config/default.yaml", self.settings])), self.config)
        self._offer_gift()
        for job in self.jobs:
            if rules is None or job.rule in rules:
                self.undisturbed(job, self.whole)

    def undisturbed(self, job: Job, folder: Path) -> None:
        """Run a command and remember how long it takes and how often it changes a file."""
        for path in (word for word in job.words if word.startswith("results/")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        count = self.home / "count"
        count.write_text("0")
        command = Command(job.words, folder, self.home / "whole.log", [*USUAL, AtEvent(folder, 0, count=count)])
        assert command.wait() == 0, f"{job.kind}: {command.said()}"
        self.takes[job] = Effort(time.monotonic() - command.began, int(count.read_text()))

    @property
    def config(self) -> Path:
        """The settings in force, which a run writes when it starts."""
        return self.whole / "results/config.yaml"

    def _offer_gift(self) -> None:
        """A file to fetch, and the list of carriers that names it."""
        gift = self.whole / _FETCHED
        gift.parent.mkdir(parents=True)
        gift.write_bytes(np.random.default_rng(0).bytes(1_000_000))
        facts: Mapping[str, Any] = {
            "kind": "index", "project": "gift", "version": "1.0", "file": GIFT, "licence": "MIT",
            "origin": "https://localhost", "sha256": sha256_of(gift), "size_bytes": gift.stat().st_size,
        }  # fmt: skip
        write_text(self.home / "carriers.yaml", yaml.safe_dump({"gift": dict(facts)}))

    def fetching(self, index: str) -> Job:
        """The job that fetches the gift from an index."""
        words = ("fetch", "gift", "--carriers", "../carriers.yaml", "--index-url", index, "--output", _FETCHED)
        return Job("fetch_carrier", words, (_FETCHED,))

    def next_folder(self) -> Path:
        """Name of a folder beside the undisturbed one that is not there yet."""
        self._tries += 1
        return self.home / f"try-{self._tries}"

    def copy_to(self, folder: Path, without: tuple[str, ...] = ()) -> None:
        """Copy the undisturbed folder, the times of its files included, without some of them."""
        shutil.copytree(self.whole, folder, dirs_exist_ok=True)
        for output in without:
            (folder / output).unlink(missing_ok=True)
