"""`sfigf explain` where records are missing, broken or hostile: one clear line, nothing run, nothing given away."""

import base64

import pytest
import yaml

from sfigf.records.currency import command_of
from sfigf.records.jobs import Records
from tests.unit.explain_folder import FACTS, SCORES, TEST, WEIGHTS, keep, put, say, study, value, write_weights

__all__ = ["say", "study"]


@pytest.mark.parametrize(
    "end", ["", "{", "[]", "{}", '{"versions": 3}', '{"versions": {"a": "\\u001b[31m"}}', "[" * 9999]
)
def test_a_log_is_not_believed(study, say, end):
    put(study, "results/logs/score_run.log", f"\x00\xff\nenvironment: {end}")
    status, text, _ = say(study / SCORES)
    assert status == 0
    assert value(text, "versions") in ("not recorded", "a \\x1b[31m")


def test_records_that_go_round_in_a_circle_come_to_an_end(study, say):
    keep(study, "a", "sfigf gather", ["b"], rule="one")
    keep(study, "b", "sfigf gather", ["a"], rule="two")
    status, text, _ = say(study / "a", "--deep")
    assert status == 0
    assert text.count("two: ") == 1


def test_a_published_file_speaks_for_itself_without_records(tmp_path, say):
    write_weights(tmp_path / "w.safetensors", FACTS | {"data_digest": {"train": "ab" * 32}})
    status, text, _ = say(tmp_path / "w.safetensors")
    assert status == 0
    assert value(text, "read") == f"train samples, sha256 {'ab' * 32}"
    assert "no folder above it has" in value(text, "made by")
    assert value(text, "still so").startswith("not known")


def test_the_log_of_a_job_stands_for_what_the_job_made(study, say):
    put(study, "results/logs/score_run.log")
    assert f"log of the job that made {SCORES}" in say(study / "results/logs/score_run.log")[1]


def test_a_file_that_is_gone_is_explained_by_its_record(study, say):
    (study / TEST).unlink()
    text = say(study / TEST)[1]
    assert value(text, "sha256").startswith("the file is not here now; later jobs read it as ")
    assert value(say(study / SCORES)[1], "still so").endswith("not compared: 1 of 2 inputs")


@pytest.mark.parametrize(
    ("name", "told"),
    [("results/scores/none.csv", "no record"), ("results/config.yaml", "settings in force"), ("results", "no record")],
)
def test_what_the_records_do_not_know_is_one_clear_line(study, say, name, told):
    status, text, error = say(study / name)
    assert (status, text) == (2, "")
    assert told in error
    assert error.count("\n") == 1


def test_outside_any_study_is_one_clear_line(tmp_path, say):
    put(tmp_path, "a.csv")
    status, _, error = say(tmp_path / "a.csv")
    assert status == 2
    assert "no folder above it" in error


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"rule": "a", "starttime": "x", "endtime": 1}'])
def test_a_broken_record_is_one_line_and_spoils_no_other(study, say, content):
    (study / ".snakemake/metadata" / base64.urlsafe_b64encode(TEST.encode()).decode()).write_text(content)
    (study / ".snakemake/metadata/.DS_Store").write_text("no record")
    (study / ".snakemake/metadata" / base64.urlsafe_b64encode(SCORES.encode()).decode()).write_text(content)
    status, _, error = say(study / SCORES)
    assert status == 2
    assert "not a readable record" in error
    assert "not a readable record" in value(say(study / TEST)[1], "made by")  # the samples say more themselves
    keep(study, "table.csv", "sfigf compare", [SCORES, WEIGHTS])
    assert say(study / "table.csv", "--deep")[0] == 0


def test_names_and_commands_steer_no_terminal(study, say):
    name = "results/\x1b[31m evil\n name.csv"
    put(study, name)
    keep(study, name, "sfigf gather --output '\x1b[31m'", rule="r")
    text = say(study / name)[1]
    assert "\x1b" not in text
    assert "evil\\n name" in text


def test_the_login_of_a_mirror_is_not_printed(study, say):
    mirrors = "--mirror https://me:s3cret/@a.org/x --mirror 'ftp://me:s3 cret@b.org/y?key=cret'"
    keep(study, "c.tar", f"sfigf fetch c {mirrors} --output c.tar")
    command = value(say(study / "c.tar")[1], "command")
    assert "cret" not in command
    assert "--mirror https://a.org/x --mirror 'ftp://b.org/y' --output c.tar" in command


def test_long_names_are_found_in_their_folders(study):
    name = "results/" + "x" * 300
    keep(study, name, "sfigf gather", rule="r")
    assert Records(study).find(name).rule == "r"


def test_plugins_of_a_foreign_folder_are_not_run(study, say):
    settings = yaml.safe_load((study / "results/config.yaml").read_text())
    put(study, "evil.py", f"open({str(study / 'ran')!r}, 'w')")
    put(study, "results/config.yaml", yaml.safe_dump(settings | {"plugins": [str(study / "evil.py")]}))
    text = say(study / WEIGHTS)[1]
    assert not (study / "ran").exists()
    assert "plug-ins" in value(text, "settings")
    assert value(text, "still so").startswith("as far as is known")


def test_a_command_is_taken_apart_without_a_shell():
    verb, options = command_of("sfigf draw zoom --task 'a b' --score x --score y 2> log; rm -rf /")
    assert verb == "draw zoom"
    assert options == {"task": ["a b"], "score": ["x", "y"]}
    assert command_of("cp a b") == ("cp", {})
    assert command_of("sfigf 'unclosed")[0] == ""
