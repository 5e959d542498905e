"""Writes docs/dependencies.md: every locked package, its licence, and who asks for it, from the installed metadata."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/dependencies.md"
OURS = "sfigf"
MACHINES = [
    {"sys_platform": system, "platform_system": name, "platform_machine": machine, "python_version": version,
     "python_full_version": f"{version}.0", "os_name": "posix", "platform_python_implementation": "CPython"}
    for (system, name), machine, version in product(
        [("linux", "Linux"), ("darwin", "Darwin")], ["x86_64", "aarch64", "arm64"], ["3.11", "3.12", "3.13"]
    )
]  # fmt: skip
SAID = {
    "3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0", "BSD": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause", "BSD License": "BSD", "ISC License (ISCL)": "ISC", "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "Zope Public License": "ZPL-2.1",
}  # fmt: skip
HEAD = """\
# What the project stands on

Written by `python scripts/dependencies.py` from `requirements.lock` and what the installed packages say of themselves.
{count} packages, {ours} of them asked for in `pyproject.toml` (marked `sfigf`); the others come with those. Which
licences go with ours (MIT), and what was read by a person, is in `scripts/licences.yaml`; an exception is explained
beside its package. A library that a wheel brings along keeps its own licence, which lies in the wheel (LibRaw in rawpy:
LGPL-2.1 or CDDL-1.0). On a machine with a GPU torch asks for NVIDIA's libraries too, under NVIDIA's terms; the lock
leaves them out. `make audit` compares the versions with the known vulnerabilities ([audit.md](audit.md)).

| package | version | licence | asked for by |
|---|---|---|---|
"""


def locked() -> dict[str, str]:
    """Version of each package of the lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.partition(" ;")[0].partition("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in pins}


def rules() -> dict[str, Any]:
    """The written list of licences."""
    return yaml.safe_load((ROOT / "scripts/licences.yaml").read_text(encoding="utf-8"))


def licence_of(name: str) -> str:
    """What a person read, else the SPDX expression, the licence or the classifiers of the package's metadata."""
    if name in (read := rules()["read"]):
        return read[name]
    facts = distribution(name).metadata
    classifiers = [line.rpartition(" :: ")[2] for line in facts.get_all("Classifier", []) if line.startswith("License")]
    first_line = (facts.get("License") or "").partition("\n")[0]
    for said in (facts.get("License-Expression") or "", first_line, *classifiers[:1]):
        try:
            return SAID.get(said) or canonicalize_license_expression(said)
        except InvalidLicenseExpression:
            continue
    sys.exit(f"dependencies: {name} names no licence that can be read; read it and add it to scripts/licences.yaml")


def is_compatible(expression: str, compatible: list[str]) -> bool:
    """Tell whether all that must hold is on the list; where AND and OR are mixed, on the strict side."""
    clauses = re.sub("[()]", "", expression).split(" AND ")
    return all(any(part in compatible for part in clause.split(" OR ")) for clause in clauses)


def askers() -> dict[str, set[str]]:
    """Who asks for each package, on any machine that the lock is for; ``sfigf`` for what pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    found, followed, waiting = defaultdict(set), set(), [(OURS, line) for line in ours]
    while waiting:
        asker, line = waiting.pop()
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        found[name].add(asker)
        for extra in {"", *requirement.extras} - {extra for package, extra in followed if package == name}:
            followed.add((name, extra))
            waiting += [(name, wish) for wish in wishes(name) if applies(wish, extra)]
    return found


def wishes(name: str) -> list[str]:
    """What a package requires; nothing of one that this machine has no use for."""
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def applies(wish: str, extra: str) -> bool:
    """Tell whether a requirement holds, with an extra, on any machine that the lock is for."""
    marker = Requirement(wish).marker
    return marker is None or any(marker.evaluate({**machine, "extra": extra}) for machine in MACHINES)


def page() -> str:
    """The whole page."""
    who, exceptions = askers(), rules()["exceptions"]
    lines = []
    for name, version in locked().items():
        licence = licence_of(name) + (f"; {exceptions[name]}" if name in exceptions else "")
        lines.append(f"| {name} | {version} | {licence} | {', '.join(sorted(who[name]))} |")
    ours = sum(OURS in askers_of for askers_of in who.values())
    return HEAD.format(count=len(lines), ours=ours) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
