"""docs/extend.md as a new user would follow it: four classes in one file, four lines of settings, nothing else."""

import csv
import re

import pytest
import yaml

from sfigf.cli import main
from sfigf.config import load_settings, merged, read_yaml
from sfigf.plan import runs
from sfigf.registry import lookup
from sfigf.store import write_scenes


def blocks(root, language):
    return re.findall(rf"```{language}\n(.*?)```", (root / "docs/extend.md").read_text(), re.S)


@pytest.fixture
def study(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("\n".join(blocks(root, "python")))
    (lines,) = blocks(root, "yaml")
    small = {"steps": 20, "batch_size": 2, "patch_px": 32, "validate_every_steps": 10}
    changes = merged(yaml.safe_load(lines), {"tasks": {"depth": {"training": small}}})
    changes["tasks"]["depth"] |= {"train": ["ramps"], "validation": ["ramps"]}
    settings = merged(read_yaml(root / "config/default.yaml"), changes)
    settings["tasks"] = {"depth": settings["tasks"]["depth"]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    return load_settings(settings)


def call(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0, arguments


def test_four_classes_and_four_lines_run_the_whole_chain(study, tmp_path):
    write_scenes("ramps.safetensors", lookup("dataset", "ramps")().read({}))
    head = ["--config", "config.yaml", "--task", "depth", "--condition", "x8"]
    for part in ("train", "validation", "test"):
        call("degrade", *head, "--part", part, "--prepared", "ramps.safetensors", "--output", f"{part}.safetensors")
    names = {run.method for run in runs(study)}
    assert {"blend", "two-convolutions", "sfigf"} <= names
    for method in ("blend", "two-convolutions"):
        which = [*head, "--method", method, "--variant", "full", "--seed", "0"]
        weights = []
        if method == "two-convolutions":
            outputs = ["--checkpoints", "c", "--log", "log.jsonl", "--weights", "w.safetensors"]
            call("train", *which, "--train", "train.safetensors", "--validation", "validation.safetensors", *outputs)
            weights = ["--weights", "w.safetensors"]
        restored = ["--output", f"{method}.safetensors", "--cost", f"{method}.json"]
        call("restore-set", *which, "--samples", "test.safetensors", *weights, *restored)
        files = ["--samples", "test.safetensors", "--restored", f"{method}.safetensors", "--output", f"{method}.csv"]
        call("score", *which, *files)
        with open(f"{method}.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["metric"] for row in rows} == {"rmse", "worst-error"}
        assert len(rows) == 2 * 4
        assert all(float(row["value"]) > 0 for row in rows)


def test_plugins_are_listed(study, capsys):
    call("list", "methods", "--plugin", "mine.py")
    out = capsys.readouterr().out
    assert "blend" in out
    assert "sfigf" in out
