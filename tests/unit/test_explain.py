"""`sfigf explain`: every line is read from records that say so, and what none of them says is not made up."""

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from sfigf.cli import main
from sfigf.config import load_settings, read_yaml
from sfigf.files import sha256_of
from sfigf.plan import digest_of_data, runs
from sfigf.records.currency import CODE, command_of, compare
from sfigf.records.jobs import Record, Records
from sfigf.registry import lookup
from sfigf.store import Record as Entry
from sfigf.store import write_records
from sfigf.tasks import degradation
from sfigf.training_code import code_of, training_code

RUN = "depth/x8/sfigf/full/seed0"
TRAIN, TEST = (f"data/degraded/depth/x8/{part}.safetensors" for part in ("train", "test"))
WEIGHTS, SCORES = f"results/weights/{RUN}.safetensors", f"results/scores/{RUN}.csv"
FACTS = {
    "config_digest": "", "seed": 0, "study": "small", "selected_step": 400,
    "versions": {"sfigf": "0.1.0", "python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
}  # fmt: skip


def keep(folder, output, command, inputs=(), params=(), rule="a_rule", **more):
    """Write a record as Snakemake does, long names cut into folders."""
    name = base64.urlsafe_b64encode(output.encode()).decode()
    pieces = [name[start : start + 254] for start in range(0, len(name), 254)]
    path = folder.joinpath(".snakemake/metadata", *(f"@{piece}" for piece in pieces[:-1]), pieces[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    sums = {file: f"sha256:{sha256_of(folder / file)}" for file in inputs if (folder / file).is_file()}
    content = {
        "rule": rule, "shellcmd": command, "input": [*inputs], "input_checksums": sums, "params": [*map(repr, params)],
        "log": [f"results/logs/{rule}.log"], "starttime": 1.0e9, "endtime": 1.0e9 + 12.5, "incomplete": False,
    } | more  # fmt: skip
    path.write_text(json.dumps(content))


def put(folder, name, content="some bytes"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_weights(path, facts):
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": np.zeros(2, np.float32)}, path, metadata={"sfigf": json.dumps(facts)})


@pytest.fixture
def study(tmp_path, root):
    """A folder with training data, weights and scores as a run of the default settings leaves them."""
    settings = read_yaml(root / "config/default.yaml")
    put(tmp_path, "results/config.yaml", yaml.safe_dump(settings))
    study = load_settings(settings)
    run = next(run for run in runs(study) if run.path == RUN)
    for file, part in ((TRAIN, "train"), (TEST, "test")):
        write_records(_made(tmp_path / file), [Entry("s", {"a": np.ones((1, 2, 2), np.float32)}, {})], {"part": part})
        code = code_of("learn:degrade", type(degradation("depth", "x8")))
        command = (
            f"sfigf degrade --config results/config.yaml --task depth --condition x8 --part {part} --output {file}"
        )
        keep(tmp_path, file, command, params=(code, digest_of_data(study, "depth", part, "x8")), rule=f"degrade_{part}")
    line = "--config results/config.yaml --task depth --condition x8 --method sfigf --variant full --seed 0"
    code, log = training_code(study, run), f"results/training/{RUN}.jsonl"
    write_weights(tmp_path / WEIGHTS, FACTS | {"config_digest": run.digest})
    put(tmp_path, log, '{"event": "train", "step": 1}\n{"event": "end", "seconds": 86.2, "device": "cpu"}\n')
    command = f"sfigf train {line} --checkpoints results/checkpoints/depth-{run.digest}-{code} --threads 1 2>&1 | tee l"
    for output in (WEIGHTS, log):
        keep(tmp_path, output, command, [TRAIN], (code, run.digest), rule="train_method")
    put(tmp_path, SCORES)
    metrics = study.part("depth", "x8").metrics
    code = code_of("learn:score", *(lookup("metric", name) for name in metrics))
    keep(tmp_path, SCORES, f"sfigf score {line} --output {SCORES}", [TEST, WEIGHTS], (code, metrics), rule="score_run",
         starttime=1.0e9 + 20)  # fmt: skip
    return tmp_path


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def say(capsys):
    """Run the command; return its exit status and the lines of both streams."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["explain", *map(str, arguments)])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def value(text, name):
    return next(line[12:] for line in text.splitlines() if line[:12].strip() == name)


def test_weights_tell_command_inputs_digests_seed_versions_device_and_time(study, say):
    status, text, _ = say(study / WEIGHTS)
    assert status == 0
    assert value(text, "command").startswith(f"(cd {study} && sfigf train --config")
    assert f"  {sha256_of(study / TRAIN)}  {TRAIN}" in text.splitlines()
    assert value(text, "sha256") == f"{sha256_of(study / WEIGHTS)}, as later jobs read it"
    assert value(text, "with") == f"results/training/{RUN}.jsonl"
    assert value(text, "seed") == "0"
    assert value(text, "versions") == "sfigf 0.1.0, Python 3.11.7, torch 2.13.0+cpu, numpy 2.4.6"
    assert value(text, "device") == "cpu, 1 thread"
    assert value(text, "when").endswith("12.5 s, of which training 86 s")
    assert value(text, "machine").startswith("not recorded")
    assert value(text, "still so").startswith("yes")


def ends_with(folder, rule, **facts):
    """Let the log of a rule's job end as a command ends it."""
    put(folder, f"results/logs/{rule}.log", f"a warning\nenvironment: {json.dumps(facts)}\n")


TOLD = {
    "versions": {"sfigf": "0.1.0", "Python": "3.11.7", "numpy": "2.4.6", "pandas": "3.1.1"}, "commit": "0123456789ab",
    "device": "cpu, 2 threads", "machine": "Linux x86_64, glibc 2.36", "arithmetic": "numpy X86_V3",
}  # fmt: skip


def test_scores_carry_no_versions_and_their_log_says_them(study, say):
    assert value(say(study / SCORES)[1], "versions") == "not recorded"
    ends_with(study, "score_run", **TOLD)
    text = say(study / SCORES)[1]
    assert value(text, "versions") == "sfigf 0.1.0 (commit 0123456789ab), Python 3.11.7, numpy 2.4.6, pandas 3.1.1"
    assert value(text, "device") == "cpu, 2 threads"
    assert value(text, "machine") == "Linux x86_64, glibc 2.36"
    assert value(text, "arithmetic") == "numpy X86_V3"
    assert value(text, "settings").endswith(", as now")
    assert value(text, "still so").startswith("yes")


def test_what_a_weight_file_says_comes_before_its_log(study, say):
    ends_with(study, "train_method", **TOLD | {"versions": {"torch": "2.11.0", "scipy": "1.17.1"}})
    versions = value(say(study / WEIGHTS)[1], "versions")
    assert "torch 2.13.0+cpu" in versions
    assert "scipy 1.17.1" in versions
    assert value(say(study / WEIGHTS)[1], "device") == "cpu, 1 thread"


def test_a_copy_needs_no_versions(study, say):
    keep(study, "copied", "cp a copied", rule="copy")
    assert value(say(study / "copied")[1], "versions").startswith("none: `cp` made it")


def test_deep_gathers_the_versions_of_all_steps(study, say):
    ends_with(study, "score_run", **TOLD)
    ends_with(study, "degrade_test", **TOLD | {"versions": {"numpy": "2.2.0"}, "machine": "Darwin arm64"})
    behind = say(study / SCORES, "--deep")[1].split("behind it")[1]
    assert "numpy 2.2.0 and 2.4.6" in value(behind, "versions")
    assert "torch 2.13.0+cpu" in value(behind, "versions")
    assert value(behind, "commits") == "0123456789ab"
    assert value(behind, "machines") == "Darwin arm64"
    assert behind.splitlines()[-1].split() == ["Linux", "x86_64,", "glibc", "2.36"]


@pytest.mark.parametrize(
    "end", ["", "{", "[]", "{}", '{"versions": 3}', '{"versions": {"a": "\\u001b[31m"}}', "[" * 9999]
)
def test_a_log_is_not_believed(study, say, end):
    put(study, "results/logs/score_run.log", f"\x00\xff\nenvironment: {end}")
    status, text, _ = say(study / SCORES)
    assert status == 0
    assert value(text, "versions") in ("not recorded", "a \\x1b[31m")


def test_inside_the_folder_the_command_can_be_pasted_as_it_is(study, say, monkeypatch):
    monkeypatch.chdir(study)
    assert value(say(SCORES)[1], "command").startswith("sfigf score --config results/config.yaml")


def test_other_settings_other_inputs_and_other_bytes_are_told_apart(study, say):
    settings = yaml.safe_load((study / "results/config.yaml").read_text())
    settings["tasks"]["depth"]["training"]["learning_rate"] = 0.1
    put(study, "results/config.yaml", yaml.safe_dump(settings))
    put(study, TRAIN, "other bytes")
    put(study, SCORES, "edited by hand")
    text = say(study / WEIGHTS)[1]
    assert "other settings" in value(text, "still so")
    assert f"other {TRAIN}" in value(text, "still so")
    assert "other code" not in value(text, "still so")
    assert "(other bytes now: " in text
    keep(study, "table.csv", "sfigf compare", [SCORES], starttime=2.0e9)
    put(study, SCORES, "edited again")
    assert "BUT later jobs read" in value(say(study / SCORES)[1], "sha256")


def test_weights_put_in_the_place_of_those_that_the_job_made_are_told(study, say):
    write_weights(study / WEIGHTS, FACTS | {"data_digest": {"train": sha256_of(study / TRAIN)}})
    assert "BUT the file says" not in value(say(study / WEIGHTS)[1], "sha256")
    write_weights(study / WEIGHTS, FACTS | {"data_digest": {"train": "ab" * 32}})
    assert "BUT the file says" in value(say(study / WEIGHTS)[1], "sha256")


def test_other_code_is_seen(study, say):
    keep(study, TEST, "sfigf degrade --task depth --condition x8 --part test", params=("0" * 16,), rule="degrade_test")
    text = say(study / TEST)[1]
    assert value(text, "still so").startswith("no: other code")
    assert value(text, "code").startswith(f"{'0' * 16}; now ")


def test_deep_goes_down_to_the_source_and_shows_a_step_once(study, say):
    text = say(study / SCORES, "--deep")[1]
    tree = text.split("made from\n")[1].splitlines()
    assert tree[0].startswith(f"{TEST}  {sha256_of(study / TEST)[:10]}  degrade_test: so")
    assert tree[1].startswith(f"{WEIGHTS}  ")
    assert tree[2].startswith(f"  {TRAIN}  ")
    assert value(text, "behind it") == "3 steps, none of them known to have changed"
    assert value(text.split("behind it")[1], "versions").startswith("sfigf 0.1.0")
    put(study, TRAIN, "other bytes")
    assert "1 no longer so, the first of them " in value(say(study / SCORES, "--deep")[1], "behind it")


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


def test_the_log_of_the_run_names_the_machine(study, say):
    from datetime import datetime

    begun = datetime.fromtimestamp(1.0e9 - 60).strftime("%Y-%m-%dT%H%M%S.%f")
    head = "  Platform: Linux-6\n  Host: node7\n  Snakemake version: 9.27.1\n  Python version: 3.12.1 (main)\n"
    put(study, f".snakemake/log/{begun}.snakemake.log", f"{head}\nrule a:\n    output: {SCORES}\n    jobid: 1\n")
    put(study, ".snakemake/log/2030-01-01T000000.000000.snakemake.log", "  Host: later\n    output: " + SCORES)
    assert value(say(study / SCORES)[1], "machine") == "node7, Linux-6, Snakemake 9.27.1 on Python 3.12.1"
    assert value(say(study / WEIGHTS)[1], "machine").startswith("not recorded")


def test_every_digest_of_the_rules_is_known(root):
    """A new command in the rules is added to the table, else it could not be said whether its files still hold."""
    rules = "".join(path.read_text() for path in sorted((root / "workflow/rules").glob("*.smk")))
    named = {*re.findall(r'code_of\(f?"([^"]+)"', rules)} - {"present:draw_{w.kind}"}
    assert named <= {*CODE.values()}
    for verb, entry in CODE.items():
        assert code_of(entry), verb
        assert re.search(rf'"sfigf {verb} |"sfigf draw {{wildcards.kind}} ', rules), verb


def test_two_digests_that_both_changed_are_not_told_apart():
    record = Record(
        "t", "r", "sfigf tabulate --task depth", {}, ("'" + "1" * 16 + "'", "'" + "2" * 16 + "'"), (), 0, 1, True
    )
    code, _ = compare(record, "no settings")
    assert code.was == f"{'1' * 16} or {'2' * 16}"
    assert code.same is False


def test_a_command_is_taken_apart_without_a_shell():
    verb, options = command_of("sfigf draw zoom --task 'a b' --score x --score y 2> log; rm -rf /")
    assert verb == "draw zoom"
    assert options == {"task": ["a b"], "score": ["x", "y"]}
    assert command_of("cp a b") == ("cp", {})
    assert command_of("sfigf 'unclosed")[0] == ""


def test_torch_stays_where_it_is(study):
    call = f"explain({str(study / WEIGHTS)!r}, Path('results/config.yaml'), deep=True)"
    code = f"import sys\nfrom pathlib import Path\nfrom sfigf.explain import explain\n{call}"
    done = subprocess.run([sys.executable, "-c", f"{code}\nsys.exit('torch' in sys.modules)"], check=False)
    assert done.returncode == 0
