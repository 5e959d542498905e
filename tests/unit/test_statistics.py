"""Paired statistics: hand-computed values, laws that must hold, and words that never claim more than the numbers."""

import itertools
import json
import math
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.cli.statistics import compare
from sfigf.interface import UserError
from sfigf.tables.comparisons import COLUMNS, compare_methods, main_cases, read_statistics
from sfigf.tables.scores import COLUMNS as SCORE_COLUMNS
from sfigf.tables.scores import read_scores, write_table
from sfigf.tables.sentences import amount, outcome, percent
from sfigf.tables.statistics import holm, mean_interval, paired_difference, signed_rank
from sfigf.tables.statistics_latex import latex_statistics
from sfigf.tables.summary import summarise_scores
from sfigf.tables.words import task_words

GROUPS = {
    ("bicubic", "full"): "classical",
    ("djfr", "full"): "feature-level",
    ("sfigf", "image-only"): "ablation",
    ("sfigf", "feature-only"): "ablation",
    ("sfigf", "full"): "both",
}
GAINS = st.lists(st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 3)), min_size=6, max_size=20)


# numbers


def test_signed_rank_of_hand_computed_cases():
    assert signed_rank([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)
    # of the 64 sign patterns, those with a rank sum of the losses of 0 or 1, on either side
    assert signed_rank([-1, 2, 3, 4, 5, 6]) == pytest.approx(4 / 2**6)
    # an equal image says nothing; ties share their ranks
    assert signed_rank([0, 1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)
    assert signed_rank([1, 1, 1, 1, 1, 1]) == pytest.approx(2 / 2**6)
    assert signed_rank([0, 0, 0, 0, 0, 0]) == 1


def test_signed_rank_with_ties_is_exact():
    gains = [1, 1, -2, 2, 3, 4, 5]
    ranks = np.array([1.5, 1.5, 3.5, 3.5, 5, 6, 7])
    sums = [ranks[np.array(signs)].sum() for signs in itertools.product([False, True], repeat=7)]
    observed = min(3.5, ranks.sum() - 3.5)
    assert signed_rank(gains) == pytest.approx(2 * np.mean(np.array(sums) <= observed))


def test_holm_of_a_hand_computed_family():
    assert holm([0.01, 0.04, 0.03, math.nan, 0.005]) == pytest.approx([0.03, 0.06, 0.06, math.nan, 0.02], nan_ok=True)
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_interval_of_known_data():
    gains = np.random.default_rng(3).normal(1.0, 2.0, 200)
    low, high = mean_interval(gains)
    half = 1.96 * gains.std(ddof=1) / math.sqrt(200)
    assert low == pytest.approx(gains.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(gains.mean() + half, abs=0.1 * half)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (mean_interval(rng.normal(0, 1, 30)) for _ in range(200))]
    assert 0.89 <= np.mean(held) <= 0.99


def test_few_images_have_a_mean_and_nothing_else():
    found = paired_difference([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.images, found.mean, found.better_images) == (5, 3.0, 5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(found.p)
    assert paired_difference([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).p == pytest.approx(1 / 32)


def test_an_undefined_image_leaves_no_mean():
    found = paired_difference([1.0] * 7 + [math.nan])
    assert found.images == 8
    assert all(map(math.isnan, (found.mean, found.low, found.high, found.p)))


@settings(max_examples=25, deadline=None)
@given(GAINS)
def test_swapped_methods_turn_every_sign(gains):
    one, other = paired_difference(gains), paired_difference([-gain for gain in gains])
    assert one.mean == -other.mean
    assert one.p == other.p
    if sorted(gains) != sorted(-gain for gain in gains):
        assert (one.low, one.high) == (-other.high, -other.low)


@settings(max_examples=25, deadline=None)
@given(GAINS, st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_count(gains, chance):
    shuffled = list(gains)
    chance.shuffle(shuffled)
    assert paired_difference(gains) == paired_difference(shuffled)


@settings(max_examples=25, deadline=None)
@given(GAINS)
def test_the_interval_lies_within_the_gains_and_low_is_below_high(gains):
    low, high = mean_interval(gains)
    assert min(gains) - 1e-9 <= low <= high <= max(gains) + 1e-9


@settings(deadline=None)
@given(st.floats(-3, 3).map(lambda x: round(x, 4)), st.integers(6, 30))
def test_the_interval_of_identical_shifts_is_the_shift(shift, images):
    found = paired_difference([shift] * images)
    assert found.low == found.high == pytest.approx(found.mean) == pytest.approx(shift)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_the_order_and_never_lowers_a_p(values):
    corrected = holm(values)
    assert all(p <= c <= 1 for p, c in zip(values, corrected, strict=True))
    for (p, c), (q, d) in itertools.combinations(zip(values, corrected, strict=True), 2):
        assert (p - q) * (c - d) >= 0


# rows


def scores_of(values, unit="px", metric="rmse", higher=False, condition="x8", seeds=(0,)):
    """``values``: {dataset: {run: [score of each image, ...]}}."""
    rows = [
        ("depth", condition, dataset, f"{dataset}-{i}", *run, seed, metric, value + 0.01 * seed, unit, higher)
        for dataset, runs in values.items()
        for run, images in runs.items()
        for i, value in enumerate(images)
        for seed in (seeds if GROUPS[run] != "classical" else (0,))
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def study(levels, images=8, datasets=("cones",), spread=0.1, **options):
    """Scores of a level a run, images of different difficulty; small wobbles, of which the level is no part."""
    chance = np.random.default_rng(1)
    wobble = {run: chance.uniform(-spread, spread, (len(datasets), images)) for run in levels}
    values = {
        dataset: {run: [level + 0.3 * i + wobble[run][d][i] for i in range(images)] for run, level in levels.items()}
        for d, dataset in enumerate(datasets)
    }
    return scores_of(values, **options)


LEVELS = dict(zip(GROUPS, (4.0, 2.0, 3.0, 2.6, 2.3), strict=True))


def compared(scores, metrics=("rmse",)):
    summary = summarise_scores(scores, GROUPS, metrics)
    return compare_methods(scores, summary), summary


def row_of(rows, against, dataset="all", method=("sfigf", "full"), metric="rmse"):
    wanted = [dataset, metric, *method, *against]
    keys = ["dataset", "metric", "method", "variant", "against_method", "against_variant"]
    found = rows[(rows[keys] == wanted).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def test_every_pair_stands_once_and_the_sign_says_who_is_better():
    rows, _ = compared(study(LEVELS))
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == 2 * 5  # the data set and all; four rivals, and the ablations among each other
    assert row_of(rows, ("bicubic", "full"))["mean_difference"] == pytest.approx(1.7, abs=0.1)
    assert row_of(rows, ("djfr", "full"))["mean_difference"] == pytest.approx(-0.3, abs=0.1)
    pair = row_of(rows, ("sfigf", "feature-only"), method=("sfigf", "image-only"))
    assert pair["mean_difference"] < 0
    higher, _ = compared(study(LEVELS, higher=True))
    assert row_of(higher, ("bicubic", "full"))["mean_difference"] == pytest.approx(-1.7, abs=0.1)


def test_holm_counts_the_comparisons_of_a_condition_and_metric_once():
    rows, _ = compared(study(LEVELS))
    # one data set: "all" asks the same five questions again, so the family is five
    assert row_of(rows, ("bicubic", "full"))["p"] == pytest.approx(2 / 2**8)
    assert row_of(rows, ("bicubic", "full"))["p_holm"] == pytest.approx(5 * 2 / 2**8)
    assert row_of(rows, ("bicubic", "full"), dataset="cones")["p_holm"] == pytest.approx(5 * 2 / 2**8)
    two, _ = compared(study(LEVELS, datasets=("cones", "aloe")))
    single = row_of(two, ("bicubic", "full"), dataset="cones")
    assert single["p_holm"] == pytest.approx(10 * single["p"])  # after the five of both sets together


def test_only_the_main_metric_is_tested():
    scores = pd.concat([study(LEVELS), study(LEVELS, metric="mae")], ignore_index=True)
    rows, _ = compared(scores, ["rmse", "mae"])
    secondary = row_of(rows, ("bicubic", "full"), metric="mae")
    assert math.isnan(secondary["p"])
    assert math.isnan(secondary["p_holm"])
    assert secondary["low"] > 0
    assert outcome(secondary) == "better"
    assert "by the interval alone; not tested" in secondary["sentence"]


def test_sets_of_different_units_are_not_pooled():
    scores = pd.concat([study(LEVELS), study(LEVELS, datasets=("nyuv2",), unit="cm")], ignore_index=True)
    rows, summary = compared(scores)
    assert "all" not in set(rows["dataset"])
    assert main_cases(summary) == [("x8", "cones", "rmse"), ("x8", "nyuv2", "rmse")]
    text = task_words("depth", rows, summary)["conditions"]["x8"]["text"]
    assert "The data sets count RMSE in different units, so each stands by itself." in text


def test_a_set_without_the_main_metric_speaks_by_its_own():
    scores = pd.concat([study(LEVELS), study(LEVELS, datasets=("lytro",), metric="q-abf")], ignore_index=True)
    rows, summary = compared(scores, ["rmse", "q-abf"])
    assert main_cases(summary) == [("x8", "all", "rmse"), ("x8", "lytro", "q-abf")]
    assert row_of(rows, ("bicubic", "full"), dataset="lytro", metric="q-abf")["p"] == pytest.approx(2 / 2**8)
    headline = task_words("depth", rows, summary)["headline"]
    assert "At ×8 on Cones and at ×8 on Lytro" in headline


def test_seeds_are_averaged_on_each_image_first():
    rows, summary = compared(study(LEVELS, seeds=(0, 2, 4)))
    once, _ = compared(study(LEVELS))
    assert row_of(rows, ("djfr", "full"))["images"] == 8
    assert row_of(rows, ("djfr", "full"))["seeds"] == 3
    assert row_of(rows, ("djfr", "full"))["low"] == pytest.approx(row_of(once, ("djfr", "full"))["low"])
    words = task_words("depth", rows, summary)
    assert "its mean over 3 seeds" in words["paragraphs"][-1]
    assert "Over 3 seeds, the mean deviates by 0.0200 px for SFIGF" in words["conditions"]["x8"]["text"]
    assert "One training" not in words["headline"]


def test_a_difference_no_larger_than_the_seeds_spread_is_named():
    rows, summary = compared(study(LEVELS | {("sfigf", "feature-only"): 2.31}, seeds=(0, 40), spread=0))
    text = task_words("depth", rows, summary)["conditions"]["x8"]["text"]
    assert "No larger than that is the difference from feature guidance alone" in text


def test_a_summary_of_other_runs_is_refused():
    scores = study(LEVELS)
    with pytest.raises(UserError, match="the scores lack djfr/full, which the summary holds"):
        compare_methods(scores[scores["method"] != "djfr"], summarise_scores(scores, GROUPS))


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
