"""What runs beside Snakemake itself, and never in a job of a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workflow.house import House

pytestmark = pytest.mark.slow
HERE = {"all", "data", "fetch_carrier", "collect_dataset", "test_protocols", "summarise_study", "tabulate_robustness"}
PROBE = """
import atexit
atexit.register(lambda: print("HERE", *[r.name for r in workflow.rules if r.name in workflow._localrules or r.norun]))
"""


def test_a_cluster_gets_neither_what_needs_the_network_nor_what_takes_a_second(tmp_path: Path) -> None:
    house = House.build(tmp_path / "house")
    (house.folder / "probe.smk").write_text(PROBE)
    own = json.dumps(["probe.smk"])
    done = house.run(
        *("snakemake", "--dry-run", "--cores", "1", "--quiet", "--configfile", "config/smoke.yaml"),
        *("--config", f"rules={own}"),
    )
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("HERE "))
    assert set(said.split()[1:]) == HERE
    assert "not present in the Snakefile" not in done.stderr
