"""The smoke study, for real: every command, every rule, without network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sfigf.explain import explain
from sfigf.records.jobs import Records
from tests.workflow.house import House

# What a second run makes anew from the same bytes, in the time of a few jobs.
TRAINED = "depth/x8/sfigf/full/seed0"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Path]:
    """The house, and the folder in which the smoke study was run."""
    house = House.build(tmp_path_factory.mktemp("smoke") / "house", stand_in=False)
    house.snakemake("--configfile", "config/smoke.yaml", "--directory", "build/smoke")
    return house, house.folder / "build/smoke"


def test_it_leaves_tables_figures_and_weights(run: tuple[House, Path]) -> None:
    house, folder = run
    tasks = {"depth", "focus", "raw"}
    assert {path.name.removesuffix(".md") for path in (folder / "results/tables").glob("*.md")} == {*tasks, "summary"}
    assert json.loads((folder / "results/metrics.json").read_text()).keys() >= tasks
    assert json.loads((folder / "results/audit/splits.json").read_text())
    weights = [
        path.relative_to(folder / "results/weights") for path in folder.rglob("results/weights/**/*.safetensors")
    ]
    assert Path("depth/x8/sfigf/full/seed0.safetensors") in weights
    assert not list((folder / "results/checkpoints").glob("*"))
    assert {path.suffix for path in (folder / "results/figures").iterdir()} == {".png", ".jpg"}
    assert not (house.folder / "results").exists()


def test_its_report_is_whole_without_network(run: tuple[House, Path]) -> None:
    page = (run[1] / "results/report.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']?https?:", page)
    for figure in (run[1] / "results/figures").iterdir():
        assert figure.name in page


def test_a_second_run_has_nothing_to_do(run: tuple[House, Path]) -> None:
    house, _ = run
    assert house.planned("--configfile", "config/smoke.yaml", "--directory", "build/smoke") == {}


def test_every_kind_of_result_is_explained_with_its_versions(run: tuple[House, Path]) -> None:
    _, folder = run
    by_rule = {record.rule: record for record in Records(folder).all}
    assert len(by_rule) >= 20, "one file of each rule"
    for rule, record in by_rule.items():
        lines = explain(folder / record.output, Path("results/config.yaml"))
        told = {line[:12].strip(): line[12:] for line in lines}
        assert told["versions"].startswith("sfigf "), rule
        assert "Python " in told["versions"], rule
        assert told["machine"], rule
        for name in ("command", "inputs", "seed", "versions", "device", "machine", "log"):
            assert "not recorded" not in told[name], f"{rule}: {name}: {told[name]}"


def test_one_core_in_another_environment_makes_the_same_bytes(
    run: tuple[House, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, folder = run
    for name, value in {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    settings = ("--configfile", "config/smoke.yaml", "--directory", "build/elsewhere/alone")
    house.run("snakemake", "--cores", "1", *settings, "--", f"results/scores/{TRAINED}.csv")
    alone = house.folder / "build/elsewhere/alone"
    made = [path.relative_to(alone) for path in (*alone.rglob("*.safetensors"), *alone.rglob("*.csv"))]
    assert Path(f"results/weights/{TRAINED}.safetensors") in made
    for name in made:
        assert (alone / name).read_bytes() == (folder / name).read_bytes(), f"{name} depends on more than its inputs"
