"""Self-tests: numbers that a protocol must give before any other number of a run is believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from sfigf.interface import UserError

Key = tuple[str, str, str, str]
DIGITS = 5e-4


@dataclasses.dataclass(frozen=True)
class SelfTest:
    """What bicubic interpolation scores on a data set; no training, no chance.

    Attributes:
        images: How many images the mean runs over; over another number it is another number.
        value: Mean over these images, in the unit of the metric.
        tolerance: Largest difference that is still the same number.
    """

    protocol: str
    dataset: str
    condition: str
    method: str
    metric: str
    images: int
    value: float
    tolerance: float = DIGITS

    @property
    def key(self) -> Key:
        """Where it stands in a score file: data set, condition, method, metric."""
        return (self.dataset, self.condition, self.method, self.metric)


@dataclasses.dataclass(frozen=True)
class Mean:
    """Mean of a metric over ``images`` images."""

    value: float
    images: int


def _bicubic(
    protocol: str, dataset: str, images: int, metric: str, values: str, ending: str = "", tolerance: float = DIGITS
) -> tuple[SelfTest, ...]:
    """One self-test for each of x4, x8 and x16."""
    pairs = zip((4, 8, 16), map(float, values.split()), strict=True)
    return tuple(
        SelfTest(protocol, dataset, f"x{factor}{ending}", "bicubic", metric, images, value, tolerance)
        for factor, value in pairs
    )


# Recomputed with the reference code: GDSR-DCTNet@5243875 (maps, metric), JIIF@acfa3f9 (crop). RGB-D-D has three
# decimals and the nearest samples of Lu two, as they were noted down.
SELF_TESTS: tuple[SelfTest, ...] = (
    *_bicubic("dctnet", "middlebury-30", 30, "rmse", "2.2810 3.9830 6.3744"),
    *_bicubic("dctnet", "middlebury-30", 30, "mae", "0.9834 1.8092 3.2875"),
    *_bicubic("dctnet", "lu", 6, "rmse", "2.4193 4.5412 7.3766"),
    *_bicubic("dctnet", "lu", 6, "mae", "0.6957 1.4410 2.8018"),
    *_bicubic("dctnet", "rgbdd", 405, "rmse", "1.916 3.198 5.138", tolerance=6e-4),
    *_bicubic("jiif", "middlebury-30", 30, "rmse-crop6", "2.2965 3.9996 6.3448"),
    *_bicubic("jiif", "middlebury-30", 30, "mae-crop6", "0.9908 1.8240 3.2863"),
    *_bicubic("jiif", "lu", 6, "rmse-crop6", "2.4701 4.6360 7.5222"),
    *_bicubic("jiif", "lu", 6, "mae-crop6", "0.7152 1.4851 2.8782"),
    *_bicubic("sgnet", "middlebury-30", 30, "rmse", "2.2973 3.9920 6.3800", "-uint8"),
    *_bicubic("sgnet", "middlebury-30", 30, "rmse-crop6", "2.3126 4.0083 6.3507", "-uint8"),
    *_bicubic("djf", "middlebury-30", 30, "rmse", "4.4259 7.5716 11.8756", "-nearest"),
    *_bicubic("djf", "lu", 6, "rmse", "5.07 9.22 14.27", "-nearest", tolerance=6e-3),
)


def run_self_tests(means: Mapping[Key, Mean], named: Iterable[str] = ()) -> dict[str, Any]:
    """Compare every self-test that occurs in ``means`` and return the report.

    Args:
        means: By data set, condition, method and metric.
        named: Protocols that the study names.

    Returns:
        JSON-able: ``note`` in words, what ``passed``, what was ``not_applicable`` because the data set has another
        number of images (no failure: it is another set), and which ``named`` protocols remain ``untested``.

    Raises:
        UserError: If a mean is not what the protocol gives: which, got, expected, and what may be wrong.
    """
    found = [(test, means[test.key]) for test in SELF_TESTS if test.key in means]
    whole = [(test, mean) for test, mean in found if mean.images == test.images]
    for test, mean in whole:
        _compare(test, mean)
    parts = [
        f"{_name(test)}: {mean.images} of {test.images} images" for test, mean in found if (test, mean) not in whole
    ]
    passed = [dataclasses.asdict(test) | {"got": mean.value} for test, mean in whole]
    note = f"{len(whole)} self-tests passed" if whole else "no self-test applies to these scores"
    untested = [name for name in named if name not in {test.protocol for test, _ in whole}]
    return {"note": note, "passed": passed, "not_applicable": parts, "untested": untested}


def _compare(test: SelfTest, mean: Mean) -> None:
    if abs(mean.value - test.value) <= test.tolerance:  # false for NaN
        return
    raise UserError(
        f"self-test of protocol {test.protocol} failed: {_name(test)} is {mean.value:.4f}, expected {test.value:g} "
        f"within {test.tolerance:g} over {test.images} images; {_suspicion(test, mean)}"
    )


def _suspicion(test: SelfTest, mean: Mean) -> str:
    """Name the slip that gives just this number, where one is known."""
    for other in SELF_TESTS:
        same = (other.dataset, other.method) == (test.dataset, test.method) and other.key != test.key
        if same and abs(mean.value - other.value) <= other.tolerance:
            return f"that is {other.metric} at {other.condition} ({other.protocol}): look at the kernel and the crop"
    return "look at the kernel (Pillow bicubic of the float map), the border, the unit and the copy of the data set"


def _name(test: SelfTest) -> str:
    return f"{test.method} on {test.dataset}, {test.condition}, {test.metric}"
