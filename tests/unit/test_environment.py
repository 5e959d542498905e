"""The line that ends a job's log: true, cheap, on every result, and never in the way of a person or a result."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from sfigf.environment import LIBRARIES, MAKERS, _commit, environment, told_in
from sfigf.store import Record, write_records

CLEAN = {"OMP_NUM_THREADS": "1"}
# What no number depends on: the command line, its settings, their files and the progress bar.
NO_RESULT = {"typer", "pydantic", "pyyaml", "rich"}


@pytest.fixture
def gather(tmp_path: Path) -> list[str]:
    """A command of the rules that takes a moment: gathers one scene."""
    write_records(tmp_path / "part.safetensors", [Record("s", {"a": np.ones((1, 2, 2), np.float32)}, {})], {})
    command = ["gather", "--input", str(tmp_path / "part.safetensors"), "--output", str(tmp_path / "all.safetensors")]
    return [sys.executable, "-m", "sfigf", *command]


def test_a_job_ends_its_log_with_what_it_ran_on(tmp_path: Path, gather: list[str]) -> None:
    with (tmp_path / "log").open("w") as log:
        subprocess.run(gather, stderr=log, check=True, env={**os.environ, **CLEAN})
    told = told_in(tmp_path / "log")
    assert told["versions"]["numpy"] == np.__version__
    assert told["versions"]["Python"] == sys.version.split()[0]
    assert told["versions"]["sfigf"] == version("sfigf")
    assert "torch" not in told["versions"], "a library that the command has not loaded has no part in the result"
    assert "OMP_NUM_THREADS=1" in told["arithmetic"]
    assert told["machine"]


def test_results_and_lines_of_two_runs_are_equal_to_the_byte(tmp_path: Path, gather: list[str]) -> None:
    seen = []
    for _ in range(2):
        done = subprocess.run(gather, stderr=subprocess.PIPE, check=True, env={**os.environ, **CLEAN})
        seen.append((done.stderr, Path(gather[-1]).read_bytes()))
    assert seen[0] == seen[1]
    assert b"environment: " in seen[0][0]


def test_a_person_at_a_terminal_is_not_bothered(gather: list[str]) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(gather, stdout=theirs, stderr=theirs, check=True)
    os.write(theirs, b"end\n")
    assert (done.returncode, os.read(ours, 10_000)) == (0, b"end\r\n")


def test_commands_for_people_and_failures_say_nothing_more(gather: list[str]) -> None:
    listed = subprocess.run([*gather[:3], "methods"], capture_output=True, text=True, check=True)
    assert "environment:" not in listed.stderr + listed.stdout
    failed = subprocess.run([*gather[:5], "gone", *gather[6:]], capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_that_cannot_be_written_costs_no_result(gather: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(gather, stderr=full, check=False)
    assert done.returncode == 0
    assert Path(gather[-1]).is_file()


def test_it_speaks_for_torch_where_that_is_used() -> None:
    import torch

    told = environment()
    assert told["versions"]["torch"] == torch.__version__
    assert told["device"].startswith("cpu, ")
    assert str(torch.get_num_threads()) in told["device"]
    assert f"torch {torch.backends.cpu.get_cpu_capability()}" in told["arithmetic"]
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        assert environment()["device"].endswith("deterministic algorithms")
    finally:
        torch.use_deterministic_algorithms(before)


def test_nothing_is_loaded_to_ask_it() -> None:
    code = "import sys, sfigf.environment as e; before = {*sys.modules}; e.environment()\n"
    heavy = {*LIBRARIES} | {"subprocess", "torch"}
    done = subprocess.run([sys.executable, "-c", f"{code}sys.exit(bool({heavy!r} & ({{*sys.modules}} - before)))"])
    assert done.returncode == 0


def test_every_command_of_the_rules_and_no_other_tells_it(root: Path) -> None:
    rules = "".join(path.read_text() for path in sorted((root / "workflow/rules").glob("*.smk")))
    assert {*re.findall(r'"sfigf ([a-z-]+) ', rules)} == MAKERS


def test_every_library_that_can_change_a_result_is_named(root: Path) -> None:
    wanted = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = {re.split("[<>=]", line)[0] for line in wanted["dependencies"]}
    assert names - NO_RESULT <= {*LIBRARIES.values()}
    assert all(version(package) for package in LIBRARIES.values())


def test_it_stays_out_of_every_digest_of_code() -> None:
    from sfigf.codedigest import covered
    from sfigf.records.currency import CODE
    from sfigf.training_code import NO_RESULT

    for entry in CODE.values():
        assert not [name for name in covered(f"sfigf.cli.{entry}", stop=NO_RESULT) if "environment" in name], entry


def test_the_commit_is_read_where_git_keeps_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        ours = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        return subprocess.run(("git", *ours, *words), cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert _commit(tmp_path / ".git") == ""
    git("init", "--quiet")
    assert _commit(tmp_path / ".git") == ""  # nothing is committed yet
    git("commit", "--allow-empty", "--quiet", "--message", "one")
    head = git("rev-parse", "HEAD").strip()
    git("worktree", "add", "--quiet", "beside")
    assert _commit(tmp_path / ".git") == _commit(tmp_path / "beside/.git") == head
    git("pack-refs", "--all")
    assert _commit(tmp_path / ".git") == _commit(tmp_path / "beside/.git") == head
    git("checkout", "--quiet", "--detach")
    assert _commit(tmp_path / ".git") == head


def test_the_last_line_of_several_counts_and_what_comes_after_does_no_harm(tmp_path: Path) -> None:
    lines = [f"environment: {json.dumps({'versions': {'numpy': number}})}" for number in ("1", "2")]
    (tmp_path / "log").write_text("\n".join(["begun", *lines, "a warning at exit"]))
    assert told_in(tmp_path / "log")["versions"] == {"numpy": "2"}
    assert told_in(tmp_path) == told_in(tmp_path / "gone") == {}
