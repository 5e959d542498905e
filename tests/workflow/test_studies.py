"""The other studies: the paper's on miniature files, for real; the benchmark's plan; a set that is not there."""

from __future__ import annotations

import csv
import json

import pytest
import yaml

from tests.miniature.house import furnish
from tests.workflow.house import House

pytestmark = pytest.mark.slow
PAPER = ("--configfile", "config/paper.yaml", "config/tiny.yaml", "--directory", "build/paper")


def tiny() -> dict:
    """Changes that leave the paper's data, losses and protocols as they are and make everything else small."""
    training = {"steps": 2, "batch_size": 2, "patch_px": 32, "validate_every_steps": 1}
    sfigf = {"sfigf": {"variants": ["full"], "width": 4, "levels": 2}}
    none = dict.fromkeys(("svlrm", "djfr", "fusionnet", "ifcnn", "sid-unet"))
    tests = ["nyuv2:test", "lu", "rgbdd"]
    depth = {"conditions": ["x4"], "test": tests, "methods": {"guided-filter": None, **none, **sfigf}}
    pan = {"methods": {"brovey": None, **none, "sfigf": {"variants": ["full"], "width": 4}}}
    focus = {"methods": {"guided-filter-fusion": None, **none, "sfigf": {"variants": ["full"], "width": 4}}}
    raw = {
        "methods": {"raw-guided-filter": None, **none, **sfigf},
        "per_condition": {
            "mono-estimated": {"training": training, "methods": {"amplify-demosaic": None, **none, **sfigf}}
        },
    }
    tasks = {"depth": depth, "pan": pan, "focus": focus, "raw": raw}
    return {"tasks": {name: {**task, "training": training} for name, task in tasks.items()}}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house in which the paper study was run on miniature files."""
    house = House.build(tmp_path_factory.mktemp("paper") / "house", stand_in=False)
    furnish(house.folder, house.folder / "data/own")
    written_out = json.loads(json.dumps(tiny()))  # YAML would name a mapping that stands twice
    (house.folder / "config/tiny.yaml").write_text(yaml.safe_dump(written_out))
    house.snakemake(*PAPER)
    return house


def scores(house: House, task: str) -> list[dict[str, str]]:
    with (house.folder / f"build/paper/results/tables/{task}.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_the_paper_study_runs_from_the_files_to_the_report(paper: House) -> None:
    results = paper.folder / "build/paper/results"
    assert (results / "report.html").stat().st_size > 100_000
    weights = {path.parent.parent.parent.relative_to(results / "weights").as_posix() for path in
               results.glob("weights/**/*.safetensors")}  # fmt: skip
    assert weights == {"depth/x4", "pan/x4", "focus/real", "raw/red-oracle", "raw/mono-estimated"}
    assert paper.planned(*PAPER) == {}


def test_every_set_is_scored_in_its_own_unit(paper: House) -> None:
    units = {row["dataset"]: row["unit"] for row in scores(paper, "depth") if row["metric"] == "rmse"}
    assert units == {"nyuv2": "cm", "lu": "8-bit disparity", "rgbdd": "cm"}
    assert {row["dataset"] for row in scores(paper, "raw")} == {"sid-0p1s", "sid", "mcr-disjoint"}
    assert {row["image"].split("-")[1] for row in scores(paper, "pan")} == {"reduced", "full"}
    assert {row["dataset"] for row in scores(paper, "focus")} == {"real-mff", "lytro", "mffw"}


def test_the_audit_owns_up_to_leaks(paper: House) -> None:
    audit = json.loads((paper.folder / "build/paper/results/audit/splits.json").read_text())
    assert audit
