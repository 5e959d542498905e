"""The fusion measures of Liu's toolbox and VIFB's Q_CB and Q_CV against that code run in Octave."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sfigf.interface import UserError
from sfigf.metrics import focus_liu
from sfigf.metrics.fusion import to_bytes, to_gray
from sfigf.metrics.fusion_contrast import q_cb, q_cv
from sfigf.metrics.fusion_edges import q_g, q_m, q_sf
from sfigf.metrics.fusion_entropy import q_te, q_te_cvejic
from sfigf.metrics.fusion_phase import q_p
from sfigf.metrics.fusion_structure import q_c, q_s, q_w, q_y
from sfigf.registry import lookup
from tests.conftest import make_sample

METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "Liu.Q_TE": q_te,
    "Liu.Q_TE_Cvejic": q_te_cvejic,
    "Liu.Q_G": q_g,
    "Liu.Q_M": q_m,
    "Liu.Q_SF": q_sf,
    "Liu.Q_P": q_p,
    "Liu.Q_S": q_s,
    "Liu.Q_W": q_w,
    "Liu.Q_C": q_c,
    "Liu.Q_Y": q_y,
    "Liu.Q_CV": q_cv,
    "Liu.Q_CB": q_cb,
    "VIFB.Qcb": q_cb,
    "VIFB.Qcv": q_cv,
}


def channels_first(image: np.ndarray) -> np.ndarray:
    image = image.astype(np.float64)
    return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)


def rows(reference: Path, name: str) -> list[dict[str, str]]:
    with (reference / "metrics" / "expected.csv").open() as stream:
        return [row for row in csv.DictReader(stream) if row["set"] == name and row["metric"] in METRICS]


@pytest.mark.parametrize(
    ("name", "count", "undefined"),
    [("mff_stand_01", 42, 6), ("mff_savic_01", 78, 12), ("mff_newspaper", 78, 0), ("vifb_walking2", 8, 0)],
)
def test_equals_the_reference(reference: Path, name: str, count: int, undefined: int) -> None:
    arrays = {key: channels_first(image) for key, image in np.load(reference / "metrics" / f"{name}.npz").items()}
    table = rows(reference, name)
    for row in table:
        method, colour = (option.strip() for option in row["options"].split(";")[:2])
        trio = [arrays.get("A", arrays.get("VI")), arrays.get("B", arrays.get("IR")), arrays[f"F_{method}"]]
        if colour == "gray":
            trio = [to_gray(image) for image in trio]
        value, expected = METRICS[row["metric"]](*trio), float(row["value"])
        tolerance = 0.0 if math.isnan(expected) else float(row["tolerance"])
        assert value == pytest.approx(expected, abs=tolerance, rel=0, nan_ok=True), row
    assert len(table) == count
    assert sum(math.isnan(float(row["value"])) for row in table) == undefined


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two textured (3, 39, 52) images, odd in height."""
    rng = np.random.default_rng(5)
    first = rng.integers(20, 230, (3, 39, 52)).astype(np.float64)
    return first, np.roll(first, 3, axis=2) // 2


IDEAL = {q_s: 1, q_w: 1, q_c: 1, q_y: 1, q_sf: 0, q_cv: 0, q_cb: 1, q_m: 3}


@pytest.mark.parametrize("metric", IDEAL, ids=lambda metric: metric.__name__)
def test_three_equal_images_are_ideal(metric: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert metric(pair[0], pair[0], pair[0]) == pytest.approx(IDEAL[metric], abs=1e-9)
    assert abs(metric(*pair, sum(pair) // 2) - IDEAL[metric]) > 1e-3


@pytest.mark.parametrize("metric", set(METRICS.values()), ids=lambda metric: metric.__name__)
def test_colour_is_the_mean_of_the_channels(metric: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    fused = np.maximum(first, second)
    single = [metric(*(image[i : i + 1] for image in (first, second, fused))) for i in range(3)]
    assert metric(first, second, fused) == pytest.approx(np.mean(single), rel=1e-12)
    assert math.isfinite(metric(first, second[:1], fused))


@pytest.mark.parametrize(
    ("metric", "flat", "undefined"),
    [
        (q_y, "both", True),
        (q_c, "both", True),
        (q_c, "fused", True),
        (q_y, "fused", False),
        (q_y, "first", False),
        (q_c, "first", False),
        (q_s, "both", False),
        (q_w, "both", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("level", [0, 97, 161])
def test_a_flat_window_is_undefined_whatever_its_level(
    pair: tuple[np.ndarray, np.ndarray], metric: Callable[..., float], flat: str, undefined: bool, level: int
) -> None:
    first, second = (image.copy() for image in pair)
    fused = np.maximum(first, second)
    for image in {"both": (first, second), "first": (first,), "fused": (fused,)}[flat]:
        image[1, 10:17, 20:27] = level
    assert math.isnan(metric(first, second, fused)) == undefined


@pytest.mark.parametrize("metric", [q_cb, q_te, q_m, q_sf, q_w, q_c, q_y, q_p], ids=lambda metric: metric.__name__)
def test_black_images_are_undefined(metric: Callable[..., float]) -> None:
    assert math.isnan(metric(*np.zeros((3, 1, 32, 32))))


@pytest.mark.parametrize("metric", [q_cb, q_c, q_p], ids=lambda metric: metric.__name__)
def test_a_constant_fused_image_is_undefined(metric: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert math.isnan(metric(*pair, np.full_like(pair[0], 97)))


def test_too_small_an_image_is_named() -> None:
    with pytest.raises(UserError, match="10x40 px, similarity needs 11 px a side"):
        q_y(*np.zeros((3, 1, 10, 40)))


NAMES = ("q-c", "q-cb", "q-cv", "q-g", "q-m", "q-p", "q-s", "q-sf", "q-te", "q-w", "q-y")


@pytest.mark.parametrize("name", NAMES)
def test_a_study_scores_bytes_gray_or_by_channel(name: str) -> None:
    sample = make_sample("focus")
    fused = (sample.target + sample.guide) / 2 + np.float32(0.001)
    metric = lookup("metric", name)
    images = [to_bytes(image) for image in (sample.target, sample.guide, fused)]
    if name not in ("q-cb", "q-cv"):
        images = [to_gray(image) for image in images]
    expected = vars(focus_liu)[name.replace("-", "_")](*images)
    assert metric()(fused, sample) == pytest.approx(abs(expected), nan_ok=True)
    assert metric.higher_is_better == (name not in ("q-cv", "q-sf"))
