"""requirements.lock, pyproject.toml and environment.yml say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture
def locked(root: Path) -> dict[str, Version]:
    """Version of each package of the lock."""
    lines = [line for line in (root / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    pins = [re.fullmatch(r"([a-z0-9.-]+)==([\w.]+)( ; .+)?", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
    names = [pin[1] for pin in pins if pin]
    assert len(set(names)) == len(names), "one version of each package, whatever the Python"
    return {canonicalize_name(pin[1]): Version(pin[2]) for pin in pins if pin}


def test_the_lock_holds_every_dependency_in_its_range(root: Path, locked: dict[str, Version]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is not locked: run scripts/lock.sh"
        assert locked[name] in requirement.specifier, f"{name} {locked[name]} is not {requirement.specifier}"


def test_the_lock_brings_no_gpu_libraries_and_what_the_set_up_needs(locked: dict[str, Version]) -> None:
    assert not [name for name in locked if re.match(r"nvidia|cuda|triton|torchvision", name)]
    assert {"torch", "uv", "setuptools", "snakemake", "dvc"} <= locked.keys()


def test_all_speak_of_the_same_pythons(root: Path) -> None:
    lowest, above = "3.11", "3.14"
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    assert settings["project"]["requires-python"] == f">={lowest},<{above}"
    assert settings["tool"]["mypy"]["python_version"] == lowest
    assert settings["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
    set_up = (root / "scripts/setup.sh").read_text()
    taken = re.findall(r"\(3, (\d+)\) <= sys.version_info\[:2\] <= \(3, (\d+)\)", set_up)
    assert [(f"3.{first}", f"3.{int(last) + 1}") for first, last in taken] == [(lowest, above)]
    assert f"--python-version {lowest} " in (root / "scripts/lock.sh").read_text()


def test_every_extra_is_locked(root: Path) -> None:
    """An extra that scripts/lock.sh leaves out would be locked by chance alone."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    asked = re.findall(r"--extra (\w+)", (root / "scripts/lock.sh").read_text())
    assert sorted(asked) == sorted(project["optional-dependencies"])


def test_the_conda_environment_takes_its_versions_from_the_lock(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, pip, packages = environment["dependencies"]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert Version(python.removeprefix("python=")) in Requirement(f"python{project['requires-python']}").specifier
    assert (pip, packages) == ("pip", {"pip": ["-r requirements.lock", "-e ."]})
