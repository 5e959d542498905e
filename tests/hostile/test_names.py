"""No name runs a command: folders, settings and files with what a shell would obey, handed on quoted or refused."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hostile.mutations import ended
from tests.workflow.house import House

SMALL = """
study: small
title: "$(touch pwned) `touch pwned` {task} {0} <script>"
tasks:
  focus: null
  raw: null
  pan: null
  depth:
    train: [aloe]
    validation: [cones]
    test: [motorcycle]
    methods: {sfigf: null, djfr: null, svlrm: {variants: [full]}, guided-filter: null, bicubic: {}}
robustness: null
"""
FOLDER = 'it\'s "a" $(touch pwned) `touch pwned`; touch pwned & | #'
MIRRORS = [
    "-rf",
    "--help",
    "$(touch pwned)",
    "`touch pwned`",
    "it's; touch pwned",
    'a "b" && touch pwned',
    "$HOME *",
    "~",
]
# Checked before any job: a slug, a number of the settings, or what Snakemake computes.
UNQUOTED = {
    "wildcards.task", "wildcards.condition", "wildcards.part", "wildcards.method", "wildcards.variant",
    "wildcards.seed", "wildcards.kind", "wildcards.shard", "params.seed", "params.scenes", "params.shards",
    "params.height", "params.width", "threads", "resources.gpu",
}  # fmt: skip


def test_every_placeholder_of_a_command_is_quoted_or_checked_before() -> None:
    """Of all rules: ``{input:q}``, or a name or number that can hold nothing else."""
    found = []
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for command in re.findall(r"shell:\n(.+?)(?=\n\n|\n    \w+:|\Z)", file.read_text(), re.DOTALL):
            assert "shell" not in command
            found += re.findall(r"\{([\w.]+(?::\w+)?)\}", command)
    assert len(found) > 100
    assert {name for name in found if not name.endswith(":q")} <= UNQUOTED


def test_no_command_of_the_package_goes_through_a_shell() -> None:
    files = [*(ROOT / "sfigf").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    shells = r"shell=True|os\.system|os\.popen|getoutput|\beval\(|\bexec\("
    odd = re.compile(shells + r"|yaml\.(unsafe_|full_)?load\(|pickle\.load|weights_only=False|allow_pickle=True")
    found = {line.strip() for file in files for line in file.read_text().splitlines() if odd.search(line)}
    assert not {line for line in found if ".eval()" not in line}


def test_scripts_quote_what_they_are_given() -> None:
    """Arguments and folders stand in double quotes, which an odd number of marks before them tells, or are assigned."""
    given = re.compile(r"(?<!=)\$(\d|@|\*|PWD|HOME|PYTHON)\b")
    for file in sorted((ROOT / "scripts").glob("*.sh")):
        text = re.sub(r"'[^'\n]*'", "''", file.read_text())  # awk and sed have dollars of their own
        for line in text.replace('$(dirname "$0")', "here").splitlines():
            bare = [found[0] for found in given.finditer(line) if line[: found.start()].count('"') % 2 == 0]
            assert not bare or line.lstrip().startswith("#"), f"{file.name}: {line}"


def test_make_hands_the_folder_on_as_it_is(tmp_path: Path) -> None:
    """The commands' own path begins with the folder, whatever that is called; ``make`` itself bears any name here."""
    (folder := tmp_path / FOLDER).mkdir()
    enter = re.search(r"^ENTER = .*$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert enter
    (folder / "Makefile").write_text(f"{enter[0]}\nshow:\n\t@$(ENTER) printenv PATH\n")
    done = subprocess.run(
        ["make", "--no-print-directory", "show"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{folder.resolve()}/.venv/bin:")
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.slow
def test_a_run_in_a_hostile_folder_with_hostile_settings_runs_its_own_commands_alone(tmp_path: Path) -> None:
    house = House.build(tmp_path / FOLDER)
    mirrors = ", ".join("'" + mirror.replace("'", "''") + "'" for mirror in MIRRORS)
    (house.folder / "small.yaml").write_text(f"{SMALL}data_mirrors: [{mirrors}]\n")
    done = house.snakemake("--configfile", "small.yaml")
    assert (house.folder / "results/report.html").is_file()
    assert not list(tmp_path.rglob("pwned"))
    assert not (ROOT / "pwned").exists()
    assert "touch pwned" in done.stdout + done.stderr, "no mirror came into a command, so nothing was tried"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "more", "says"),
    [
        ("a {task} b", "", "takes a brace in a path for a wildcard"),
        ("house", 'data_mirrors: ["a\\nb"]\n', "data_mirrors.0"),
        ("house", "title: again\n", "'title' stands twice"),
    ],
)
def test_what_cannot_be_handed_on_is_refused_in_a_line(tmp_path: Path, folder: str, more: str, says: str) -> None:
    house = House.build(tmp_path / folder)
    (house.folder / "small.yaml").write_text(SMALL + more)
    done = house.snakemake("--dry-run", "--configfile", "small.yaml", check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("sfigf: ")]
    assert done.returncode
    assert len(said) == 1, done.stderr[-2000:]
    assert says in ended(said[0])
    assert "Traceback" not in done.stderr
