"""The profiles speak of rules that are there, and a cluster's gives a GPU to every rule that takes one."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

CLUSTERS = ("slurm", "kubernetes")


def profile(name: str) -> dict[str, Any]:
    """The settings of a profile."""
    return yaml.safe_load((ROOT / f"profiles/{name}/profile.yaml").read_text())


def rules() -> dict[str, str]:
    """Text of each rule, by its name."""
    text = "\n".join(file.read_text() for file in sorted((ROOT / "workflow/rules").glob("*.smk")))
    found = re.split(r"^ *rule (\w+):$", text, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_gives_a_gpu_to_the_rules_that_take_one(cluster: str) -> None:
    given = {rule for rule, resources in profile(cluster)["set-resources"].items() if "gpu" in resources}
    assert given == {rule for rule, text in rules().items() if re.search(r"^ +gpu=", text, re.MULTILINE)}
    assert profile(cluster)["set-resources"].keys() <= rules().keys()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_keeps_what_holds_on_one_machine(cluster: str) -> None:
    for setting, value in profile("default").items():
        if setting != "resources":
            assert profile(cluster)[setting] == value, setting
