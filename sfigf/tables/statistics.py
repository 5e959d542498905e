"""Paired statistics over images: the mean difference, how sure it is, and whether a test confirms it.

A bootstrap interval of few images is somewhat too narrow; so a claim needs both, the interval beside zero and the test.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from sfigf.tables.scores import six_digits

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05
RESAMPLES = 10_000
# With five images even five wins give a signed-rank p of 1/16; with six, six wins give 1/32.
MIN_IMAGES = 6


@dataclasses.dataclass(frozen=True)
class Difference:
    """One method against another over the same images; positive where the first is better.

    Attributes:
        images: How many images both have.
        mean: Mean of the gains, in the metric's unit; NaN as soon as one image is undefined.
        low: Lower end of the 95 % interval of the mean; NaN below ``MIN_IMAGES`` images.
        high: Upper end of it.
        p: Two-sided signed-rank p before any correction; NaN below ``MIN_IMAGES`` images.
        better_images: On how many images the first is better.
    """

    images: int
    mean: float
    low: float
    high: float
    p: float
    better_images: int


def paired_difference(gains: Sequence[float]) -> Difference:
    """Summarise the gains of one method over another, one finite or undefined number per image, in any order."""
    # Rounded, so that what is equal in decimal digits is equal, and sorted, so that no order counts.
    gains = sorted(six_digits(gain) for gain in gains)
    low = high = p = math.nan
    whole = bool(gains) and all(map(math.isfinite, gains))
    if whole and len(gains) >= MIN_IMAGES:
        (low, high), p = mean_interval(gains), signed_rank(gains)
    mean = math.fsum(gains) / len(gains) if whole else math.nan
    return Difference(len(gains), mean, low, high, p, sum(gain > 0 for gain in gains))


def mean_interval(gains: Sequence[float]) -> tuple[float, float]:
    """Return the bias-corrected, accelerated bootstrap interval of the mean: 95 %, 10,000 resamples, always the same.

    Turning every sign turns the interval.

    Source: Efron, Better bootstrap confidence intervals, JASA 82 (1987).
    """
    values = np.sort(np.asarray(gains, dtype=np.float64))
    if values[0] == values[-1]:
        return float(values[0]), float(values[0])
    turned = np.sort(-values)
    # Swapped methods must draw the same resamples: of the two orders of signs, always the same one is drawn from.
    sign = -1.0 if turned.tolist() < values.tolist() else 1.0
    result = stats.bootstrap(
        (turned if sign < 0 else values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    low, high = sorted((sign * float(result.low), sign * float(result.high)))
    return low, high


def signed_rank(gains: Sequence[float]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; images of equal score say nothing and are left out.

    Exact up to 50 images without ties and up to 13 with ties, else by the normal approximation; 1 where all are equal.

    Source: Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945).
    """
    told = [gain for gain in gains if gain != 0]
    return float(stats.wilcoxon(told, method="auto").pvalue) if told else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """Return Holm's step-down correction of a family of p values, in their order; NaN is no member and stays NaN.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979).
    """
    corrected, floor = [math.nan] * len(values), 0.0
    members = sorted((p, place) for place, p in enumerate(values) if not math.isnan(p))
    for rank, (p, place) in enumerate(members):
        floor = max(floor, min(1.0, p * (len(members) - rank)))
        corrected[place] = floor
    return corrected
