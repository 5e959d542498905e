"""Published weights: made from a finished study, vouched for by an index, listed, refused when damaged, taken first."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from sfigf.cli import main
from sfigf.config import load_effective
from sfigf.files import sha256_of
from sfigf.images import write_image
from sfigf.interface import UserError
from sfigf.own.defaults import FOLDERS, default_weights
from sfigf.plan import method_settings
from sfigf.published import Mean, audited_sets, check_published, held, read_index, state_of
from sfigf.publishing import Publisher, rounding
from sfigf.publishing.log import thinned
from sfigf.publishing.rounding import worse
from sfigf.publishing.study import FinishedStudy
from sfigf.restoring import Restorer, restore_set
from sfigf.score import score_run, write_scores
from sfigf.store import write_samples
from sfigf.tasks import signature
from sfigf.weights import LICENCE, build_network, load_network, read_facts, save_weights, versions
from tests.conftest import ROOT, make_sample

NAMES = {"motorcycle": ("m",), "cones": ("c", "d")}
SIDES = {
    "sides": {"train": ["rendered/r", "aloe/a"], "validation": ["rendered/v"], "test": ["motorcycle/m", "cones/c"]},
    "closest": {"similarity": 0.2, "pair": ["rendered/r", "cones/c"]},
    "limits": {"similarity": 0.45, "guard_px": 41},
    "declared_leaks": {},
}
OURS = "depth/x8/sfigf/full/seed0"


def settings():
    """The default study's depth, with two learned runs of tiny networks."""
    content = yaml.safe_load((ROOT / "config/default.yaml").read_text())
    depth = content["tasks"]["depth"]
    sfigf = {"variants": ["full", "image-only"], "width": 4, "levels": 1, "attention": "conv"}
    depth |= {"methods": {"bicubic": {}, "sfigf": sfigf}, "metrics": ["rmse", "mae"], "protocols": []}
    return content | {"tasks": {"depth": depth}}


def samples():
    for seed, (dataset, name) in enumerate((d, n) for d, names in NAMES.items() for n in names):
        sample = make_sample("depth", name, seed=seed)
        meta = dict(sample.meta) | {"dataset": dataset}
        yield dataclasses.replace(sample, meta=meta, valid=np.ones_like(sample.truth, dtype=bool))


def train(study, run, path):
    """A network of random weights, with the facts that a training writes."""
    line = study.line(run)
    facts = {
        "task": run.task, "condition": run.condition, "label": run.method, "method": line.method.name,
        "options": line.options, "variant": run.variant, "seed": run.seed,
        "signature": dataclasses.asdict(signature("depth", make_sample("depth"))),
        "training": line.training.model_dump(), "config_digest": run.digest, "study": study.name,
        "data_digest": {"train": "0" * 64, "validation": "1" * 64}, "licence": LICENCE, "versions": versions(),
        "selected_step": 7, "validation": {"rmse": 1.5},
    }  # fmt: skip
    torch.manual_seed(run.seed)
    network = build_network(facts)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, network, facts)


def log_lines(steps=1000):
    train = [{"event": "train", "step": step, "loss": 1 / step, "learning_rate": 0.1} for step in range(1, steps + 1)]
    ends = [{"event": "validate", "step": steps, "metric": "rmse", "value": 1.5}]
    return [*train, *ends, {"event": "end", "seconds": 7200.0, "device": "cpu"}]


def make_study(folder):
    """Results and data of a study, written by what writes them in a run."""
    results, degraded = folder / "results", folder / "data/degraded/depth/x8"
    for path in (results / "audit", degraded):
        path.mkdir(parents=True)
    (results / "config.yaml").write_text(yaml.safe_dump(settings()))
    (results / "audit/splits.json").write_text(json.dumps({"depth": SIDES}))
    (results / "audit/self-test.json").write_text(json.dumps({"passed": []}))
    write_samples(degraded / "test.safetensors", samples())
    study = FinishedStudy(results)
    for run in study.runs:
        weights = study.weights(run) if run.learned else None
        if weights:
            train(study, run, weights)
            study.log(run).parent.mkdir(parents=True, exist_ok=True)
            study.log(run).write_text("".join(json.dumps(line) + "\n" for line in log_lines()))
        method = method_settings(study.settings, "depth", run.method, "x8").method
        restored = folder / "restored.safetensors"
        about = {key: getattr(run, key) for key in ("task", "condition", "method", "variant", "seed")}
        study.cost(run).parent.mkdir(parents=True, exist_ok=True)
        restore_set(Restorer(method, "depth", weights, "cpu"), study.samples(run), restored, study.cost(run), about)
        write_scores(study.scores(run), score_run(about, study.metrics(run), study.samples(run), restored))
    return results


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def results(finished, tmp_path):
    """The finished study's, to be changed."""
    shutil.copytree(finished.parent, tmp_path / "build")
    return tmp_path / "build/results"


def publish(results, to, *only, **changes):
    given = {"cards": ROOT / "config/datasets", "device": "cpu", "commit": "abc123"} | changes
    return Publisher(to, **given).publish(FinishedStudy(results), only)


def ends(code, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == code


def spoil(path):
    """Change one byte in the middle, not the size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


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
        "8 times coarser",
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


def test_a_damaged_or_unknown_file_is_refused_on_load(finished, tmp_path):
    entry = publish(finished, tmp_path, OURS)[0]
    file = entry.file(tmp_path)
    check_published(file)
    copy = file.with_name("seed1.safetensors")
    shutil.copy(file, copy)
    with pytest.raises(UserError, match=r"seed1.safetensors: not in .*index.json"):
        check_published(copy)
    spoil(file)
    assert (state_of(tmp_path, entry), state_of(tmp_path, entry, read=True)) == ("ready", "damaged")
    with pytest.raises(UserError, match=rf"damaged, its sha256 is .*, {entry.sha256[:12]}\.\.\. was published"):
        check_published(file)
    elsewhere = tmp_path / "elsewhere.safetensors"
    shutil.copy(file, elsewhere)
    check_published(elsewhere)


def test_held_says_whether_to_pull_or_to_publish(finished, tmp_path):
    entry = publish(finished, tmp_path, OURS)[0]
    assert held(tmp_path, entry.path) == entry.file(tmp_path)
    entry.file(tmp_path).unlink()
    with pytest.raises(UserError, match="is not here: `dvc pull`"):
        held(tmp_path, entry.path)
    with pytest.raises(UserError, match="is not published"):
        held(tmp_path, "mini/depth/x4/sfigf/full/seed0.safetensors")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}', '{"format": "sfigf published weights 1"}'])
def test_an_index_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(UserError, match="not a readable index"):
        read_index(tmp_path)


def test_default_weights_fit_the_factor_first_then_the_order_of_the_studies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (
        "published/standard/depth/x8/sfigf/full/seed1", "published/standard/depth/x8/sfigf/full/seed0",
        "published/standard/depth/x4/sfigf/full/seed0", "published/desk/depth/x16/sfigf/full/seed0",
        "results/weights/depth/x8/sfigf/full/seed0", "results/weights/raw/mono/sfigf/full/seed0",
    ):  # fmt: skip
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(f"{path}.safetensors").touch()
    chosen = {factor: default_weights("depth", factor, *FOLDERS) for factor in (4, 8, 16)}
    assert chosen[8] == Path("published/standard/depth/x8/sfigf/full/seed0.safetensors")
    assert [path.parts[1:4] for path in chosen.values()] == [
        ("standard", "depth", "x4"), ("standard", "depth", "x8"), ("desk", "depth", "x16")
    ]  # fmt: skip
    assert default_weights("raw", 1, *FOLDERS).parts[0] == "results"
    with pytest.raises(UserError, match=r"no weights of pan in published/standard/pan, .*: run `dvc pull`"):
        default_weights("pan", 4, *FOLDERS)


def test_default_weights_of_pan_have_the_bands_of_the_image(tmp_path):
    for condition, bands in (("worldview2", 8), ("geoeye1", 4)):
        facts = {"task": "pan", "signature": {"target": bands, "guide": 1, "output": bands}}
        file = tmp_path / f"pan/{condition}/sfigf/full/seed0.safetensors"
        file.parent.mkdir(parents=True)
        save_weights(file, torch.nn.Linear(1, 1), facts)
    chosen = [default_weights("pan", 4, tmp_path, bands=bands).parts[-4] for bands in (8, 4)]
    assert chosen == ["worldview2", "geoeye1"]


def test_default_weights_of_the_plain_condition_come_before_those_of_a_habit(tmp_path):
    for condition in ("x8-uint8", "x8", "x8-nearest"):
        file = tmp_path / f"depth/{condition}/sfigf/full/seed0.safetensors"
        file.parent.mkdir(parents=True)
        file.touch()
    assert default_weights("depth", 8, tmp_path).parts[-4] == "x8"


def test_restore_takes_the_published_ones_says_so_and_refuses_damaged_ones(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    entry = publish(finished, Path("published"), OURS)[0]
    write_image(Path("coarse.tif"), np.random.default_rng(0).random((1, 6, 6)).astype(np.float32))
    write_image(Path("photo.tif"), np.random.default_rng(1).random((3, 48, 48)).astype(np.float32))
    words = ["restore", "--task", "depth", "--target", "coarse.tif", "--guide", "photo.tif", "--output", "out.tif"]
    words += ["--device", "cpu", "--weights-folder", "published/mini"]
    ends(0, *words)
    assert capsys.readouterr().err == f"sfigf: weights: published/{entry.path}\n"
    Path("out.tif").unlink()
    spoil(entry.file("published"))
    ends(2, *words)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "damaged, its sha256 is" in error
    assert not Path("out.tif").exists()


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
