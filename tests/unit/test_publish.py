"""Publishing weights: made from a finished study with cards and an index, rounded within a bound, else refused."""

import json

import numpy as np
import pytest
import torch

from sfigf.config import load_effective
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.published import Mean, audited_sets, read_index
from sfigf.publishing import rounding
from sfigf.publishing.log import thinned
from sfigf.publishing.rounding import worse
from sfigf.publishing.study import FinishedStudy
from sfigf.weights import load_network, read_facts
from tests.conftest import ROOT
from tests.unit.finished_study import OURS, SIDES, ends, finished, log_lines, publish, results, spoil

__all__ = ["finished", "results"]


def test_a_finished_study_is_published_with_cards_and_an_index(finished, tmp_path):
    entries = publish(finished, tmp_path / "published")
    assert [entry.path for entry in entries] == [f"mini/depth/x8/sfigf/{v}/seed0.safetensors" for v in
                                                 ("full", "image-only")]  # fmt: skip
    index = read_index(tmp_path / "published")
    assert [*index.values()] == entries
    for entry in entries:
        file = entry.file(tmp_path / "published")
        assert (entry.sha256, entry.bytes, entry.floats) == (sha256_of(file), file.stat().st_size, "float32")
        assert entry.parameters == sum(value.numel() for value in load_network(file, "depth")[0].parameters())
        assert file.read_bytes() == (finished / "weights" / entry.path.removeprefix("mini/")).read_bytes()
    assert audited_sets(tmp_path / "published/mini/splits.json", "depth") == {"motorcycle", "cones"}


def test_the_scores_of_the_index_are_those_of_the_study(finished, tmp_path):
    entry = publish(finished, tmp_path, OURS)[0]
    rows = (finished / f"scores/{OURS}.csv").read_text().splitlines()[1:]
    values = [float(row.split(",")[8]) for row in rows if ",cones," in row and ",rmse," in row]
    cones, motorcycle = entry.main
    assert (cones.dataset, cones.images, motorcycle.images) == ("cones", 2, 1)
    assert cones.value == pytest.approx(np.mean(values), rel=1e-5)
    assert {mean.metric for mean in entry.metrics} == {"rmse", "mae"}


def test_the_card_tells_the_facts(finished, tmp_path):
    entry = publish(finished, tmp_path / "published", OURS)[0]
    card = (tmp_path / "published/mini/depth/x8/sfigf/full/seed0.md").read_text()
    for fact in (
        entry.sha256, f"{entry.parameters:,} parameters", "research use of the Middlebury pictures", "2.0 h on cpu",
        "abc123", "| Cones | 2 | RMSE", f"--weights published/{entry.path}", "1 of Motorcycle", "One seed was trained",
        "step 7, on the validation part (rmse 1.5)", read_facts(entry.file(tmp_path / "published"))["config_digest"],
        "8 times coarser", "blurred first, by 0.3 to 0.9 px",
    ):  # fmt: skip
        assert fact in card, fact


def test_publishing_twice_gives_the_same_bytes_and_keeps_the_others(finished, tmp_path):
    publish(finished, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    publish(finished, tmp_path, "depth/x8/sfigf/image")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_bfloat16_is_half_the_size_and_both_values_are_told(finished, tmp_path):
    plain = publish(finished, tmp_path / "plain", OURS)[0]
    entry = publish(finished, tmp_path / "published", OURS, floats="bfloat16", bound=0.5)[0]
    file = entry.file(tmp_path / "published")
    assert entry.floats == "bfloat16"
    assert entry.bytes < 0.75 * plain.bytes
    assert entry.main[0].value != plain.main[0].value
    assert entry.main[0].value == pytest.approx(plain.main[0].value, rel=0.05)
    network, facts = load_network(file, "depth")
    assert facts["floats"] == "bfloat16"
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    before, after = plain.main[0], entry.main[0]
    told = f"{before.value:.6g} {before.unit} as trained, {after.value:.6g} {after.unit} as stored"
    assert told in file.with_suffix(".md").read_text()


def test_what_loses_too_much_stays_float32_and_is_refused_if_asked_for(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("sfigf.publishing.SMALL_BYTES", 0)
    one, other = (Mean("cones", "rmse", "px", False, 2, value) for value in (1.0, 1.02))
    monkeypatch.setattr("sfigf.publishing.measure", lambda *given: rounding.Rounding((one,), (other,)))
    said = []
    entry = publish(finished, tmp_path, OURS, say=said.append)[0]
    assert entry.floats == "float32"
    assert entry.file(tmp_path).read_bytes() == (finished / f"weights/{OURS}.safetensors").read_bytes()
    assert "worsens rmse by 2.000%" in said[0]
    with pytest.raises(UserError, match=r"bfloat16 worsens rmse by 2\.000%, above the bound of 0.50%"):
        publish(finished, tmp_path, OURS, floats="bfloat16")
    assert publish(finished, tmp_path, OURS, bound=0.03)[0].floats == "bfloat16"


@pytest.mark.parametrize(
    ("unit", "higher", "before", "after", "share"),
    [("px", False, 2.0, 2.01, 0.005), ("1", True, 0.8, 0.796, 0.005), ("dB", True, 30.0, 29.0, 0.122)],
)
def test_a_loss_is_a_share_of_the_error(unit, higher, before, after, share):
    one, other = (Mean("s", "m", unit, higher, 3, value) for value in (before, after))
    assert worse(one, other) == pytest.approx(share, rel=0.01)
    assert worse(other, one) < 0


def change(path, **entries):
    report = json.loads(path.read_text())
    report["depth"] |= entries
    path.write_text(json.dumps(report))


@pytest.mark.parametrize(
    ("spoil_study", "says"),
    [
        (
            lambda r: change(r / "audit/splits.json", closest={"similarity": 0.6}),
            "audit of depth failed: .* 0.60 alike",
        ),
        (
            lambda r: change(r / "audit/splits.json", sides=SIDES["sides"] | {"train": ["cones/c"]}),
            "audit of depth failed: cones/c is tested and trained on",
        ),
        (lambda r: (r / "audit/splits.json").unlink(), r"splits.json: no such proof"),
        (lambda r: (r / "audit/self-test.json").unlink(), r"self-test.json: no such proof"),
        (lambda r: (r / f"weights/{OURS}.safetensors").unlink(), "1 of 2 runs lack a file, first .*full/seed0"),
        (lambda r: (r / f"scores/{OURS}.csv").unlink(), "1 of 2 runs lack a file"),
        (
            lambda r: (r / "config.yaml").write_text((r / "config.yaml").read_text().replace(" steps: ", " steps: 1")),
            "trained under other settings",
        ),
        (
            lambda r: (r.parent / "data/degraded/depth/x8/train.safetensors").write_bytes(b"other samples"),
            "full/seed0.safetensors: trained on other samples than .*train.safetensors holds",
        ),
    ],
)
def test_a_study_that_is_not_in_order_is_refused(results, tmp_path, spoil_study, says):
    spoil_study(results)
    with pytest.raises(UserError, match=says):
        publish(results, tmp_path / "published")
    assert not (tmp_path / "published").exists()


def test_a_self_test_that_fails_now_refuses(results, tmp_path, monkeypatch):
    def fails(means, named=()):
        assert any(key[2] == "bicubic" for key in means)
        raise UserError("self-test of protocol dctnet failed")

    monkeypatch.setattr("sfigf.protocols.selftest.run_self_tests", fails)
    with pytest.raises(UserError, match="self-test of protocol dctnet failed"):
        publish(results, tmp_path / "published")


def test_the_command_publishes_and_the_list_tells_what_is_here(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cards = ROOT / "config/datasets"
    ends(2, "publish", "--results", finished, "--study", "other", "--cards", cards)
    assert "holds study 'mini', not 'other'" in capsys.readouterr().err
    ends(0, "publish", "--results", finished, "--study", "mini", "--cards", cards, "--commit", "c")
    ends(0, "weights")
    told = capsys.readouterr().out
    assert "mini depth x8 sfigf/image-only seed 0" in told
    assert "2 in published; 2 ready" in told
    full, image_only = (entry.file("published") for entry in read_index("published").values())
    spoil(full)
    image_only.unlink()
    ends(0, "weights")
    assert "1 ready; 1 missing: `dvc pull` brings them" in capsys.readouterr().out
    ends(1, "weights", "--verify")
    assert "0 ready; 1 missing: `dvc pull` brings them; 1 damaged" in capsys.readouterr().out


def test_a_thinned_log_keeps_the_curve_and_every_other_event(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in log_lines()))
    kept = [json.loads(line) for line in thinned(log, most=100).splitlines()]
    curve = [event for event in kept if event["event"] == "train"]
    assert len(curve) == 100
    assert (curve[0]["step"], curve[-1]["step"]) == (10, 1000)
    assert curve[0]["loss"] == pytest.approx(np.mean([1 / step for step in range(1, 11)]))
    assert [event["event"] for event in kept if event["event"] != "train"] == ["validate", "end"]


def test_the_settings_of_the_tests_are_a_study(finished):
    assert [run.path for run in FinishedStudy(finished).learned()] == [OURS, OURS.replace("full", "image-only")]
    assert load_effective(finished / "config.yaml").study == "mini"
