"""Statistics in words: they never claim more than the numbers; the command that writes them."""

import json
import math
import random

import pandas as pd
import pytest

from sfigf.cli.statistics import compare
from sfigf.tables.comparisons import COLUMNS, read_statistics
from sfigf.tables.scores import read_scores, write_table
from sfigf.tables.sentences import amount, outcome, percent
from sfigf.tables.statistics_latex import latex_statistics
from sfigf.tables.summary import summarise_scores
from sfigf.tables.words import task_words
from tests.unit.test_statistics import GROUPS, LEVELS, compared, row_of, study

# words


def words_of(feature, images=8, spread=0.1, **options):
    rows, summary = compared(study(LEVELS | {("sfigf", "feature-only"): feature}, images, spread=spread, **options))
    row = row_of(rows, ("sfigf", "feature-only"))
    return outcome(row), row["sentence"], task_words("depth", rows, summary)


def test_better_is_said_where_interval_and_test_allow_it():
    told, sentence, words = words_of(2.9)
    assert told == "better"
    assert sentence.startswith("On 8 images of Cones, SFIGF is better than SFIGF feature-only: RMSE lower by 0.")
    assert "better on 8 of 8 images, p = 0.039 after Holm." in sentence
    assert words["headline"] == (
        "Guided depth super-resolution: At ×8 on Cones, guiding features and image at once is better than either "
        "alone. One training of each: this holds for these networks; for the methods it may be chance."
    )
    assert "SFIGF is better than the only classical method Bicubic (RMSE lower by 1." in words["paragraphs"][1]
    assert "and worse than the only learned baseline DJFR (RMSE higher by 0." in words["paragraphs"][1]


def test_worse_is_said_just_so():
    told, sentence, words = words_of(1.5)
    assert told == "worse"
    assert "SFIGF is worse than SFIGF feature-only: RMSE higher by 0." in sentence
    assert "is better than image guidance alone and worse than feature guidance alone." in words["headline"]


def test_undecided_claims_nothing():
    told, sentence, words = words_of(2.3, spread=0.2)
    assert told == "undecided"
    assert "nothing is decided between SFIGF and SFIGF feature-only" in sentence
    assert "95 % interval from 0." in sentence
    assert "neither surely better nor surely worse than feature guidance alone." in words["headline"]
    assert "better than either" not in json.dumps(words)


def test_an_interval_without_a_test_to_confirm_it_is_no_claim():
    told, sentence, _ = words_of(2.9, images=6)
    assert told == "undecided"  # 6 of 6 and p = 1/32, but five comparisons
    assert "SFIGF is ahead of SFIGF feature-only, but not beyond doubt" in sentence
    assert sentence.endswith("but the test does not confirm it for so many comparisons.")


def test_equal_on_every_image():
    scores = study(LEVELS)
    scores.loc[scores["variant"] == "feature-only", "value"] = scores.loc[
        (scores["method"] == "sfigf") & (scores["variant"] == "full"), "value"
    ].to_numpy()
    rows, summary = compared(scores)
    row = row_of(rows, ("sfigf", "feature-only"))
    assert outcome(row) == "equal"
    assert row["p"] == 1
    assert row["sentence"] == "On 8 images of Cones, SFIGF and SFIGF feature-only have the same RMSE on every one."
    assert "equal to feature guidance alone" in task_words("depth", rows, summary)["headline"]


@pytest.mark.parametrize(("images", "phrase"), [(1, "1 image is too few to tell"), (5, "5 images are too few to tell")])
def test_few_images_allow_no_statement(images, phrase):
    told, sentence, words = words_of(2.9, images=images)
    assert told == "few"
    assert sentence.endswith("fewer than 6 images allow no statement beyond them.")
    assert "p =" not in sentence
    assert "interval" not in sentence
    assert phrase in words["headline"]
    assert "One training" not in words["headline"]
    assert not any(claim in words["headline"] for claim in ("better", "worse"))


def test_an_undefined_score_is_told():
    scores = study(LEVELS)
    scores.loc[scores.index[(scores["variant"] == "feature-only")][0], "value"] = math.nan
    rows, summary = compared(scores)
    assert outcome(row_of(rows, ("sfigf", "feature-only"))) == "undefined"
    words = task_words("depth", rows, summary)
    assert "better than image guidance alone and not comparable with feature guidance alone" in words["headline"]
    assert "Against feature guidance alone, nothing can be said" in words["conditions"]["x8"]["text"]


def test_without_sfigf_nothing_is_claimed(tmp_path):
    scores = study({run: level for run, level in LEVELS.items() if run[0] != "sfigf"})
    rows, summary = compared(scores)
    words = task_words("depth", rows, summary)
    assert "was not part of this study" in words["headline"]
    assert words["conditions"]["x8"]["sentences"] == []
    write_table(tmp_path / "s.csv", rows)
    assert read_statistics(tmp_path / "s.csv").empty
    assert latex_statistics("depth", rows, summary) == ""


def test_sfigf_without_ablations_is_still_compared():
    rows, summary = compared(study({run: LEVELS[run] for run in GROUPS if GROUPS[run] != "ablation"}))
    words = task_words("depth", rows, summary)
    assert "either guidance alone was not run" in words["headline"]
    assert any("Bicubic" in text for text in words["paragraphs"])


def test_the_summary_tells_what_images_can_tell_and_names_what_it_leaves_out():
    """Two conditions, the ablations under one; beside eight images a set of two in units of its own."""
    others = {run: LEVELS[run] for run in GROUPS if GROUPS[run] != "ablation"}
    few = [
        study(LEVELS, 2, datasets=("nyuv2",), unit="cm"),
        study(others, 2, datasets=("nyuv2",), unit="cm", condition="x4"),
    ]
    rows, summary = compared(pd.concat([study(LEVELS), study(others, condition="x4"), *few]))
    words = task_words("depth", rows, summary)
    assert words["headline"].startswith("Guided depth super-resolution: At ×8 on Cones, guiding features and image")
    alone, *best, left_out, reading = words["paragraphs"]
    assert alone.startswith("At ×8 on Cones, SFIGF is better than image guidance alone")
    assert sorted(text.partition(",")[0] for text in best) == ["At ×4 on Cones", "At ×8 on Cones"]
    assert left_out == "Too few images to tell here, so told under each condition alone: NYUv2 (2 images)."
    assert reading.startswith("How sure:")
    for condition in ("x4", "x8"):
        assert "NYUv2" in words["conditions"][condition]["text"]


def test_a_condition_that_sfigf_ran_alone_in_stops_nothing():
    both = pd.concat([study(LEVELS), study({("sfigf", "full"): 2.0}, condition="x4")])
    rows, summary = compared(both)
    words = task_words("depth", rows, summary)
    assert words["conditions"]["x4"]["sentences"] == []
    assert words["conditions"]["x8"]["sentences"]


def test_psnr_is_told_as_error():
    rows, _ = compared(study(LEVELS, metric="psnr", unit="dB", higher=True), ["psnr"])
    sentence = row_of(rows, ("bicubic", "full"), metric="psnr")["sentence"]
    assert "PSNR lower by 1." in sentence
    assert "% more root-mean-square error" in sentence


def test_sizes_as_text():
    assert [amount(value) for value in (0.18, -0.0480001, 1.5, 123.4, 1234.5, 0.0, 9.999)] == [
        "0.180", "0.0480", "1.50", "123", "1230", "0", "10.0",
    ]  # fmt: skip
    assert amount(0.5, "8-bit disparity") == "0.500 in 8-bit disparity"
    assert [percent(share) for share in (0.083, 0.124, 0.0007, 1.2)] == ["8.3 %", "12 %", "0.07 %", "120 %"]


# the command


def write_inputs(folder, scores):
    write_table(folder / "scores.csv", scores)
    summary = summarise_scores(read_scores([folder / "scores.csv"]), GROUPS, ["rmse"])
    write_table(folder / "summary.csv", summary)


def run(folder, name):
    outputs = {key: folder / f"{name}.{key}" for key in ("csv", "words", "latex")}
    compare(task="depth", score=[folder / "scores.csv"], summary=folder / "summary.csv", **outputs)
    return outputs


def test_the_command_writes_table_words_and_latex_the_same_for_any_order(tmp_path):
    scores = study(LEVELS, datasets=("cones", "aloe"))
    write_inputs(tmp_path, scores)
    first = run(tmp_path, "first")
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    body = lines[1:]
    random.Random(2).shuffle(body)
    (tmp_path / "scores.csv").write_text("\n".join([lines[0], *body]) + "\n")
    again = run(tmp_path, "again")
    assert all(first[key].read_bytes() == again[key].read_bytes() for key in first)
    back = read_statistics(first["csv"])
    assert tuple(back.columns) == COLUMNS
    assert row_of(back, ("bicubic", "full"))["better_images"] == 16
    words = json.loads(first["words"].read_text())
    assert list(words) == ["task", "headline", "paragraphs", "conditions"]
    assert len(words["conditions"]["x8"]["sentences"]) == 5
    assert "By data set, its RMSE against image guidance alone is lower by" in words["conditions"]["x8"]["text"]
    table = first["latex"].read_text()
    assert r"SFIGF & Bicubic & \textbf{+1." in table
    assert r"$<$0.001" in table
