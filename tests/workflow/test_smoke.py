"""The smoke study, for real: every command, every rule, without network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.workflow.house import House

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
