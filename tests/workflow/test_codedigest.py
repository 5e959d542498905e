"""The digest of the code a job runs: what changes it, what does not, on every Python we support."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sfigf.codedigest import code_digest, covered, entry_of
from sfigf.interface import UserError
from sfigf.registry import lookup
from tests.conftest import ROOT

SCALE = """
    import math
    from toyhouse import parts
    from toyhouse.parts import offset as shift
    FACTOR = 2
    UNUSED = 7

    def scaled(value):
        '''Words.'''
        # a comment
        if value < 0:
            raise ValueError("negative")
        return parts.twice(value) * FACTOR + shift(value)

    def other(value):
        return value
"""
PARTS = """
    def twice(value):
        return 2 * value

    def offset(value):
        from toyhouse.deep import constant
        return value + constant

    def idle():
        return 0
"""


@pytest.fixture
def toyhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package on disk; returns a function that edits a file and gives the new digest of ``scaled``."""
    folder = tmp_path / "toyhouse"
    folder.mkdir()
    files = {"__init__": "", "scale": SCALE, "parts": PARTS, "deep": "constant = 3\nspare = 4\n"}
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest_after(name: str = "scale", old: str = "", new: str = "") -> str:
        file = folder / f"{name}.py"
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new) if old else before)
        code = "import toyhouse; from sfigf.codedigest import code_digest; print(code_digest('toyhouse.scale:scaled'))"
        run = [sys.executable, "-c", code]
        found = subprocess.run(
            run, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True, check=True
        )
        file.write_text(before)
        return found.stdout.strip()

    return digest_after


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scale", "FACTOR = 2", "FACTOR = 3"),
        ("scale", "value < 0", "value <= 0"),
        ("parts", "2 * value", "value + value"),
        ("parts", "value + constant", "value - constant"),
        ("deep", "constant = 3", "constant = 4"),
    ],
)
def test_an_edit_of_code_that_is_used_changes_the_digest(toyhouse, name: str, old: str, new: str) -> None:
    assert toyhouse(name, old, new) != toyhouse()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scale", "'''Words.'''", "'''Other words.'''"),
        ("scale", "# a comment", "# another"),
        ("scale", '"negative"', '"must not be negative"'),
        ("scale", "* FACTOR + shift(value)", "* FACTOR + shift(\n        value\n    )"),
        ("scale", "UNUSED = 7", "UNUSED = 8"),
        ("scale", "return value\n", "return -value\n"),
        ("parts", "return 0", "return 1"),
        ("deep", "spare = 4", "spare = 5"),
    ],
)
def test_words_layout_and_unused_code_leave_the_digest(toyhouse, name: str, old: str, new: str) -> None:
    assert toyhouse(name, old, new) == toyhouse()


def test_an_entry_that_is_gone_is_named() -> None:
    with pytest.raises(UserError, match=r"no 'trian' in module 'sfigf\.train'"):
        code_digest("sfigf.train:trian")


def test_one_network_is_not_in_the_digest_of_another() -> None:
    djfr = covered("sfigf.cli.learn:train", entry_of(lookup("method", "djfr")), stop=["sfigf.config"])
    assert "sfigf.nets.baselines.djfr:DJFR" in djfr
    assert "sfigf.trainer:Trainer" in djfr
    assert not [place for place in djfr if "svlrm" in place or place.startswith(("sfigf.nets.sfigf", "sfigf.score"))]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_gives_the_same_digest(version: str, tmp_path: Path) -> None:
    homes = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    python = next(map(str, homes), None) or shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"no Python {version} here")
    (tmp_path / "numpy.py").write_text("ndarray = object\n")
    entries = "'sfigf.train', 'sfigf.nets.sfigf', 'sfigf.degrade', 'sfigf.methods.baselines', 'sfigf.store'"
    code = f"from sfigf.codedigest import code_digest; print(code_digest({entries}))"
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    run = subprocess.run([python, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    expected = code_digest("sfigf.train", "sfigf.nets.sfigf", "sfigf.degrade", "sfigf.methods.baselines", "sfigf.store")
    assert run.stdout.strip() == expected
