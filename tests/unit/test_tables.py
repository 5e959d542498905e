"""Tables: order, flags, honest sentences, the same bytes for any input order, and plain words for bad input."""

import json
import math
import random

import pytest

from sfigf.cli.present import summarise, tabulate
from sfigf.interface import UserError
from sfigf.tables.costs import groups_of, read_costs
from sfigf.tables.names import condition_label, dataset_label, method_label, metric_label, number_text
from sfigf.tables.scores import COLUMNS, read_scores, six_digits
from sfigf.tables.summary import ALL, summarise_scores

RUNS = {
    ("bicubic", "full"): ("classical", 4.0),
    ("guided-filter", "full"): ("classical", 3.0),
    ("svlrm", "full"): ("image-level", 2.8),
    ("djfr", "full"): ("feature-level", 2.2),
    ("sfigf", "image-only"): ("both", 2.6),
    ("sfigf", "feature-only"): ("both", 2.5),
    ("sfigf", "full"): ("both", 2.4),
}
IMAGES = {"motorcycle": 1.0, "cones": 0.5}
CONFIG = """
study: mini
seeds: [0]
tasks:
  depth: {conditions: [x8], train: [aloe], test: [motorcycle, cones], metrics: [rmse, psnr], training: {steps: 700}}
"""


def score_lines(method, variant, seed=0, offset=0.0):
    level = RUNS[(method, variant)][1] + offset
    for image, factor in IMAGES.items():
        start = f"depth,x8,{image},{image},{method},{variant},{seed}"
        # on cones the guided filter is better than SFIGF, although its mean is worse
        value = 1.15 if (method, image) == ("guided-filter", "cones") else level * factor
        yield f"{start},rmse,{value!r},px,False"
        yield f"{start},psnr,{40 - value!r},dB,True"


def write_study(folder, seeds=(0,)):
    scores, costs = [], []
    for (method, variant), (kind, _) in RUNS.items():
        for seed in seeds:
            path = folder / f"{method}-{variant}-{seed}.csv"
            path.write_text("\n".join([",".join(COLUMNS), *score_lines(method, variant, seed, 0.1 * seed)]) + "\n")
            scores.append(path)
            trained = kind != "classical"
            cost = {
                "task": "depth",
                "condition": "x8",
                "method": method,
                "variant": variant,
                "seed": seed,
                "kind": kind,
            }
            cost |= {"parameters": 10_831_026 if trained else 0, "seconds_per_megapixel": 0.5, "device": "cpu"}
            cost |= {"multiply_adds_per_megapixel": 1.5e9 if trained else None, "threads": 1}
            path = path.with_suffix(".json")
            path.write_text(json.dumps(cost))
            costs.append(path)
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    return scores, costs, config


def run_tabulate(folder, scores, costs, config):
    folder.mkdir(exist_ok=True)
    names = ("csv", "summary", "markdown", "cost_table", "timing_table", "latex")
    outputs = {name: folder / name for name in names}
    tabulate(task="depth", score=scores, cost=costs, config=config, **outputs)
    return outputs


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


@pytest.fixture
def tables(study, tmp_path):
    return run_tabulate(tmp_path / "tables", *study)


def summary_of(study):
    scores, costs, _ = study
    return summarise_scores(read_scores(scores), groups_of(read_costs(costs)), ["rmse", "psnr"])


def pooled(summary, metric):
    rows = summary[(summary["dataset"] == ALL) & (summary["metric"] == metric)]
    return rows.set_index(["method", "variant"])


def test_methods_are_ordered_by_kind_and_sfigf_is_last(study):
    rows = pooled(summary_of(study), "rmse")
    assert list(rows.index) == list(RUNS)
    assert list(rows["group"]) == ["classical"] * 2 + ["image-level", "feature-level", "ablation", "ablation", "both"]


def test_rank_follows_the_direction_of_the_metric(study):
    summary = summary_of(study)
    for metric in ("rmse", "psnr"):
        rows = pooled(summary, metric)
        assert rows.loc[("djfr", "full"), "rank"] == 1
        assert rows.loc[("sfigf", "full"), "rank"] == 2
        assert rows.loc[("bicubic", "full"), "rank"] == len(RUNS)
    assert pooled(summary, "rmse").loc[("bicubic", "full"), "mean"] == 3.0
    assert set(pooled(summary, "rmse")["images"]) == {2}


def test_equal_means_share_a_rank(tmp_path):
    scores, costs, _ = write_study(tmp_path)
    path = next(path for path in scores if path.stem == "sfigf-full-0")
    path.write_text("\n".join([",".join(COLUMNS), *score_lines("djfr", "full")]).replace("djfr", "sfigf") + "\n")
    rows = pooled(summarise_scores(read_scores(scores), groups_of(read_costs(costs))), "rmse")
    assert rows.loc[("djfr", "full"), "rank"] == rows.loc[("sfigf", "full"), "rank"] == 1
    assert rows.loc[("sfigf", "feature-only"), "rank"] == 2


def test_shuffled_input_gives_the_same_bytes(study, tables, tmp_path):
    scores, costs, config = study
    shuffle = random.Random(1).shuffle
    shuffle(scores)
    shuffle(costs)
    for path in scores:
        header, *lines = path.read_text().splitlines()
        shuffle(lines)
        path.write_text("\n".join([header, *lines]) + "\n")
    again = run_tabulate(tmp_path / "again", scores, costs, config)
    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: path.read_bytes() for name, path in tables.items()
    }


def test_per_image_table_is_tidy_and_reads_back(tables, study):
    rows = read_scores([tables["csv"]])
    assert len(rows) == len(RUNS) * len(IMAGES) * 2
    assert rows["value"].tolist() == [six_digits(value) for value in read_scores(study[0])["value"]]


def test_markdown_marks_best_and_second_and_shows_every_image(tables):
    page = tables["markdown"].read_text()
    assert "| DJFR | Learned, feature level | **1.650** | **38.35** | 10.8 M | 1.5 G |" in page
    assert "| SFIGF | Both levels | <u>1.800</u> | <u>38.20</u> |" in page
    assert "| Bicubic | Classical | 3.000 | 37.00 | 0 | n/a |" in page
    assert "| Guided filter | <u>1.150</u> | 3.000 | 2.075 |" in page
    assert "### RMSE [px] ↓ on each image" in page
    assert "mean of 2 images" in page
    assert "One seed" in page
    assert "is no proof" in page
    assert "tested on motorcycle, cones" in page
    assert "700 steps" in page
    assert page.index("Bicubic") < page.index("SVLRM") < page.index("SFIGF image-only") < page.index("| SFIGF |")


def test_counts_are_written_in_full_and_apart_from_times(tables):
    assert "10831026" in tables["cost_table"].read_text()
    assert "seconds" not in tables["cost_table"].read_text()
    assert "seconds_per_megapixel" in tables["timing_table"].read_text()


def test_latex_escapes_and_marks(tables):
    text = tables["latex"].read_text()
    assert r"\textbf{1.650}" in text
    assert r"RMSE [px] $\downarrow$" in text


def test_summary_page_says_what_the_numbers_say(tables, tmp_path):
    page, metrics = tmp_path / "summary.md", tmp_path / "metrics.json"
    summarise(summary=[tables["summary"]], per_image=[tables["csv"]], markdown=page, metrics=metrics)
    text = page.read_text()
    assert "place 2 of 7 methods" in text
    assert "- **Classical**: SFIGF beats all 2 in the mean, all but Guided filter on every image." in text
    assert "- **Learned baselines**: SFIGF beats all but DJFR in the mean, all but DJFR on every image." in text
    assert "- **Ablations**: SFIGF beats all 2 in the mean, all 2 on every image." in text
    assert "Guided filter, 2.075 px: SFIGF better on 1 of 2 images; its mean better by 0.2750 px." in text
    assert "DJFR, 1.650 px: SFIGF better on 0 of 2 images; its mean worse by 0.1500 px." in text
    assert "| 2.075 (Guided filter) | **1.650 (DJFR)** | 1.950 | 1.875 | <u>1.800</u> |" in text
    nested = json.loads(metrics.read_text())["depth"]["x8"]
    assert nested["sfigf"] == {"rmse": 1.8, "psnr": 38.2}
    assert nested["sfigf-image-only"]["rmse"] == 1.95


def test_a_study_without_sfigf_claims_nothing(study, tmp_path):
    scores, costs, config = study
    mine = [[path for path in paths if "sfigf" not in path.stem] for paths in (scores, costs)]
    tables = run_tabulate(tmp_path / "tables", *mine, config)
    page = tmp_path / "summary.md"
    summarise(summary=[tables["summary"]], per_image=[tables["csv"]], markdown=page, metrics=tmp_path / "m.json")
    assert "nothing is claimed" in page.read_text()
    assert "beats" not in page.read_text()


def test_several_seeds_are_averaged_and_their_spread_is_shown(tmp_path):
    tables = run_tabulate(tmp_path / "tables", *write_study(tmp_path, seeds=(0, 1, 2)))
    page = tables["markdown"].read_text()
    assert "3 seeds" in page
    assert "1.875 ± 0.075" in page  # SFIGF: 1.8, 1.875, 1.95


def test_an_undefined_value_takes_its_mean_out_of_the_ranking(study, tmp_path):
    scores, costs, config = study
    path = next(path for path in scores if path.stem == "djfr-full-0")
    path.write_text(path.read_text().replace("rmse,2.2,", "rmse,nan,"))
    rows = pooled(summary_of((scores, costs, config)), "rmse")
    lost = rows.loc[("djfr", "full")]
    assert math.isnan(lost["mean"])
    assert (lost["rank"], lost["undefined"]) == (0, 1)
    assert rows.loc[("sfigf", "full"), "rank"] == 1
    tables = run_tabulate(tmp_path / "tables", scores, costs, config)
    assert "1 single values are undefined" in tables["markdown"].read_text()


def damaged(kind, path):
    text = path.read_text()
    lines = text.splitlines()
    path.write_text(
        {
            "column": text.replace("value,unit", "unit"),
            "empty": "",
            "header": lines[0] + "\n",
            "duplicate": "\n".join([*lines, lines[-1]]),
            "number": text.replace("2.2,", "two,"),
            "task": text.replace("depth,", "pan,"),
            "unit": text.replace(",px,", ",cm,"),
            "direction": text.replace("dB,True", "dB,maybe"),
            "gap": "\n".join(lines[:-1]),
            "seed": text.replace("full,0", "full,first"),
        }[kind]
    )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("column", "lacks the column value"),
        ("empty", "not a readable table"),
        ("header", "has a header and no row"),
        ("duplicate", "2 rows are given more than once"),
        ("number", "column value holds something that is no number"),
        ("task", "holds scores of task pan, not of depth"),
        ("unit", r"disagree about unit \(cm, px\)"),
        ("direction", "must be true or false"),
        ("gap", "has 3 of 4 image and metric pairs"),
        ("seed", "whole numbers"),
    ],
)
def test_bad_scores_are_refused_in_one_line_and_leave_nothing(study, tmp_path, kind, message):
    scores, costs, config = study
    damaged(kind, next(path for path in scores if path.stem == "djfr-full-0"))
    with pytest.raises(UserError, match=message) as caught:
        run_tabulate(tmp_path / "tables", scores, costs, config)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "tables").iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cost: cost.pop("parameters"), "lacks parameters"),
        (lambda cost: cost.update(parameters="many"), "a cost is no number"),
        (lambda cost: cost.update(task="pan"), "holds costs of task pan"),
        (lambda cost: cost.update(kind="magic"), "the kind of djfr/full is unknown"),
        (lambda cost: cost.update(method="sfigf"), "given twice"),
    ],
)
def test_bad_costs_are_refused(study, tmp_path, change, message):
    scores, costs, config = study
    path = next(path for path in costs if path.stem == "djfr-full-0")
    cost = json.loads(path.read_text())
    change(cost)
    path.write_text(json.dumps(cost))
    with pytest.raises(UserError, match=message):
        run_tabulate(tmp_path / "tables", scores, costs, config)


def test_missing_and_absent_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no score file"):
        read_scores([])
    with pytest.raises(UserError, match=r"gone\.csv: no such file"):
        read_scores([tmp_path / "gone.csv"])
    with pytest.raises(UserError, match=r"gone\.json: no such file"):
        read_costs([tmp_path / "gone.json"])


def test_labels_on_paper():
    assert metric_label("q-abf", "1", True) == "Q_AB/F ↑"
    assert metric_label("rmse", "px", False) == "RMSE [px] ↓"
    assert metric_label("rmse-crop6", "cm", False) == "RMSE crop 6 [cm] ↓"
    assert metric_label("d-lambda-k") == "D_λ,K"
    assert metric_label("q-cv") == "Q_CV"
    assert [condition_label(name) for name in ("x4-uint8", "x16", "x8-nearest", "real", "mono-estimated")] == [
        "×4, 8-bit input", "×16", "×8, nearest samples", "real pairs", "estimated monochrome guide"
    ]  # fmt: skip
    assert [dataset_label(name) for name in ("middlebury-30", "my-set")] == ["Middlebury 30", "My set"]
    assert method_label("sfigf", "image-only") == "SFIGF image-only"
    assert method_label("my-method") == "My method"
    assert [number_text(value) for value in (2.19, 1234.4, 2.6e-9, math.nan)] == ["2.190", "1234", "0.000", "n/a"]
    assert number_text(2.19, "8-bit disparity") == "2.190 (8-bit disparity)"
