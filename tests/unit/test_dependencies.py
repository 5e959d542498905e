"""docs/dependencies.md follows from the lock and the installed metadata, and every licence goes with ours."""

from __future__ import annotations

import re
import runpy
import subprocess
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """The names in scripts/dependencies.py."""
    return runpy.run_path(str(ROOT / "scripts/dependencies.py"))


@pytest.fixture
def installed(script: dict[str, Any]) -> None:
    """Skip where this is not the environment of the lock, whose metadata are asked."""
    for name, locked in script["locked"]().items():
        try:
            found = version(name).partition("+")[0]  # a build of torch for this machine
        except PackageNotFoundError:
            found = "not here"
        if found != locked and not (name == "greenlet" and found == "not here"):  # not for every machine
            pytest.skip(f"not the environment of requirements.lock: {name} is {found}, locked is {locked}")


def test_the_page_follows_from_the_lock(script: dict[str, Any]) -> None:
    rows = re.findall(r"^\| ([a-z0-9.-]+) \| ([0-9][\w.]*) \|", script["PAGE"].read_text(), re.MULTILINE)
    assert dict(rows) == script["locked"](), "run `python scripts/dependencies.py`"


def test_the_page_says_what_the_packages_say(script: dict[str, Any], installed: None) -> None:
    assert script["PAGE"].read_text() == script["page"](), "run `python scripts/dependencies.py`"


def test_every_licence_goes_with_ours_or_is_explained(script: dict[str, Any], installed: None) -> None:
    rules = script["rules"]()
    licences = {name: script["licence_of"](name) for name in script["locked"]()}
    others = {name for name, licence in licences.items() if not script["is_compatible"](licence, rules["compatible"])}
    assert others == rules["exceptions"].keys(), "explain it in scripts/licences.yaml, or do without"
    assert rules["read"].keys() <= licences.keys(), "of a package that is not locked any more"
    said = {name: distribution(name).metadata.get("License-Expression") for name in rules["read"]}
    assert not any(said.values()), "what a package says itself is believed; take it out of scripts/licences.yaml"


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("ISC AND (GPL-3.0-only OR MIT)", True),
        ("MIT AND ISC OR GPL-3.0-only", True),
        ("(GPL-3.0-only AND MIT) OR GPL-2.0-only", False),
        ("Apache-2.0 WITH some-exception", False),
    ],
)
def test_an_expression_is_read_as_it_is_meant(script: dict[str, Any], expression: str, good: bool) -> None:
    assert script["is_compatible"](expression, ["MIT", "ISC", "Apache-2.0"]) is good


def test_nothing_is_locked_that_nothing_needs_and_nothing_needed_is_not(
    script: dict[str, Any], installed: None
) -> None:
    needed, locked = script["askers"]().keys(), script["locked"]().keys()
    assert locked <= needed, f"run scripts/lock.sh: nothing needs {sorted(locked - needed)}"
    unlocked = {name for name in needed - locked if not re.match(r"nvidia|cuda|triton", name)}
    assert not unlocked, f"run scripts/lock.sh: {sorted(unlocked)} is needed"


@pytest.mark.parametrize(("line", "status"), [("CVE-2026-1 torch never called\n", 0), ("CVE-2026-1 torch\n", 2)])
def test_a_vulnerability_is_passed_over_for_a_reason_alone(tmp_path: Path, line: str, status: int) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/audit.sh").write_bytes((ROOT / "scripts/audit.sh").read_bytes())
    (tmp_path / "scripts/audit-accepted.txt").write_text(f"# why\n{line}")
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "uv").chmod(0o755)
    done = subprocess.run(
        ["sh", "scripts/audit.sh"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        text=True,
        capture_output=True,
    )
    assert done.returncode == status, done.stderr
    assert ("--strict" in done.stdout and "--ignore-vuln CVE-2026-1" in done.stdout) == (status == 0)
