"""The set-up says in one line what is wrong with a machine, and begins again where it was interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """What the set-up reads, in a folder whose name has a space."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(root / "scripts/setup.sh", folder / "scripts")
    shutil.copy(root / "requirements.lock", folder)
    return folder


def set_up(checkout: Path, tools: dict[str, str] | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up with some commands stood in for by shell scripts."""
    bin_folder = checkout.parent / "bin"
    bin_folder.mkdir(exist_ok=True)
    for name, script in (tools or {}).items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    changes = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PYTHON": sys.executable, **environment}
    command = ["sh", str(checkout / "scripts/setup.sh")]
    return subprocess.run(command, env={**os.environ, **changes}, text=True, capture_output=True, check=False)


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines[0]


def test_a_wrong_python_is_named(checkout: Path) -> None:
    old = "case $1 in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac"
    done = set_up(checkout, {"old-python": old}, PYTHON=str(checkout.parent / "bin/old-python"))
    assert_one_line(done, "needs Python 3.11, 3.12 or 3.13", "found Python 3.9.2")
    assert not (checkout / ".venv").exists()


def test_a_missing_git_is_named(checkout: Path) -> None:
    assert_one_line(set_up(checkout, {"git": "exit 127"}), "needs git")


def test_a_full_disk_is_seen_before_anything_is_written(checkout: Path) -> None:
    full = "printf 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 9000000 8900000 102400 99%% /\\n'"
    assert_one_line(set_up(checkout, {"df": full}), "needs about 3000 MB", "100 MB are free")
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_no_network_is_said_and_leaves_no_ready_environment(checkout: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    assert_one_line(set_up(checkout, **nowhere, PIP_EXTRA_INDEX_URL="", PIP_RETRIES="0"), "no network")
    assert not (checkout / ".venv/.ready").exists()


def test_what_stands_is_left_alone_and_what_does_not_is_begun_again(checkout: Path) -> None:
    sum_of_lock = subprocess.run(
        ["cksum"], stdin=(checkout / "requirements.lock").open(), capture_output=True, text=True
    )
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (checkout / ".venv/.ready").write_text(f"{sum_of_lock.stdout.strip()} {checkout.resolve()}\n")
    no_git = {"git": "exit 127"}
    assert set_up(checkout, no_git).returncode == 0
    (checkout / "requirements.lock").write_text("torch==0\n")
    assert_one_line(set_up(checkout, no_git), "needs git")
