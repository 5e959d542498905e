"""Published weights in use: vouched for by an index, refused when damaged, taken first by restore."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from sfigf.images import write_image
from sfigf.interface import UserError
from sfigf.own.defaults import FOLDERS, default_weights
from sfigf.published import check_published, held, read_index, state_of
from sfigf.weights import save_weights
from tests.unit.finished_study import OURS, ends, finished, publish, spoil

__all__ = ["finished"]


def test_a_damaged_or_unknown_file_is_refused_on_load(finished, tmp_path):
    entry = publish(finished, tmp_path, OURS)[0]
    file = entry.file(tmp_path)
    check_published(file)
    copy = file.with_name("seed1.safetensors")
    shutil.copy(file, copy)
    with pytest.raises(UserError, match=r"seed1.safetensors: not in .*index.json"):
        check_published(copy)
    spoil(file)
    assert (state_of(tmp_path, entry), state_of(tmp_path, entry, read=True)) == ("ready", "damaged")
    with pytest.raises(UserError, match=rf"damaged, its sha256 is .*, {entry.sha256[:12]}\.\.\. was published"):
        check_published(file)
    elsewhere = tmp_path / "elsewhere.safetensors"
    shutil.copy(file, elsewhere)
    check_published(elsewhere)


def test_held_says_whether_to_pull_or_to_publish(finished, tmp_path):
    entry = publish(finished, tmp_path, OURS)[0]
    assert held(tmp_path, entry.path) == entry.file(tmp_path)
    entry.file(tmp_path).unlink()
    with pytest.raises(UserError, match="is not here: `dvc pull`"):
        held(tmp_path, entry.path)
    with pytest.raises(UserError, match="is not published"):
        held(tmp_path, "mini/depth/x4/sfigf/full/seed0.safetensors")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}', '{"format": "sfigf published weights 1"}'])
def test_an_index_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(UserError, match="not a readable index"):
        read_index(tmp_path)


def test_default_weights_fit_the_factor_first_then_the_order_of_the_studies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (
        "published/standard/depth/x8/sfigf/full/seed1", "published/standard/depth/x8/sfigf/full/seed0",
        "published/standard/depth/x4/sfigf/full/seed0", "published/desk/depth/x16/sfigf/full/seed0",
        "results/weights/depth/x8/sfigf/full/seed0", "results/weights/raw/mono/sfigf/full/seed0",
    ):  # fmt: skip
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(f"{path}.safetensors").touch()
    chosen = {factor: default_weights("depth", factor, *FOLDERS) for factor in (4, 8, 16)}
    assert chosen[8] == Path("published/standard/depth/x8/sfigf/full/seed0.safetensors")
    assert [path.parts[1:4] for path in chosen.values()] == [
        ("standard", "depth", "x4"), ("standard", "depth", "x8"), ("desk", "depth", "x16")
    ]  # fmt: skip
    assert default_weights("raw", 1, *FOLDERS).parts[0] == "results"
    with pytest.raises(UserError, match=r"no weights of pan in published/standard/pan, .*: run `dvc pull`"):
        default_weights("pan", 4, *FOLDERS)


def test_default_weights_of_pan_have_the_bands_of_the_image(tmp_path):
    for condition, bands in (("worldview2", 8), ("geoeye1", 4)):
        facts = {"task": "pan", "signature": {"target": bands, "guide": 1, "output": bands}}
        file = tmp_path / f"pan/{condition}/sfigf/full/seed0.safetensors"
        file.parent.mkdir(parents=True)
        save_weights(file, torch.nn.Linear(1, 1), facts)
    chosen = [default_weights("pan", 4, tmp_path, bands=bands).parts[-4] for bands in (8, 4)]
    assert chosen == ["worldview2", "geoeye1"]


def test_default_weights_of_the_plain_condition_come_before_those_of_a_habit(tmp_path):
    for condition in ("x8-uint8", "x8", "x8-nearest"):
        file = tmp_path / f"depth/{condition}/sfigf/full/seed0.safetensors"
        file.parent.mkdir(parents=True)
        file.touch()
    assert default_weights("depth", 8, tmp_path).parts[-4] == "x8"


def test_restore_takes_the_published_ones_says_so_and_refuses_damaged_ones(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    entry = publish(finished, Path("published"), OURS)[0]
    write_image(Path("coarse.tif"), np.random.default_rng(0).random((1, 6, 6)).astype(np.float32))
    write_image(Path("photo.tif"), np.random.default_rng(1).random((3, 48, 48)).astype(np.float32))
    words = ["restore", "--task", "depth", "--target", "coarse.tif", "--guide", "photo.tif", "--output", "out.tif"]
    words += ["--device", "cpu", "--weights-folder", "published/mini"]
    ends(0, *words)
    assert capsys.readouterr().err == f"sfigf: weights: published/{entry.path}\n"
    Path("out.tif").unlink()
    spoil(entry.file("published"))
    ends(2, *words)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "damaged, its sha256 is" in error
    assert not Path("out.tif").exists()
