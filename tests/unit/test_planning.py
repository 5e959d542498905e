"""The plan: minutes from measured steps, and plain words where nothing was measured."""

import itertools
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.cli import main
from sfigf.costs import COLUMNS, Cost, Costs, read_costs, write_costs, write_table
from sfigf.interface import UserError
from sfigf.plan import digest, method_settings, runs
from sfigf.planning import describe_plan, estimate, makespan, read_study
from sfigf.timing import stand_in
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
    lines = [{"event": "train", "step": step} for step in range(1, steps + 1)] + [
        {"event": "end", "seconds": seconds, "device": "cpu"}
    ]
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
            assert estimate(run, study, costs).seconds == pytest.approx(90, rel=1e-3)
    assert "training from nothing: about 3.0 minutes on 2 cores" in describe_plan(study, costs, 2)
    assert "about 6.0 minutes on 1 core\n" in describe_plan(study, costs, 1)


def test_more_steps_larger_patches_and_batches_cost_in_proportion(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    costs = read_costs(measure(tmp_path, study, seconds=90.0))
    more = tmp_path / "more.yaml"
    more.write_text("tasks: {depth: {training: {steps: 12, batch_size: 4, patch_px: 64}}}")
    study = read_study([DEFAULT, SMOKE, more])
    (run,) = (run for run in runs(study) if run.learned and run.task == "depth")
    assert estimate(run, study, costs).seconds == pytest.approx(90 * 2 * 2 * 4, rel=1e-3)


def test_unknown_costs_are_named_and_another_width_is_unknown(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    path = measure(tmp_path, study, seconds=90.0)
    wider = tmp_path / "wider.yaml"
    wider.write_text("tasks: {depth: {methods: {sfigf: {width: 32}}}}")
    text = describe_plan(read_study([DEFAULT, SMOKE, wider]), read_costs(path), 2)
    assert "nobody has timed them: depth/x8/sfigf/full/seed0\n" in text
    assert "not measured" in next(line for line in text.splitlines() if "train depth/x8/sfigf" in line)
    assert "nobody has timed a step yet" in describe_plan(study, Costs(), 2)


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
    path.write_text("task,method,variant,batch_size,patch_px,seconds_per_step,options\n-,rest,-,1,1,240,smoke\n")
    assert read_costs(measure(tmp_path, study, 60.0)).rest == 240
    assert describe_plan(study, read_costs(path), 2).endswith("come on top: about 4.0 minutes")
    write_costs(path, [], [], rest_seconds=300)
    assert read_costs(path) == Costs(rest=300, rest_of="smoke")
    assert describe_plan(read_study([DEFAULT]), read_costs(path), 2).endswith("come on top: not measured")
    assert describe_plan(study, Costs(), 2).endswith("come on top: not measured")


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


def table(folder, study, device, seconds, name, **sizes):
    """A table of costs with one row for each learned method."""
    rows = []
    for run in runs(study):
        settings = method_settings(study, run.task, run.method, run.condition)
        if run.learned:
            size = {"batch_size": settings.training.batch_size, "patch_px": settings.training.patch_px} | sizes
            key = {"task": run.task, "method": run.method, "variant": run.variant, "options": digest(settings.options)}
            rows.append(Cost(**key, **size, seconds_per_step=seconds, device=device))
    write_table(folder / name, Costs(tuple(set(rows))))
    return folder / name


def test_cpu_hours_are_not_passed_off_as_gpu_hours(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    long = read_study([DEFAULT, SMOKE, settings_file(tmp_path, "tasks: {depth: {training: {steps: 400000}}}")])
    cpu = table(tmp_path, study, "cpu Xeon, 1 thread", 2.0, "cpu.csv")
    text = describe_plan(long, read_costs(cpu), 2)
    assert f"{400000:9,} steps" in text
    assert "CPU-hours of one core" in text
    assert "steps timed on cpu Xeon, 1 thread" in text
    assert "GPU-hours: not measured; run `sfigf time-steps --device cuda` on your GPU" in text
    assert "GPU" not in describe_plan(study, read_costs(cpu), 2)  # a minute needs none
    gpu = table(tmp_path, study, "cuda NVIDIA A100", 0.09, "gpu.csv")
    text = describe_plan(long, read_costs(cpu, gpu), 2)
    assert "on a GPU: about 10.0 GPU-hours; steps timed on cuda NVIDIA A100" in text
    assert "not measured" not in text.replace("on top: not measured", "")
    assert "222 h " in text  # 400,000 steps of 2 s on the CPU
    assert "600.0 min GPU" not in text


def test_of_several_sizes_the_nearest_counts(tmp_path):
    study = read_study([DEFAULT, SMOKE])
    (run,) = (run for run in runs(study) if run.learned and run.task == "depth")
    far = table(tmp_path, study, "cpu", 1.0, "far.csv", batch_size=64)
    same = table(tmp_path, study, "cpu", 1.0, "same.csv")
    assert estimate(run, study, read_costs(same)).seconds == pytest.approx(6)
    assert estimate(run, study, read_costs(far)).seconds == pytest.approx(6 * 2 / 64)
    for order in ((far, same), (same, far)):
        assert estimate(run, study, read_costs(*order)).seconds == pytest.approx(6)


def test_conditions_of_their_own_are_planned_by_their_own_training():
    study = read_study([DEFAULT, ROOT / "config/paper.yaml"])
    text = describe_plan(study, read_costs(ROOT / "config/paper-costs.csv"), 2)
    (red,) = (line for line in text.splitlines() if "train raw/red-oracle/sfigf" in line)
    (mono,) = (line for line in text.splitlines() if "train raw/mono-estimated/sfigf" in line)
    assert "1,810,181 steps" in red
    assert "5,000,000 steps" in mono
    assert "nobody has timed" not in text
    assert "GPU-hours: not measured" in text


def settings_file(folder, text):
    (folder / "more.yaml").write_text(text)
    return folder / "more.yaml"


def test_steps_are_timed_without_data_and_once_only(tmp_path, capsys, caplog):
    words = ["time-steps", "--config", str(DEFAULT), "--config", str(SMOKE), "--costs", str(tmp_path / "c.csv")]
    words += ["--device", "cpu", "--steps", "1", "--only"]
    for only in ("depth", "depth/x8/sfigf", "raw"):
        with pytest.raises(SystemExit) as done:
            main([*words, only])
        assert done.value.code == 0
    assert "depth/x8/sfigf/full/seed0: timed already" in caplog.text
    costs = read_costs(tmp_path / "c.csv")
    assert {(row.task, row.method) for row in costs.rows} == {("depth", "sfigf"), ("raw", "sid-unet"), ("raw", "sfigf")}
    assert all(row.seconds_per_step > 0 and row.device.startswith("cpu ") for row in costs.rows)
    text = describe_plan(read_study([DEFAULT, SMOKE]), costs, 1)
    assert "nobody has timed them: focus/thin-lens/sfigf/full/seed0" in text
    with pytest.raises(SystemExit):
        main([*words, "depht"])
    assert "--only 'depht': no training of study 'smoke' begins so" in capsys.readouterr().err


def test_stand_ins_have_the_channels_of_the_task():
    shapes = {
        ("depth", "x4"): [(1, 32, 32), (3, 32, 32), (1, 32, 32)],
        ("pan", "x4"): [(8, 32, 32), (1, 32, 32), (8, 32, 32)],
        ("focus", "real"): [(3, 32, 32)] * 3,
        ("raw", "red-oracle"): [(4, 16, 16), (4, 16, 16), (3, 32, 32)],
        ("raw", "mono-estimated"): [(4, 16, 16), (0, 16, 16), (3, 32, 32)],
    }
    for (task, condition), expected in shapes.items():
        sample = stand_in(task, condition, 32, 8)
        assert [sample.target.shape, sample.guide.shape, sample.truth.shape] == expected
