"""``soft_edges_px``: the maps that a network learns from are blurred, those that it is tested on never."""

import json

import numpy as np
import pytest

from sfigf.cli import main
from sfigf.config import load_settings, write_effective
from sfigf.interface import Scene
from sfigf.plan import digest_of_data
from sfigf.sections import kept, merged
from sfigf.small_files import read_yaml
from sfigf.store import SampleFile, write_scenes
from tests.conftest import ROOT

SOFT = {"tasks": {"depth": {"soft_edges_px": [0.6, 0.6], "conditions": ["x8"]}}}


@pytest.fixture
def settings():
    return merged(read_yaml(ROOT / "config/default.yaml"), SOFT)


def steps(name, part):
    disparity = np.where(np.arange(64) < 30, 20, 60).astype(np.float32)[None, None].repeat(64, axis=1)
    colour = np.zeros((3, 64, 64), np.uint8)
    return Scene(name, "steps", part, {"rgb": colour, "disparity": disparity}, {"unit": "px"})


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_what_is_learned_from_is_softened_and_what_is_tested_on_is_not(settings, tmp_path, part):
    settings["tasks"]["depth"] |= {part: ["rendered"], "protocols": []}
    write_effective(json.dumps(settings), tmp_path / "config.yaml")
    write_scenes(tmp_path / "rendered.safetensors", [steps("step", part)])
    command = ["degrade", "--config", tmp_path / "config.yaml", "--task", "depth", "--condition", "x8", "--part", part]
    command += ["--prepared", tmp_path / "rendered.safetensors", "--output", tmp_path / "samples.safetensors"]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in command])
    assert ended.value.code == 0
    sample = SampleFile(tmp_path / "samples.safetensors")[0]
    jump = np.abs(np.diff(sample.to_units(sample.truth)[0], axis=1)).max() / 40
    assert jump == pytest.approx(1) if part == "test" else 0.5 < jump < 0.7


def test_the_digest_of_what_is_tested_on_stays(settings):
    soft = load_settings(kept(settings))
    sharp = load_settings(kept(merged(settings, {"tasks": {"depth": {"soft_edges_px": None}}})))
    changed = [part for part in ("train", "validation", "test")
               if digest_of_data(soft, "depth", part) != digest_of_data(sharp, "depth", part)]  # fmt: skip
    assert changed == ["train", "validation"]


def test_one_condition_may_keep_its_edges(settings):
    settings["tasks"]["depth"] |= {"conditions": ["x4", "x8"], "per_condition": {"x4": {"soft_edges_px": None}}}
    study = load_settings(kept(settings))
    assert study.part("depth", "x4").soft_edges_px is None
    assert study.part("depth", "x8").soft_edges_px == (0.6, 0.6)
