"""Protocols: what they name exists, the page is theirs, studies are held to them, and so are their own numbers."""

import csv
import json

import pytest

from sfigf.cli.protocol import protocols, self_test
from sfigf.interface import UserError
from sfigf.protocols import PROTOCOLS, check_protocols, protocol
from sfigf.protocols.selftest import SELF_TESTS, Mean, run_self_tests
from sfigf.registry import registered
from sfigf.tables.protocol_page import caption, card, protocol_page
from sfigf.tables.scores import COLUMNS
from sfigf.tasks import TASKS

NAMES = [
    *("dctnet", "jiif", "sgnet", "djf", "disparity", "pgsr", "dlpan-rr", "dlpan-fr", "wald", "mfif", "defocus"),
    *("sid-0.1s", "sid-all", "mcr-official", "mcr-scene-disjoint", "unprocessed"),
]
DEPTH = {"conditions": ["x4", "x8"], "tests": ["middlebury-30"], "metrics": ["rmse", "rmse-crop6"]}


def check(task, name, **changes):
    study = DEPTH | changes
    check_protocols(
        task, [name], study["conditions"], study["tests"], study["metrics"], "config: tasks.depth.protocols"
    )


def test_all_are_there():
    assert list(PROTOCOLS) == NAMES


@pytest.mark.parametrize("each", PROTOCOLS.values(), ids=lambda each: each.name)
def test_what_a_protocol_names_exists(each):
    assert set(each.conditions) <= set(TASKS[each.task].conditions)
    metrics, datasets = registered("metric"), registered("dataset")
    assert all(each.task in metrics[metric].tasks for metric in each.metrics)
    assert set(each.datasets) <= set(datasets)
    assert each.traps
    assert all(trap.what and trap.effect and trap.source for trap in each.traps)


def test_the_page_is_written_from_the_protocols(root):
    page = root / "docs" / "protocols.md"
    assert page.read_text(encoding="utf-8") == protocol_page(), "run: sfigf protocols --markdown docs/protocols.md"


def test_the_page_and_the_cards_hold_every_fact():
    page = protocol_page()
    for each in PROTOCOLS.values():
        text = card(each)
        for fact in (
            each.title,
            each.degradation,
            each.normalisation,
            each.crop,
            each.unit,
            each.averaging,
            each.source,
        ):
            assert fact in text
        assert text in page
        assert all(trap.what in page and trap.effect in page for trap in each.traps)


def test_the_captions_of_the_report_are_sound():
    core = pytest.importorskip("docutils.core")
    halt = {"halt_level": 2, "report_level": 2, "warning_stream": False}
    text = core.publish_doctree(caption(NAMES), settings_overrides=halt).astext()
    assert text.count("Normalisation") == len(NAMES)
    assert protocol("dctnet").averaging in text
    assert caption([]) == ""


def test_the_command_lists_and_writes(capsys, tmp_path):
    protocols(None)
    listed = capsys.readouterr().out
    assert all(name in listed for name in NAMES)
    protocols(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == protocol_page()


def test_the_crop_is_another_metric():
    assert protocol("dctnet").metrics_on("middlebury-30", "x4") == ("rmse",)
    assert protocol("dctnet").metrics_on("nyuv2", "x4") == ("rmse-crop6",)
    assert protocol("jiif").metrics_on("middlebury-30", "x4") == ("rmse-crop6",)
    assert protocol("sgnet").metrics_on("lu", "x8-uint8") == ("rmse-crop6",)
    assert protocol("sgnet").metrics_on("lu", "x8") == ()
    assert protocol("dlpan-rr").metrics_on("worldview2", "x4") == ()


def test_a_study_that_fits_is_accepted():
    check("depth", "dctnet")
    check("depth", "jiif")
    check("raw", "sid-all", conditions=["mono-estimated"], tests=["sid:test"], metrics=["psnr", "ssim"])


@pytest.mark.parametrize(
    ("task", "name", "changes", "message"),
    [
        ("depth", "dctnett", {}, r"unknown protocol 'dctnett'.*dctnet"),
        ("depth", "mfif", {}, "protocol 'mfif' is for focus, not depth; depth has: dctnet, jiif"),
        ("depth", "djf", {}, "scores nothing of this study; it needs a test set of middlebury-30, lu .* x4-nearest"),
        ("depth", "dctnet", {"tests": ["cones"]}, "scores nothing of this study"),
        ("depth", "jiif", {"metrics": ["rmse"]}, "needs the metric rmse-crop6; add it"),
        ("depth", "pgsr", {}, "cannot be scored here"),
        ("raw", "sid-all", {"conditions": ["mono-estimated"], "tests": ["sid:test", "sid:train"]}, "no other part"),
    ],
)
def test_a_study_that_does_not_fit_is_told_why(task, name, changes, message):
    with pytest.raises(UserError, match=message) as caught:
        check(task, name, **changes)
    assert str(caught.value).startswith("config: tasks.depth.protocols: ")
    assert "\n" not in str(caught.value)


def means(**changes):
    """What a faultless run would give, then ``changes`` by condition and metric of Middlebury."""
    held = {test.key: Mean(test.value, test.images) for test in SELF_TESTS}
    for name, mean in changes.items():
        condition, metric = name.split("_")
        held["middlebury-30", condition, "bicubic", metric] = mean
    return held


def test_a_faultless_run_passes_every_self_test():
    report = run_self_tests(means(), ["dctnet", "mfif"])
    assert len(report["passed"]) == len(SELF_TESTS)
    assert report["untested"] == ["mfif"]
    assert report["not_applicable"] == []


def test_the_self_tests_are_the_reference_values(reference):
    path = reference / "metrics" / "depth_bicubic.csv"
    columns = {"rmse": "rmse_full", "mae": "mae_full", "rmse-crop6": "rmse_crop6", "mae-crop6": "mae_crop6"}
    endings = {"": "", "uint8": "_uint8LR", "nearest": "_nearestRB"}
    rows = [row for row in csv.DictReader(path.open()) if row["file"].startswith("Middlebury_")]
    for test in (test for test in SELF_TESTS if test.dataset == "middlebury-30"):
        factor, _, ending = test.condition.partition("-")
        column = columns[test.metric] + endings[ending]
        values = [float(row[column]) for row in rows if row["scale"] == factor[1:]]
        assert len(values) == test.images
        assert sum(values) / len(values) == pytest.approx(test.value, abs=6e-5)


def test_a_miss_names_everything_and_the_likely_slip():
    message = r"protocol dctnet failed: bicubic on middlebury-30, x8, rmse is 7\.5716, expected 3\.983 .* x8-nearest"
    with pytest.raises(UserError, match=message) as caught:
        run_self_tests(means(x8_rmse=Mean(7.5716, 30)))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="look at the kernel"):
        run_self_tests(means(x8_rmse=Mean(3.9836, 30)))
    with pytest.raises(UserError, match="is nan"):
        run_self_tests(means(x8_rmse=Mean(float("nan"), 30)))


def test_another_number_of_images_is_another_set():
    report = run_self_tests({("middlebury-30", "x4", "bicubic", "rmse"): Mean(9.0, 3)})
    assert report["passed"] == []
    assert report["not_applicable"] == ["bicubic on middlebury-30, x4, rmse: 3 of 30 images"]
    assert report["note"] == "no self-test applies to these scores"


def write_scores(path, value):
    start = "depth,x4,middlebury-30,middlebury-30"
    values = [value + 0.1 * (image - 15.5) for image in range(1, 31)]
    rows = [f"{start}-{i:02},bicubic,full,0,rmse,{value!r},level,False" for i, value in enumerate(values, start=1)]
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    return path


def test_the_command_writes_a_report_or_nothing(root, tmp_path):
    output = tmp_path / "self-test.json"
    config = root / "config" / "default.yaml"
    self_test([write_scores(tmp_path / "good.csv", 2.2810)], config, output)
    assert json.loads(output.read_text())["passed"][0]["got"] == pytest.approx(2.2810)
    output.unlink()
    with pytest.raises(
        UserError, match=r"2\.2973, expected 2\.281 within 0\.0005 over 30 images; that is rmse at x4-u"
    ):
        self_test([write_scores(tmp_path / "bad.csv", 2.2973)], config, output)
    assert not output.exists()
