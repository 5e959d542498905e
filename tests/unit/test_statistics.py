"""Paired statistics: hand-computed values, laws that must hold, and the rows of a study's comparisons."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.interface import UserError
from sfigf.tables.comparisons import COLUMNS, compare_methods, main_cases
from sfigf.tables.scores import COLUMNS as SCORE_COLUMNS
from sfigf.tables.sentences import outcome
from sfigf.tables.statistics import holm, mean_interval, paired_difference, signed_rank
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
