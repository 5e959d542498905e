"""The data commands on broken cards and wrong places: one line, exit code 2, nothing written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sfigf.cli import main

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the cards, worked in."""
    shutil.copytree(CONFIG, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("sfigf: ")
    assert said.count("\n") == 1
    return said


BROKEN = {
    "unknown key": (lambda text: text + "\ncolour: red\n", "unknown key 'colour'"),
    "missing split": (lambda text: text.replace("nyuv2-test.txt", "gone.txt"), "gone.txt: cannot be read"),
    "endless split": (lambda text: text.replace("../splits/nyuv2-test.txt", "/dev/zero"), "/dev/zero: cannot be read"),
    "wrong type": (lambda text: text.replace("tasks: [depth]", "tasks: 7"), "tasks: "),
    "bomb": (lambda text: "a: &a [x, x]\nb: &b [*a, *a]\n", "aliases"),
    "deep": (lambda text: "[" * 900_000, "cannot be read as YAML"),
    "no date": (lambda text: "a: 2020-99-99\n", "holds a value"),
    "long": (lambda text: "a" * 1_000_001, "longer than"),
    "program": (lambda text: "a: !!python/object/apply:os.mkdir [trap]\n", "cannot be read as YAML"),
    "folder outside": (lambda text: text.replace("folder: nyuv2", "folder: .."), "get.folder"),
    "path outside": (lambda text: text.replace("path: nyu_", "path: ../nyu_"), "leaves the folder"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_cards_are_refused_in_one_line(broken: str, house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = house / "config/datasets/nyuv2.yaml"
    damage, said = BROKEN[broken]
    card.write_text(damage(card.read_text(encoding="utf-8")), encoding="utf-8")
    place = ["--card", "config/datasets/nyuv2.yaml", "--output", "out.json"]
    carriers = ["--carriers", "config/carriers.yaml"]
    for command in (
        ["data", "status"],
        ["collect", *place],
        ["verify", *place, *carriers],
        ["prepare", *place, *carriers],
    ):
        assert said in refused(capsys, *command)
    assert not (house / "out.json").exists()
    assert not (house / "trap").exists()


def test_places_that_are_none_are_said(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (house / "own").write_text("a file")
    place = ["--card", "config/datasets/middlebury-30.yaml", "--output", "out.json"]
    assert "own: a file, a folder of data sets was expected" in refused(capsys, "data", "status", "--own", "own")
    assert "own: a file" in refused(capsys, "collect", *place, "--own", "own")
    (house / "mine").mkdir()
    (house / "mine/middlebury").write_text("a file")
    assert "a file is where this folder should be" in refused(capsys, "collect", *place, "--own", "mine")
    nyu = ["--card", "config/datasets/nyuv2.yaml", "--output", "out.json"]
    assert "no folder gone" in refused(capsys, "collect", *nyu, "--own", "mine", "--mirror", "gone")
    carriers = ["--carriers", "config/carriers.yaml", "--archive"]
    for archive in ("nowhere", "own"):
        assert "no folder with a copy of nyuv2" in refused(capsys, "verify", *nyu, *carriers, archive)
    assert [path.name for path in house.iterdir() if path.name.startswith("out")] == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions are nothing to the superuser")
def test_a_folder_without_permission_is_said(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (house / "data/own/nyuv2").mkdir(parents=True, mode=0)
    place = ["--card", "config/datasets/nyuv2.yaml", "--output", "out.json"]
    assert "cannot be read (Permission denied)" in refused(capsys, "collect", *place)
