"""The plan: minutes from measured steps, and plain words where nothing was measured."""

import itertools
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.cli import main
from sfigf.interface import UserError
from sfigf.plan import digest, method_settings, runs
from sfigf.planning import COLUMNS, REST, describe_plan, estimate_seconds, makespan, read_costs, read_study, write_costs
from sfigf.weights import save_weights
from tests.conftest import ROOT

DEFAULT, SMOKE = ROOT / "config/default.yaml", ROOT / "config/smoke.yaml"


def trained(folder, study, run, seconds, steps=None):
    """Weights and log of a training that took ``seconds``."""
    settings = method_settings(study, run.task, run.method)
    facts = {
        "task": run.task, "label": run.method, "variant": run.variant, "options": settings.options,
        "training": settings.training.model_dump(),
    }  # fmt: skip
    weights, log = (folder / f"{run.digest}-{run.condition}.{suffix}" for suffix in ("safetensors", "jsonl"))
    save_weights(weights, torch.nn.Linear(1, 1), facts)
    steps = settings.training.steps if steps is None else steps
    lines = [{"event": "train"}] * steps + [{"event": "end", "seconds": seconds, "device": "cpu"}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return weights, log


def measure(folder, study, seconds, steps=None):
    """A table of costs from trainings of every learned run of a study."""
    files = [trained(folder, study, run, seconds, steps) for run in runs(study) if run.learned]
    weights, logs = zip(*files, strict=True)
    write_costs(folder / "costs.csv", weights, logs)
    return folder / "costs.csv"


@given(st.lists(st.floats(0, 100), max_size=6), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_makespan_is_close_to_the_best_schedule_there_is(seconds, cores):
    best = min(
        max(sum(s for s, core in zip(seconds, chosen, strict=True) if core == which) for which in range(cores))
        for chosen in itertools.product(range(cores), repeat=len(seconds))
    )
    assert best - 1e-9 <= makespan(seconds, cores) <= best * (4 / 3 - 1 / (3 * cores)) + 1e-9


def test_makespan_by_hand():
    assert makespan([3, 3, 2, 2, 2], 1) == 12
    assert makespan([3, 3, 2, 2, 2], 2) == 7  # longest first; 6 is possible
    assert makespan([5], 4) == 5
    assert makespan([], 2) == 0


def test_what_was_measured_is_what_is_foretold(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    costs = read_costs(measure(tmp_path, study, seconds=90.0))
    for run in runs(study):
        if run.learned:
            assert estimate_seconds(run, study, costs) == pytest.approx(90, rel=1e-3)
    assert "training from nothing: about 3.0 minutes on 2 cores" in describe_plan(study, costs, 2)
    assert "about 6.0 minutes on 1 core\n" in describe_plan(study, costs, 1)


def test_more_steps_larger_patches_and_batches_cost_in_proportion(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    costs = read_costs(measure(tmp_path, study, seconds=90.0))
    more = tmp_path / "more.yaml"
    more.write_text("tasks: {depth: {training: {steps: 12, batch_size: 4, patch_px: 64}}}")
    study = read_study([DEFAULT, SMOKE, more])
    (run,) = (run for run in runs(study) if run.learned and run.task == "depth")
    assert estimate_seconds(run, study, costs) == pytest.approx(90 * 2 * 2 * 4, rel=1e-3)


def test_unknown_costs_are_named_and_another_width_is_unknown(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    path = measure(tmp_path, study, seconds=90.0)
    wider = tmp_path / "wider.yaml"
    wider.write_text("tasks: {depth: {methods: {sfigf: {width: 32}}}}")
    text = describe_plan(read_study([DEFAULT, SMOKE, wider]), read_costs(path), 2)
    assert "nobody has timed them: depth/x8/sfigf/full/seed0\n" in text
    assert "not measured" in next(line for line in text.splitlines() if "train depth/x8/sfigf" in line)
    assert "nobody has timed a step yet" in describe_plan(study, {}, 2)


def test_the_table_is_the_same_in_any_order_and_means_over_seeds(tmp_path):
    study = read_study([DEFAULT])
    learned = [run for run in runs(study) if run.task == "raw" and run.method == "sid-unet"]
    files = [trained(tmp_path, study, run, seconds) for run, seconds in zip(learned, (100.0, 300.0), strict=True)]
    for order in (files, files[::-1]):
        write_costs(tmp_path / f"{order is files}.csv", *zip(*order, strict=True))
    text = (tmp_path / "True.csv").read_text()
    assert text == (tmp_path / "False.csv").read_text()
    line = method_settings(study, "raw", "sid-unet")
    patch = f"{line.training.batch_size},{line.training.patch_px}"
    assert text.splitlines() == [",".join(COLUMNS), f"raw,sid-unet,full,{patch},0.4,{digest(line.options)},cpu"]


def test_the_rest_of_a_study_is_kept_and_told(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    path = tmp_path / "costs.csv"
    path.write_text("task,method,variant,batch_size,patch_px,seconds_per_step\n-,rest,-,1,1,240\n")
    assert read_costs(measure(tmp_path, study, 60.0))[REST] == 240
    assert describe_plan(study, read_costs(path), 2).endswith("come on top: about 4.0 minutes")
    write_costs(path, [], [], rest_seconds=300)
    assert read_costs(path) == {REST: 300}
    assert describe_plan(study, {}, 2).endswith("come on top: not measured")


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    weights, log = trained(tmp_path, study, next(run for run in runs(study) if run.learned), 9.0)
    with pytest.raises(UserError, match="1 weight files and 2 logs"):
        write_costs(tmp_path / "c.csv", [weights], [log, log])
    with pytest.raises(UserError, match=r"has 5 steps, .* 6; give the files in the same order"):
        measure(tmp_path, study, 9.0, steps=5)
    log.write_text('{"event": "train"}\n')
    with pytest.raises(UserError, match="not the log of a finished training"):
        write_costs(tmp_path / "c.csv", [weights], [log])
    assert not (tmp_path / "c.csv").exists()
    log.write_text("task,seconds\n1,2\n")
    with pytest.raises(UserError, match="not a table of costs"):
        read_costs(log)


def test_the_command_prints_the_plan_and_refuses_half_a_core(capsys):
    words = ["plan", "--config", str(DEFAULT), "--config", str(SMOKE), "--costs", "none.csv", "--cores"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "all"])
    assert ended.value.code == 0
    assert "4 trainings, 4 methods without training, 8 runs to score" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([*words, "0.5"])
    assert ended.value.code == 2
    assert "--cores is '0.5'" in capsys.readouterr().err
