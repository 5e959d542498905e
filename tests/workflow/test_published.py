"""A study whose weights are published: planned without a training, and without the data they were trained on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sfigf.config import load_effective
from sfigf.plan import runs
from sfigf.published import Entry, Mean, write_index
from tests.conftest import ROOT
from tests.workflow.house import House

pytestmark = pytest.mark.slow
PUBLISHED = ("--config", "weights=published")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with a stand-in for every published weight file of the default study."""
    house = House.build(tmp_path_factory.mktemp("published") / "house")
    folder, study = house.folder / "published", load_effective(ROOT / "config/default.yaml")
    mean = Mean("cones", "rmse", "px", False, 1, 1.0)
    entries = []
    for run in filter(lambda run: run.learned, runs(study)):
        file = folder / study.study / f"{run.path}.safetensors"
        file.parent.mkdir(parents=True)
        file.write_text(run.path)
        file.with_suffix(".jsonl").write_text("{}\n")
        facts = (study.study, run.task, run.condition, run.method, run.variant, run.seed, "float32", 1, 1.0, (mean,))
        sha256 = hashlib.sha256(run.path.encode()).hexdigest()
        entries.append(Entry(file.relative_to(folder).as_posix(), sha256, len(run.path), *facts))
    write_index(folder, entries)
    audited = {
        task: {"sides": {"test": [f"{name.partition(':')[0]}/a" for name in part.test]}}
        for task, _, part in study.parts()
    }
    (folder / study.study / "splits.json").write_text(json.dumps(audited))
    return house


def said(house: House, *words: str) -> str:
    done = house.run("snakemake", "--dry-run", *words, check=False)
    return done.stdout + done.stderr


def first(house: House) -> Path:
    return sorted((house.folder / "published").rglob("seed0.safetensors"))[0]


def test_nothing_is_trained_and_no_training_data_are_made(house: House) -> None:
    planned = house.planned(*PUBLISHED)
    assert not {"train_method", "render_shard", "gather_scenes", "draw_scenes"} & planned.keys()
    assert planned["audit_split"] == 1
    assert planned["degrade_part"] == len([*load_effective(ROOT / "config/default.yaml").parts()])
    text = said(house, *PUBLISHED)
    assert "published/mini/depth/x8/sfigf/full/seed0.safetensors" in text
    assert "results/weights" not in text


def test_another_test_set_is_audited_against_what_they_were_trained_on(house: House) -> None:
    report = house.folder / "published/mini/splits.json"
    before = report.read_text()
    report.write_text(before.replace("motorcycle/a", "other/a"))
    planned = house.planned(*PUBLISHED)
    report.write_text(before)
    assert planned["gather_scenes"] == 1
    assert "train_method" not in planned


def test_a_missing_or_damaged_file_is_named_with_what_to_do(house: House) -> None:
    file = first(house)
    before = file.read_text()
    file.unlink()
    assert f"{file.relative_to(house.folder)} is not here: `dvc pull`" in said(house, *PUBLISHED)
    file.write_text(before[::-1])
    assert "damaged, its sha256 is" in said(house, *PUBLISHED)
    file.write_text(before)


def test_a_study_without_published_weights_looks_in_its_results(house: House) -> None:
    (house.folder / "published").rename(house.folder / "elsewhere")
    text = said(house, *PUBLISHED)
    (house.folder / "elsewhere").rename(house.folder / "published")
    assert "results/weights/" in text
    assert "nor published/mini is here: `dvc pull`" in text
