"""A task in words computed from its comparisons: does guiding features and image at once help, where, by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from sfigf.tables.cases import ABLATIONS, Case, Rival, gather_main_cases
from sfigf.tables.names import (
    condition_label,
    count_text,
    dataset_label,
    method_label,
    metric_label,
    number_text,
    task_label,
)
from sfigf.tables.protocol import seed_warning
from sfigf.tables.sentences import amount, beside_zero, change, images_text, listing, measured, outcome, relative
from sfigf.tables.statistics import MIN_IMAGES, RESAMPLES, SIGNIFICANCE
from sfigf.tables.summary import ALL
from sfigf.tables.verdicts import OURS

_WITH = {
    "mono": "with a monochrome guide",
    "mono-estimated": "with an estimated monochrome guide",
    "red-oracle": "with the clean red channel as guide",
    "thin-lens": "under thin-lens defocus",
    "real": "on real pairs",
}
_ABSENT = "SFIGF (full) was not part of this study, so nothing is claimed about it here."
_ALONE = "SFIGF was run alone, so there is nothing to compare it with."
_UNITS = "The data sets count {} in different units, so each stands by itself."
_READING = (
    f"How sure: methods are compared image by image. An interval holds the mean difference with 95 % confidence "
    f"({RESAMPLES:,} bootstrap resamples of the images); better or worse is said only where it lies beside zero and "
    f"Wilcoxon's signed-rank test, corrected after Holm for all comparisons of a condition and metric, gives "
    f"p < {SIGNIFICANCE}; with fewer than {MIN_IMAGES} images nothing is said. All of this speaks of images like the "
    "tested ones."
)
_SEEDS = (
    "Each image counts with its mean over {} seeds; what another training would change is no part of the intervals."
)
_DECIBEL = "Where PSNR is compared, per cent are of the root-mean-square error, in the geometric mean over images."
# What follows "it is", by outcome.
_PHRASES = {
    "better": "better than {}",
    "worse": "worse than {}",
    "undecided": "neither surely better nor surely worse than {}",
    "equal": "equal to {}",
    "undefined": "not comparable with {}",
}


def task_words(task: str, statistics: pd.DataFrame, summary: pd.DataFrame) -> dict[str, Any]:
    """Return headline, paragraphs and the text of each condition, as ``<task>-words.json`` holds them.

    Args:
        task: Which task.
        statistics: What ``compare_methods`` returned.
        summary: What ``summarise_scores`` returned for the same scores.
    """
    cases = gather_main_cases(statistics, summary)
    conditions = {
        str(condition): _condition_words([case for case in cases if case.condition == condition])
        for condition in summary["condition"].unique()
    }
    if statistics.empty:
        headline = f"{task_label(task)}: {_ALONE if cases else _ABSENT}"
        return {"task": task, "headline": headline, "paragraphs": [], "conditions": conditions}
    told = [case for condition in conditions for case in _telling([c for c in cases if c.condition == condition])]
    against_best = [_sizes([case for case in told if case.condition == name], Case.best) for name in conditions]
    paragraphs = [_sizes(told, Case.ablations), *against_best, _left_out(cases, told), _reading(cases)]
    headline = f"{task_label(task)}: {_headline(cases)}"
    return {
        "task": task,
        "headline": headline,
        "paragraphs": [text for text in paragraphs if text],
        "conditions": conditions,
    }


def _telling(cases: Sequence[Case]) -> Sequence[Case]:
    """Those with enough images to tell something; where there is none, all."""
    return [case for case in cases if not case.few] or cases


def _left_out(cases: Sequence[Case], told: Sequence[Case]) -> str:
    """Which sets the paragraphs before did not speak of."""
    silent = [case for case in cases if all(case is not each for each in told)]
    sizes = {listing([dataset_label(name) for name in case.datasets]): case.ours["images"] for case in silent}
    found = [f"{label} ({count_text(images)})" for label, images in sizes.items()]
    return f"Too few images to tell here, so told under each condition alone: {listing(found)}." if found else ""


def _headline(cases: Sequence[Case]) -> str:
    """Whether both guidances together help, where that was asked: cases of the same answer are told together."""
    cases = _telling([case for case in cases if case.ablations()] or cases)
    answers: dict[str, list[Case]] = {}
    for case in cases:
        answers.setdefault(_answer(case), []).append(case)
    text = _capital("; ".join(f"{_where(told)}, {answer}" for answer, told in answers.items())) + "."
    rows = [rival.row for case in cases for rival in case.ablations()]
    if any(outcome(row) in ("better", "worse") and row["seeds"] == 1 for row in rows):
        return f"{text} One training of each: this holds for these networks; for the methods it may be chance."
    return text


def _answer(case: Case) -> str:
    rivals = case.ablations()
    if not rivals:
        return "either guidance alone was not run"
    if case.few:
        return _too_few(case)
    return f"guiding features and image at once is {_told(rivals, lambda rival: rival.called)}"


def _told(rivals: Sequence[Rival], call: Callable[[Rival], str]) -> str:
    """``better than A and B, worse than C``; both guidances alone are ``either alone``."""
    phrases = []
    for name, phrase in _PHRASES.items():
        called = [call(rival) for rival in rivals if outcome(rival.row) == name]
        whole = called == list(ABLATIONS.values())
        link = "or" if name == "undecided" else "and"
        phrases += [phrase.format("either alone" if whole else listing(called, link))] if called else []
    return listing(phrases)


def _where(cases: Sequence[Case]) -> str:
    """``at ×4 and at ×8 on Middlebury 30 and under ...``: conditions of one data set stand together."""
    places: dict[str, list[str]] = {}
    for case in cases:
        places.setdefault(case.place, []).append(_with(case.condition))
    return listing([listing(conditions) + place for place, conditions in places.items()])


def _with(condition: str) -> str:
    """A condition with its preposition."""
    label = condition_label(condition)
    if condition in _WITH:
        return _WITH[condition]
    return f"at {label}" if label.startswith("×") else f"on {label}"


def _sizes(cases: Sequence[Case], rivals: Callable[[Case], list[Rival]]) -> str:
    """How large the differences are, case by case; nothing where nobody was run."""
    return " ".join(_sizes_of(case, found) for case in cases if (found := rivals(case)))


def _sizes_of(case: Case, rivals: Sequence[Rival]) -> str:
    where = _capital(_where([case]))
    if not case.few:
        return f"{where}, SFIGF is {_told(rivals, lambda rival: f'{rival.called}{_size(rival)}')}."
    found = [
        f"{change(each.row, each.row['mean_difference'])} against {each.called}" for each in rivals if _known(each)
    ]
    on_them = f"; on {_them(case)} SFIGF's {case.metric} is {listing(found)}" if found else ""
    return f"{where}, {_too_few(case)}{on_them}."


def _size(rival: Rival) -> str:
    """The difference in parentheses; nothing where there is none."""
    if not _known(rival) or rival.row["mean_difference"] == 0:
        return ""
    share = relative(rival.row, rival.mean["mean"])
    metric = metric_label(rival.row["metric"])
    return f" ({metric} {change(rival.row, rival.row['mean_difference'])}{', ' * bool(share)}{share})"


def _known(rival: Rival) -> bool:
    return not math.isnan(rival.row["mean_difference"])


def _reading(cases: Sequence[Case]) -> str:
    """How to read all this, and how far the number of seeds carries."""
    compared = [case for case in cases if len(case.rows)]  # where SFIGF ran alone there is nothing to read
    if not compared:
        return ""
    seeds = int(min(case.rows["seeds"].min() for case in compared))
    parts = [_READING, seed_warning(1) if seeds == 1 else _SEEDS.format(seeds)]
    return " ".join([*parts, _DECIBEL] if any(_in_decibel(case) for case in cases) else parts)


def _in_decibel(case: Case) -> bool:
    return case.ours["metric"].startswith("psnr") and case.ours["unit"] == "dB"


def _condition_words(cases: Sequence[Case]) -> dict[str, Any]:
    """Text and sentences of one condition."""
    if not cases:
        return {"text": _ABSENT, "sentences": []}
    parts = [_case_text(case) for case in cases]
    metrics = [case.metric for case in cases if case.dataset != ALL]
    torn = [metric for metric in dict.fromkeys(metrics) if metrics.count(metric) > 1]
    parts += [_UNITS.format(metric) for metric in torn]
    return {"text": " ".join(parts), "sentences": [text for case in cases for text in case.rows["sentence"]]}


def _case_text(case: Case) -> str:
    ours, rivals = case.ours, [*case.ablations(), *case.best()]
    unnamed = len(case.datasets) > 1 and not case.place
    over = f"over {images_text(ours, case.datasets) if unnamed else count_text(ours['images'])}"
    mean = f"a mean {case.metric} of {number_text(ours['mean'], ours['unit'])}"
    opening = f"{_capital(_where([case]))}, SFIGF has {mean if ours['rank'] else f'no mean {case.metric}'} {over}"
    parts = [f"{opening}, place {ours['rank']} of {len(case.means)}." if ours["rank"] else f"{opening}."]
    parts += [_capital(f"{_too_few(case)}.")] if case.few else []
    parts += [_against(rival) for rival in rivals]
    parts += [_by_dataset(case, rival) for rival in case.ablations()]
    return " ".join([*filter(None, parts), *_seeds(case, rivals)])


def _against(rival: Rival) -> str:
    told = outcome(rival.row)
    if told == "undefined":
        return f"Against {rival.called}, nothing can be said: an image has no score."
    if told == "equal":
        return f"Against {rival.called}, it is equal on every image."
    found = measured(rival.row, rival.mean["mean"])
    if told == "undecided" and beside_zero(rival.row):
        told_in_words = f", it is {'ahead' if rival.row['low'] > 0 else 'behind'}, but not beyond doubt"
    else:
        told_in_words = {"undecided": ", nothing is decided", "few": ""}.get(told, f", it is {told}")
    return f"Against {rival.called}{told_in_words}: {found}."


def _by_dataset(case: Case, rival: Rival) -> str:
    """The difference on each of several data sets."""
    told = [
        f"{change(row, row['mean_difference'])} on {dataset_label(row['dataset'])} ({count_text(row['images'])})"
        for row in case.by_dataset(rival)
        if not math.isnan(row["mean_difference"])
    ]
    return f"By data set, its {case.metric} against {rival.called} is {listing(told)}." if told else ""


def _seeds(case: Case, rivals: Sequence[Rival]) -> list[str]:
    """How far the seeds lie apart, and which differences are no larger than that."""
    means = {OURS: case.ours} | {rival.run: rival.mean for rival in rivals}
    spread = {run: row["seed_deviation"] for run, row in means.items() if not math.isnan(row["seed_deviation"])}
    if OURS not in spread:
        return []
    told = [f"{amount(value, case.ours['unit'])} for {method_label(*run)}" for run, value in spread.items()]
    parts = [f"Over {case.ours['seeds']} seeds, the mean deviates by {listing(told)}."]
    small = [
        rival.called
        for rival in rivals
        if rival.run in spread and abs(rival.row["mean_difference"]) <= max(spread[OURS], spread[rival.run])
    ]
    return [*parts, f"No larger than that is the difference from {listing(small)}."] if small else parts


def _too_few(case: Case) -> str:
    images = int(case.ours["images"])
    return f"{count_text(images)} {'is' if images == 1 else 'are'} too few to tell"


def _them(case: Case) -> str:
    return "it" if case.ours["images"] == 1 else "them"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
