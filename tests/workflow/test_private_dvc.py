"""DVC reads its pickles from a folder that nobody else may enter."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
WORDS = ("config", "--local", "core.site_cache_dir")


def dvc(folder: Path, *words: str) -> str:
    """What ``dvc`` says in a folder."""
    environment = {key: value for key, value in os.environ.items() if key != "DVC_SITE_CACHE_DIR"}
    done = subprocess.run([BIN / "dvc", *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def made_private(folder: Path) -> None:
    """Run the script in a folder, however open the folders that are made by default."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    command = 'umask 0; exec sh "scripts/private_dvc.sh"'
    subprocess.run(["sh", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, check=True)


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(root / "scripts/private_dvc.sh", folder / "scripts")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    dvc(folder, "init", "--quiet")
    return folder


def test_dvc_works_in_a_folder_of_its_owner_alone(checkout: Path) -> None:
    made_private(checkout)
    private = checkout / ".dvc/private"
    assert dvc(checkout, *WORDS) == str(private.resolve())
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    (checkout / "weights").write_text("1")
    dvc(checkout, "add", "--quiet", "weights")
    assert list(private.glob("repo/*/*")), "DVC keeps its tables elsewhere"


def test_a_folder_that_moved_is_named_anew_and_one_of_the_users_own_is_kept(checkout: Path, tmp_path: Path) -> None:
    made_private(checkout)
    moved = checkout.rename(tmp_path / "moved")
    made_private(moved)
    assert dvc(moved, *WORDS) == str((moved / ".dvc/private").resolve())
    dvc(moved, *WORDS, "/srv/dvc")
    made_private(moved)
    assert dvc(moved, *WORDS) == "/srv/dvc"


def test_the_folder_is_not_for_git(root: Path) -> None:
    assert "/private" in (root / ".dvc/.gitignore").read_text().split()


def test_without_dvc_there_is_nothing_to_do(tmp_path: Path, root: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(root / "scripts/private_dvc.sh", tmp_path / "scripts")
    made_private(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts"]
