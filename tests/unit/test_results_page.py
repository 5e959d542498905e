"""docs/results.md follows from the files of finished studies: what they say it says, what is not there it names."""

import json

import pandas as pd
import pytest
import yaml

from sfigf.config import write_effective
from sfigf.costs import read_costs
from sfigf.interface import UserError
from sfigf.plan import method_settings, runs
from sfigf.planning import estimate, read_settings, read_study
from sfigf.tables.finished import read_finished
from sfigf.tables.quirk_effects import effects, pairs
from sfigf.tables.results_page import Sources, results_page
from sfigf.tables.scores import write_table
from sfigf.tables.summary import summarise_scores
from sfigf.tables.unchecked import quoted
from tests.conftest import ROOT

DEFAULT, QUIRKS = ROOT / "config/default.yaml", ROOT / "config/quirks.yaml"
IMAGES = {"depth": {"motorcycle": "motorcycle", "cones": "cones"}, "pan": {"sentinel2": "a-reduced"}}
METRIC = {"depth": ("rmse", "px", False), "pan": ("ergas", "1", False), "focus": ("psnr", "dB", True)}


def finish(folder, settings, value, tasks=("depth", "pan")):
    """Write what a finished study leaves; ``value(run, image)`` is the main metric."""
    settings = {**settings, "tasks": {task: settings["tasks"][task] for task in tasks}}
    write_effective(json.dumps(settings), folder / "config.yaml")
    study = read_study([folder / "config.yaml"])
    for task in tasks:
        mine = [run for run in runs(study) if run.task == task]
        metric, unit, higher = METRIC[task]
        rows = [
            {"task": task, "condition": run.condition, "dataset": dataset, "image": image, "method": run.method,
             "variant": run.variant, "seed": run.seed, "metric": metric, "value": value(run, image), "unit": unit,
             "higher_is_better": higher}
            for run in mine for dataset, image in IMAGES[task].items()
        ]  # fmt: skip
        scores = pd.DataFrame(rows)
        kinds = {(run.method, run.variant): "both" if run.learned else "classical" for run in mine}
        write_table(folder / f"tables/{task}.csv", scores)
        write_table(folder / f"tables/{task}-summary.csv", summarise_scores(scores, kinds, [metric]))
        write_costs(folder / f"tables/{task}", mine)
        for run in (run for run in mine if run.learned):
            log = folder / f"training/{run.path}.jsonl"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text('{"event": "end", "seconds": 90.0, "device": "cpu"}\n')
    return folder


def write_costs(stem, mine):
    facts = [{"task": r.task, "condition": r.condition, "method": r.method, "variant": r.variant} for r in mine]
    sizes = {"kind": "both", "parameters": 1234.0, "multiply_adds_per_megapixel": 1e9, "train_steps": 5.0}
    times = {"seed": 0, "seconds_per_megapixel": 2.5, "train_seconds": 1.0, "device": "cpu", "threads": 1}
    write_table(f"{stem}-cost.csv", pd.DataFrame([fact | sizes for fact in facts]).drop_duplicates())
    write_table(f"{stem}-timing.csv", pd.DataFrame([fact | times for fact in facts]).drop_duplicates())


def quirk_value(run, image):
    """Corrected seeds 0.2 apart; selection better by 0.5 on cones alone, colour worse by 0.05, shuffle worse by 1."""
    base = (4.0 if image == "cones" else 2.0) + 0.2 * run.seed
    gain = {"sfigf-selection": -0.5 if image == "cones" else 0.0, "sfigf-colour": 0.05, "sfigf-shuffle": 1.0}
    return base + gain.get(run.method, 0.0)


def plain_value(run, image):
    return {"bicubic": 3.0, "exp": 3.0, "sfigf": 1.5}.get(run.method, 2.0)


@pytest.fixture
def sources(tmp_path):
    """A small default study and the study of the quirks, both finished; a third is not there."""
    finish(tmp_path / "results", read_settings([DEFAULT]), plain_value)
    finish(tmp_path / "quirks", read_settings([DEFAULT, QUIRKS]), quirk_value)
    studies = [("results", tmp_path / "results"), ("build/desk/results", tmp_path / "desk")]
    published = ROOT / "config/published.csv"
    cards, paper = ROOT / "config/datasets", ROOT / "docs/paper.md"
    return Sources(studies, ("build/quirks/results", tmp_path / "quirks"), cards, published, paper, "abc1234")


def test_the_study_pairs_every_quirk_with_an_equal_training():
    study = read_study([DEFAULT, QUIRKS])
    found = [(pair.task, *pair.quirks, pair.corrected, pair.released) for pair in pairs(study)]
    assert found == [
        ("depth", "selection", "sfigf", "sfigf-selection"), ("depth", "colour", "sfigf", "sfigf-colour"),
        ("pan", "shuffle", "sfigf", "sfigf-shuffle"), ("focus", "shuffle", "sfigf", "sfigf-shuffle"),
        ("focus", "selection", "sfigf", "sfigf-selection"), ("focus", "gradient", "sfigf", "sfigf-gradient"),
    ]  # fmt: skip


def test_a_line_that_differs_otherwise_is_no_partner():
    settings = read_settings([DEFAULT, QUIRKS])
    settings["tasks"]["pan"]["methods"]["sfigf-shuffle"]["width"] = 12
    from sfigf.config import load_settings

    assert "pan" not in {pair.task for pair in pairs(load_settings(settings))}


def test_the_study_of_the_quirks_is_short():
    study, costs = read_study([DEFAULT, QUIRKS]), read_costs(ROOT / "config/costs.csv")
    times = [estimate(run, study, costs) for run in runs(study) if run.learned]
    assert len(times) == 18
    assert sum(time.seconds for time in times) < 25 * 60
    assert method_settings(study, "depth", "sfigf-colour").method.name == "sfigf"


def test_the_effects_are_those_of_the_scores(sources):
    selection, colour, shuffle = effects(read_finished(sources.quirks[1], "quirks"))
    assert selection.difference == pytest.approx(-0.25)
    assert (selection.better_released, selection.chose) == (1, "motorcycle")
    assert selection.seeds_apart == pytest.approx(0.2)
    assert "better by 0.2500 px (8.1 %) in the mean, better on 1 of 2 images" in selection.sentence
    assert "That is more than the 0.2000 px" in selection.sentence
    assert "The images of Motorcycle chose" in selection.sentence
    assert "worse by 0.05000 px" in colour.sentence
    assert "this may be chance" in colour.sentence
    assert shuffle.values["released"].tolist() == pytest.approx([3.1])


def test_the_page_says_what_was_read_and_what_was_not(sources):
    page = results_page(sources)
    assert (
        "| mini | `results` | Guided image restoration in miniature, on real images | depth, pan | 10 | 0 | 20" in page
    )
    assert "at commit `abc1234`" in page
    assert "and so left out: `build/desk/results`." in page
    assert "| mini | Guided depth super-resolution | ×8 | RMSE [px] ↓ | 2 | 1.500 | " in page
    assert "| `selection` | RMSE [px] ↓ | cones | 4.100 | 3.600 | -0.5000 | 0.2000 |" in page
    assert "| `shuffle` | ERGAS ↓ | 1 | 2.100 | 3.100 | +1.000 | 0.2000 | 0 |" in page
    assert "| mini | Guided depth super-resolution | 5 | 7.5 min | 90 s | cpu | 1.23 k | 2.500 s on cpu |" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert not [line for line in tables if "nan" in line]


def test_the_page_follows_its_inputs(sources, tmp_path):
    before = results_page(sources)
    assert results_page(sources) == before
    finish(tmp_path / "quirks", read_settings([DEFAULT, QUIRKS]), lambda run, image: 2 * quirk_value(run, image))
    after = results_page(sources)
    changed = set(after.splitlines()) - set(before.splitlines())
    assert any("| `shuffle` | ERGAS ↓ | 1 | 4.200 | 6.200 | +2.000 |" in line for line in changed)
    (tmp_path / "results/tables/depth-words.json").write_text('{"headline": "It helps.", "paragraphs": ["Often."]}')
    assert "It helps.\n\nOften." in results_page(sources)
    for name in ("quirks", "results"):
        (tmp_path / name / "config.yaml").unlink()
        if name == "quirks":
            assert "Not measured: there is no finished study in `build/quirks/results`." in results_page(sources)
    with pytest.raises(UserError, match="no finished study"):
        results_page(sources)


def test_a_paragraph_that_tasks_share_is_said_once(sources, tmp_path):
    """Beside what differs: the place of a task in the page is kept, its common paragraph is not."""
    for task, own in (("depth", "Sharper edges."), ("pan", "Better colours.")):
        words = {"headline": own, "paragraphs": ["One seed: may be chance."]}
        (tmp_path / f"results/tables/{task}-words.json").write_text(json.dumps(words))
    page = results_page(sources)
    assert page.count("One seed: may be chance.") == 1
    assert page.index("Sharper edges.") < page.index("One seed: may be chance.") < page.index("Better colours.")


def test_what_is_set_beside_ours_has_its_difference(sources, tmp_path, monkeypatch):
    settings = read_settings([DEFAULT, ROOT / "config/benchmark.yaml"])
    monkeypatch.setitem(IMAGES, "depth", {"middlebury-30": "bowling"})
    monkeypatch.setitem(METRIC, "depth", ("rmse", "8-bit disparity", False))
    finish(tmp_path / "desk", settings, plain_value, tasks=("depth",))
    page = results_page(sources)
    lines = [line for line in page.splitlines() if "`dctnet` | Middlebury 30 | ×4" in line]
    assert [line.split(" | ")[5] for line in lines] == ["Bicubic", "DCTNet"]
    assert lines[0].endswith("| 2.281 | 3.000 | +0.719 | 1.500 | -0.781 |")
    assert lines[1].endswith("| 1.0994 | not run |  | 1.500 | +0.4006 |")
    assert "`build/desk/results`." not in page


def test_untested_sets_and_their_reasons_come_from_the_cards(sources, tmp_path):
    card = yaml.safe_load((ROOT / "config/datasets/lu.yaml").read_text())
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards/lu.yaml").write_text(yaml.safe_dump(card))
    for tested, there in ((False, True), (True, False)):
        (tmp_path / "cards/lu.yaml").write_text(yaml.safe_dump(card | {"tested": tested}))
        changed = Sources(**{**vars(sources), "cards": tmp_path / "cards"})
        assert ("Lu, six Kinect pictures (`lu`) | depth | by hand | Put the six" in results_page(changed)) == there


def test_published_numbers_that_stand_alone_are_counted_by_reason(sources):
    page = results_page(sources)
    assert "| Low-light raw restoration | 18 of 18 | no study read here has the task |" in page
    assert "| Pan-sharpening | 63 of 128 | protocol `dlpan-rr`, which no study here scores |" in page
    assert "- Real-MFF, PSNR 42.40 dB: bands RGB x255" in page


def test_facts_are_quoted_or_missed():
    page = "# A\n\n## What was tested\n\nTested: a.\n\nNot tested: b,\nc.\n\n## Next\n\nNot tested: d.\n"
    assert quoted(page, "What was tested", "Not tested:") == "Not tested: b,\nc."
    with pytest.raises(UserError, match="reworded"):
        quoted(page, "Next", "Tested:")
