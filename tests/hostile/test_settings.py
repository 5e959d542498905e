"""Settings of strangers: damaged in any way they are read as they stand, or refused in a line that names the key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sfigf.cli import main
from sfigf.config import kept, load_settings, read_yaml
from sfigf.interface import UserError
from sfigf.small_files import MOST_VALUES, check_plain, one_line, read_strict_yaml
from tests.conftest import ROOT
from tests.hostile import gathered
from tests.hostile.mutations import ended
from tests.hostile.running import Plan, Row, count
from tests.hostile.settings import wrong_meanings
from tests.hostile.settings_changes import replaced

NAMES = [reader.name for reader in gathered("settings")]
INPUTS = 25


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """All of it in one process."""
    return {row.reader: row for row in count(Plan(["settings"], NAMES, seed=3, first=0, last=INPUTS))}


@pytest.fixture(scope="module")
def default() -> Any:
    return read_yaml(ROOT / "config/default.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_damaged_settings_are_read_as_they_stand_or_refused(name: str, rows: dict[str, Row]) -> None:
    assert rows[name].failures == []
    assert rows[name].counts.total() == INPUTS
    assert rows[name].counts["refused"]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("tasks.depth.training.steps", True, "steps: Input should be a number, got True"),
        ("tasks.depth.methods.djfr.training.learning_rate", True, "got True"),
        ("robustness.perturbations.guide-shift", [True], "guide-shift.0: Input should be a number, got True"),
        ("seeds", [False], "seeds.0: Input should be a number"),
        ("tasks.depth.training.learning_rate", float("inf"), "learning_rate: inf is no number"),
        ("tasks.depth.training.steps", 10**30, "a number beyond"),
        ("tasks.depth.training", {"steps": 10**400}, "a number beyond"),
        ("tasks.depth.methods.djfr.training", 1, "djfr.training: expected a mapping"),
        ("tasks.depth.methods.djfr.training", [], "djfr.training: expected a mapping"),
        ("tasks.depth.methods.sfigf.variants", "full", "variants: expected a list of one or more of full"),
        ("tasks.depth.methods.sfigf.variants", [], "variants: expected a list"),
        ("tasks.depth.methods.sfigf.variants", [["full"]], "is not one of full"),
        ("tasks.depth.methods.sfigf.variants", ["full", "full"], "variants: 'full' is listed twice"),
        ("tasks.depth.methods.--help", {"method": "bicubic"}, "methods.--help"),
        ("tasks.depth.methods.$(touch pwned)", {"method": "bicubic"}, "methods.$(touch pwned)"),
        ("tasks.depth.conditions", ["x8", "x8"], "conditions: 'x8' is listed twice"),
        ("tasks.depth.metrics", ["rmse", "rmse"], "metrics: 'rmse' is listed twice"),
        ("tasks.depth.test", ["cones", "cones"], "test: 'cones' is listed twice"),
        ("tasks.depth.test", ["cones\x1b[2J"], "is no text"),
        ("seeds", [0, 0], "seeds: '0' is listed twice"),
        ("title", "a\0b", r"title: holds '\x00'"),
        ("title", "x" * 20_000, "title: longer than"),
        ("show", {"a": "\ud800"}, "which is no text"),
        ("data_mirrors", ["a{b}"], "data_mirrors.0"),
        ("data_mirrors", ["a\nb"], "data_mirrors.0"),
        ("plugins", [""], "plugins.0"),
        ("study", "-rf", "study"),
        ("study", "../x", "study"),
    ],
)
def test_what_would_mean_something_else_is_refused(default: Any, path: str, value: Any, says: str) -> None:
    keys = tuple(path.split("."))
    with pytest.raises(UserError) as caught:
        load_settings(kept(_set(default, keys, value)))
    assert says in ended(str(caught.value))
    assert len(str(caught.value)) < 1000


def _set(content: Any, keys: tuple[str, ...], value: Any) -> Any:
    if len(keys) == 1:
        return {**content, keys[0]: value}
    return {**content, keys[0]: _set(content[keys[0]], keys[1:], value)}


def test_the_check_of_meanings_sees_a_setting_taken_for_another(default: Any) -> None:
    study = load_settings(default)
    assert wrong_meanings(default, study) == []
    other = replaced(default, ("tasks", "depth", "training", "steps"), 401)
    assert wrong_meanings(other, study) == [".tasks.depth.training.steps: 401 as 400"]
    assert wrong_meanings(replaced(default, ("seeds", 0), False), study) == [".seeds.0: False as 0"]


def test_words_for_numbers_are_numbers_and_a_null_in_a_condition_is_the_tasks(default: Any) -> None:
    """Snakemake's ``--config seeds=[0,1]`` gives words, and YAML reads 4e-3 as one."""
    changed = replaced(default, ("seeds",), ["0", "1"])
    changed = replaced(changed, ("tasks", "depth", "training", "learning_rate"), "4e-3")
    changed = replaced(changed, ("tasks", "depth", "per_condition"), {"x8": {"methods": None, "train": None}})
    study = load_settings(changed)
    assert study.seeds == [0, 1]
    assert study.tasks["depth"].training.learning_rate == 4e-3
    assert study.part("depth", "x8").methods.keys() == default["tasks"]["depth"]["methods"].keys()


def test_aliases_that_were_expanded_already_are_counted_before_they_are_copied() -> None:
    """What Snakemake has read holds them as shared objects, small in memory and endless to walk through."""
    bomb: Any = {"k": "x"}
    for _ in range(28):
        bomb = {"k": bomb, "l": bomb}
    ring: list[Any] = []
    ring.append(ring)
    for content, says in (({"show": bomb}, f"{MOST_VALUES:,} values"), ({"show": ring}, "nested deeper")):
        for read in (kept, load_settings):
            with pytest.raises(UserError, match=says):
                read(content)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' stands twice in one mapping, in lines 1 and 3"),
        ("x: {a: 1, a: 1}\ny:\n- b: 1\n  b: 2\n", "'a' stands twice"),
        ("a: !!python/object/apply:os.system [touch pwned]\n", "could not determine a constructor"),
        ("a: &a [1]\nb: *a\n", "aliases"),
        ("a: !!timestamp never\n", "a tag does not fit its value"),
        ("a: !!bool perhaps\n", "a tag does not fit its value"),
        ("a: " + "[" * 5000, "nested deeper than 30"),
        ("a: \0", "cannot be read"),
        ("\ta: 1\n", "cannot be read as YAML"),
    ],
)
def test_yaml_that_hides_something_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (path := tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_strict_yaml(path)
    assert says in ended(one_line(str(caught.value)))


def test_files_that_never_end_or_are_none_are_refused(tmp_path: Path) -> None:
    endless, ring, long = tmp_path / "endless.yaml", tmp_path / "ring.yaml", tmp_path / "long.yaml"
    endless.symlink_to("/dev/zero")
    ring.symlink_to(ring.name)
    os.mkfifo(tmp_path / "pipe.yaml")
    with long.open("wb") as stream:
        stream.truncate(100 * 2**20)
    for path in (endless, ring, long, tmp_path / "pipe.yaml", tmp_path):
        with pytest.raises(UserError):
            read_strict_yaml(path)


def test_the_command_line_says_one_line_that_steers_no_terminal(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"study": "x\x1b[2J\x9b" + "y" * 50_000, "\x1b]0;title\x07": 1}))
    with pytest.raises(SystemExit) as stopped:
        main(["show", "--config", str(path)])
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert ended(error.rstrip("\n")).isprintable()
    assert len(error) < 2500
    with pytest.raises(SystemExit) as stopped:
        main(["resolve", "--settings", "[" * 100_000, "--output", str(tmp_path / "out.yaml")])
    assert stopped.value.code == 2
    assert "is not JSON" in ended(capsys.readouterr().err.rstrip("\n"))


def test_plain_settings_pass_and_nothing_else() -> None:
    check_plain({"a": [1, 2.5, "x\ny", None, True, {"b": ()}]}, "x")
    for value in (b"x", {1, 2}, object(), float("nan"), "\x07"):
        with pytest.raises(UserError, match="x: a"):
            check_plain({"a": value}, "x")
