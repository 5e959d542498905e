"""Quirks of the released code: each a switch that changes what it says, where the released code has it."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from sfigf.config import load_settings, merged, read_yaml
from sfigf.encoding import encode, released_colours
from sfigf.inference import restore_sample
from sfigf.interface import UserError
from sfigf.plan import method_settings, runs
from sfigf.selection import checked_on, selected_on
from sfigf.store import write_samples
from sfigf.train import train
from sfigf.trainer import Job, Trainer
from sfigf.training_settings import Quirks, Training, settled
from sfigf.weights import read_facts
from tests.conftest import ROOT, make_sample

BUDGET = {"steps": 4, "batch_size": 2, "patch_px": 16, "learning_rate": 0.01, "validate_every_steps": 2}


def training(task, **changes):
    return settled(Training(**(BUDGET | changes)), task, "here")


def job_of(task, settings, samples, validation):
    signature = {"depth": (1, 3, 1), "focus": (3, 3, 3)}[task]
    facts = {
        "task": task, "condition": "c", "label": "svlrm", "variant": "full", "seed": 1,
        "options": {"method": "svlrm", "width": 4, "depth": 1}, "training": settings.model_dump(),
        "signature": dict(zip(("target", "guide", "output"), signature, strict=True)),
    }  # fmt: skip
    return Job(facts, settings, {"depth": "rmse", "focus": "psnr"}[task], samples, validation)


def trained(folder, job):
    train(job, folder / "w.safetensors", folder / "w.jsonl", folder / "c", "cpu")
    return [json.loads(line) for line in (folder / "w.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("task", "loss", "on"),
    [
        ("depth", "l1", {"selection", "colour"}),
        ("pan", "mse-released", {"shuffle"}),
        ("focus", "focus-unsupervised", {"shuffle", "selection", "gradient"}),
        ("focus", "l1", {"shuffle", "selection"}),
        ("raw", "l1", set()),
    ],
)
def test_released_switches_on_what_the_released_code_of_the_task_has(task, loss, on):
    settings = training(task, loss=loss, quirks="released")
    assert {quirk for quirk in Quirks.model_fields if settings.released(quirk)} == on
    assert training(task, loss=loss, quirks="corrected").quirks == training(task, loss=loss).quirks == Quirks()
    assert settings.encoding == ("released-colours" if "colour" in on else "none")


@pytest.mark.parametrize(
    ("task", "changes", "says"),
    [
        (
            "depth",
            {"quirks": {"shuffle": "released"}},
            "here.quirks.shuffle: the released depth code does not have this",
        ),
        ("raw", {"quirks": {"colour": "released"}}, "that of depth does; leave it corrected"),
        ("focus", {"quirks": {"gradient": "released"}}, "it is in the loss focus-unsupervised, not in l1"),
        ("depth", {"quirks": {"colour": "released"}, "encoding": "detail"}, "needs `encoding: none`, not detail"),
        ("focus", {"quirks": {"selection": "released"}, "selection": "none"}, "nothing is selected"),
        ("depth", {"loss": "focus-unsupervised"}, "here.loss: 'focus-unsupervised' is for focus, not depth"),
        ("pan", {"loss": "raw-mono"}, "here.loss: 'raw-mono' is for raw, not pan"),
    ],
)
def test_a_quirk_that_does_not_apply_is_refused_in_one_line(task, changes, says):
    with pytest.raises(UserError) as caught:
        training(task, **changes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_released_colours_are_bgr_with_statistics_of_rgb():
    rgb = np.zeros((3, 2, 2), np.float32)
    rgb[0], rgb[2] = 0.2, 0.9
    shown = released_colours(rgb)
    assert shown[0] == pytest.approx((0.9 - 0.485) / 0.229)  # blue with the mean of red
    assert shown[1] == pytest.approx((0.0 - 0.456) / 0.224)
    assert shown[2] == pytest.approx((0.2 - 0.406) / 0.225)
    assert np.array_equal(released_colours(np.stack([rgb, rgb]))[1], shown)
    assert np.array_equal(released_colours(rgb[:1]), rgb[:1])


def test_the_colour_quirk_is_shown_in_training_and_in_restoring_alike():
    samples = [make_sample("depth", f"s{i}", seed=i) for i in range(2)]
    settings = training("depth", quirks="released")
    quirky = Trainer(job_of("depth", settings, samples, []), torch.device("cpu"))
    painted = [dataclasses.replace(s, guide=np.ascontiguousarray(released_colours(s.guide))) for s in samples]
    plain = Trainer(job_of("depth", training("depth"), painted, []), torch.device("cpu"))
    assert [quirky.advance() for _ in range(3)] == [plain.advance() for _ in range(3)]
    device = torch.device("cpu")
    ours = restore_sample(quirky.network.eval(), samples[0], device, settings.encoding)
    assert np.array_equal(ours, restore_sample(plain.network.eval(), painted[0], device))
    assert not np.array_equal(ours, restore_sample(plain.network, samples[0], device))
    assert np.array_equal(encode(samples[0], "released-colours").target, samples[0].target)


def test_log_and_weights_say_every_released_quirk_aloud(tmp_path, caplog):
    settings = training("focus", loss="focus-unsupervised", quirks="released")
    samples = [make_sample("focus", f"s{i}", seed=i) for i in range(2)]
    events = trained(tmp_path, job_of("focus", settings, samples, samples))
    notes = {event["quirk"]: event["text"] for event in events if event["event"] == "quirk"}
    assert set(notes) == {"shuffle", "selection", "gradient"}
    assert "SELECTED ON THE TEST IMAGES" in notes["selection"]
    assert "SELECTED ON THE TEST IMAGES" in caplog.text
    facts = read_facts(tmp_path / "w.safetensors")
    assert facts["selected_on"] == "test"
    assert facts["training"]["quirks"]["gradient"] == "released"
    assert not any(
        event["event"] == "quirk" for event in trained(tmp_path, job_of("focus", training("focus"), samples, samples))
    )


def test_the_gradient_quirk_changes_what_is_learned():
    samples = [make_sample("focus", f"s{i}", seed=i) for i in range(2)]
    networks = []
    for quirk in ("corrected", "released"):
        settings = training("focus", loss="focus-unsupervised", quirks={"gradient": quirk}, gradient_clip=None)
        trainer = Trainer(job_of("focus", settings, samples, []), torch.device("cpu"))
        first = trainer.advance()
        networks.append((first, torch.cat([p.flatten() for p in trainer.network.parameters()])))
    assert networks[0][0] == networks[1][0]
    assert not torch.equal(networks[0][1], networks[1][1])


def test_weights_are_selected_on_the_part_that_the_quirk_says(tmp_path):
    def written(part, *datasets):
        samples = [
            dataclasses.replace(make_sample("depth", f"{name}-{i}", seed=i), meta={"dataset": name, "factor": 4})
            for name in datasets
            for i in range(2)
        ]
        write_samples(tmp_path / f"{part}.safetensors", samples, {"part": part})
        return tmp_path / f"{part}.safetensors"

    validation, test = written("validation", "nyuv2"), written("test", "nyuv2", "lu")
    corrected, released = training("depth"), training("depth", quirks="released")
    assert [sample.name for sample in checked_on(corrected, "nyuv2:test", validation)] == ["nyuv2-0", "nyuv2-1"]
    chosen = checked_on(released, "nyuv2:test", test)
    assert len(chosen) == 2
    assert [sample.name for sample in chosen] == ["nyuv2-0", "nyuv2-1"]  # of the first test set alone
    with pytest.raises(UserError, match="samples of the test part, but weights are selected on validation"):
        checked_on(corrected, "nyuv2:test", test)
    with pytest.raises(UserError, match="samples of the validation part, but weights are selected on test"):
        checked_on(released, "nyuv2:test", validation)
    with pytest.raises(UserError, match="no sample of 'middlebury-30'"):
        checked_on(released, "middlebury-30", test)
    assert [selected_on(s) for s in (corrected, released, training("depth", selection="none"))] == [
        "validation", "test", "nothing",
    ]  # fmt: skip


def test_quirks_reach_every_learned_method_and_change_its_digest():
    base = read_yaml(ROOT / "config/default.yaml")
    quirky = merged(base, {"tasks": {"depth": {"training": {"quirks": "released", "encoding": "none"}}}})
    plain = merged(base, {"tasks": {"depth": {"training": {"encoding": "none"}}}})
    for label in ("djfr", "svlrm", "sfigf"):
        assert method_settings(load_settings(quirky), "depth", label).training.released("selection")
    one, two = ({run.path: run.digest for run in runs(load_settings(settings))} for settings in (plain, quirky))
    assert {path for path in one if one[path] != two[path]} == {
        path for path in one if path.startswith("depth/") and path.split("/")[2] in ("djfr", "svlrm", "sfigf")
    }
    own = merged(plain, {"tasks": {"depth": {"methods": {"svlrm": {"training": {"quirks": {"colour": "released"}}}}}}})
    study = load_settings(own)
    assert method_settings(study, "depth", "svlrm").training.encoding == "released-colours"
    assert method_settings(study, "depth", "sfigf").training.encoding == "none"
