"""One comparison in words: what was measured, and what it allows one to say, never more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sfigf.tables.names import count_text, dataset_label, method_label, metric_label
from sfigf.tables.statistics import MIN_IMAGES, SIGNIFICANCE
from sfigf.tables.summary import ALL

Outcome = Literal["better", "worse", "undecided", "equal", "few", "undefined"]
Row = Mapping[str, Any]


def outcome(row: Row) -> Outcome:
    """Return what a comparison allows one to say, from the columns of its row.

    ``better`` and ``worse`` need an interval beside zero and, where there is a test, a corrected p below 0.05. ``few``:
    fewer than ``MIN_IMAGES`` images. ``equal``: on every image. ``undefined``: an image has no score.
    """
    if math.isnan(row["mean_difference"]):
        return "undefined"
    if row["images"] < MIN_IMAGES:
        return "few"
    if row["low"] == row["high"] == 0:
        return "equal"
    if not beside_zero(row) or row["p_holm"] >= SIGNIFICANCE:
        return "undecided"
    return "better" if row["low"] > 0 else "worse"


def sentence(row: Row, against_mean: float, datasets: Sequence[str]) -> str:
    """Return one sentence that stands by itself.

    Args:
        row: A comparison, with the columns of ``comparisons.COLUMNS`` but the sentence.
        against_mean: Mean of the rival over the same images.
        datasets: The data sets that hold the metric under this condition.
    """
    one = method_label(row["method"], row["variant"])
    other = method_label(row["against_method"], row["against_variant"])
    where = f"On {images_text(row, datasets)}"
    metric, told = metric_label(row["metric"]), outcome(row)
    if told == "undefined":
        return f"{where}, {one} and {other} cannot be compared: on one at least, {metric} is undefined."
    found = measured(row, against_mean)
    match told:
        case "few":
            few = f"fewer than {MIN_IMAGES} images allow no statement beyond them"
            return f"{where}, {one} against {other}: {found}; {few}."
        case "equal":
            return f"{where}, {one} and {other} have the same {metric} on every one."
        case "undecided":
            return f"{where}, {_undecided(row, one, other)}: {found}{_objection(row)}."
        case "better":
            return f"{where}, {one} is better than {other}: {found}{_untested(row)}."
        case "worse":
            return f"{where}, {one} is worse than {other}: {found}{_untested(row)}."


def images_text(row: Row, datasets: Sequence[str]) -> str:
    """Return how many images of what: ``30 images of Middlebury 30``, ``7 images of Landsat 8 and Sentinel-2``."""
    names = list(datasets) if row["dataset"] == ALL else [row["dataset"]]
    named = listing([dataset_label(name) for name in names]) if len(names) <= 3 else f"{len(names)} data sets"
    return f"{count_text(row['images'])} of {named}"


def measured(row: Row, against_mean: float) -> str:
    """Return what was found: the difference, in per cent too, its interval, the images won and p."""
    parts = [metric_label(row["metric"]) + " " + change(row, row["mean_difference"])]
    sure = [text for text in (relative(row, against_mean), interval_text(row)) if text]
    if sure:
        parts[0] += f" ({'; '.join(sure)})"
    if row["images"] > 1:
        parts.append(f"better on {row['better_images']} of {count_text(row['images'])}")
    if not math.isnan(row["p_holm"]):
        parts.append(f"{probability(row['p_holm'])} after Holm")
    return ", ".join(parts)


def change(row: Row, gain: float) -> str:
    """Return a gain as what happens to the metric: ``lower by 0.18 px``."""
    return f"{_direction(row, gain)} by {amount(gain, row['unit'])}" if gain else "the same in the mean"


def interval_text(row: Row) -> str:
    """Return the interval of the mean difference in words, or nothing."""
    low, high = sorted((row["low"], row["high"]), key=abs)
    if math.isnan(low):
        return ""
    if low * high < 0:
        ends = [f"{amount(row[end])} {_direction(row, row[end])}" for end in ("low", "high")]
        return f"95 % interval from {' to '.join(ends)}"
    return f"95 % interval {amount(low)} to {amount(high)}"


def relative(row: Row, against_mean: float) -> str:
    """Return the size of the mean difference against the rival's mean; of a PSNR, which is a logarithm, the error's."""
    gain = row["mean_difference"]
    if row["metric"].startswith("psnr") and row["unit"] == "dB":
        ratio = 10 ** (-gain / 20)
        return f"{percent(abs(1 - ratio))} {'less' if gain > 0 else 'more'} root-mean-square error" if gain else ""
    return percent(abs(gain / against_mean)) if against_mean > 0 and gain and row["unit"] != "dB" else ""


def amount(value: float, unit: str = "") -> str:
    """Return a size with three significant digits, without its sign."""
    value = float(f"{abs(value):.3g}")
    text = f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value else "0"
    if unit in ("", "1"):
        return text
    return f"{text} in {unit}" if unit[0].isdigit() else f"{text} {unit}"


def percent(share: float) -> str:
    """Return ``0.083`` as ``8.3 %``."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %" if value >= 0.95 else f"{value:.1g} %"


def probability(p: float) -> str:
    """Return ``p = 0.012`` or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def listing(words: Sequence[str], link: str = "and") -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def beside_zero(row: Row) -> bool:
    """Whether the interval of the mean difference lies on one side of zero."""
    return not row["low"] <= 0 <= row["high"]


def _direction(row: Row, gain: float) -> str:
    return "higher" if (gain > 0) == bool(row["higher_is_better"]) else "lower"


def _undecided(row: Row, one: str, other: str) -> str:
    if not beside_zero(row):
        return f"nothing is decided between {one} and {other}"
    return f"{one} is {'ahead of' if row['low'] > 0 else 'behind'} {other}, but not beyond doubt"


def _objection(row: Row) -> str:
    """Why a comparison is undecided, where interval and test disagree."""
    if beside_zero(row):
        alone = " for so many comparisons" if row["p"] < SIGNIFICANCE else ""
        return f"; the interval lies beside zero, but the test does not confirm it{alone}"
    return "; the test sees a preference, but the interval holds zero" if row["p_holm"] < SIGNIFICANCE else ""


def _untested(row: Row) -> str:
    return " (by the interval alone; not tested)" if math.isnan(row["p_holm"]) else ""
