"""`sfigf explain`: every line is read from records that say so, and what none of them says is not made up."""

import json
import re
import subprocess
import sys

import yaml

from sfigf.files import sha256_of
from sfigf.records.currency import CODE, compare
from sfigf.records.jobs import Record
from sfigf.training_code import code_of
from tests.unit.explain_folder import (
    FACTS,
    RUN,
    SCORES,
    TEST,
    TRAIN,
    WEIGHTS,
    keep,
    put,
    say,
    study,
    value,
    write_weights,
)

__all__ = ["say", "study"]


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


def test_torch_stays_where_it_is(study):
    call = f"explain({str(study / WEIGHTS)!r}, Path('results/config.yaml'), deep=True)"
    code = f"import sys\nfrom pathlib import Path\nfrom sfigf.explain import explain\n{call}"
    done = subprocess.run([sys.executable, "-c", f"{code}\nsys.exit('torch' in sys.modules)"], check=False)
    assert done.returncode == 0
