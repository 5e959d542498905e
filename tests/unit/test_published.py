"""Published numbers: none without a source, none beside ours under another protocol, the others counted in words."""

import csv

import pandas as pd
import pytest

from sfigf.interface import UserError
from sfigf.tables.published import COLUMNS, published_section, published_sentence, read_published, stand
from sfigf.tables.published_names import all_in_our_words, in_our_words
from sfigf.tables.summary import COLUMNS as SUMMARY_COLUMNS

RAW = dict.fromkeys(
    ("task", "dataset", "condition", "method", "metric", "value", "std", "unit", "source", "status"), ""
)


@pytest.fixture
def numbers(root):
    return read_published(root / "config" / "published.csv")


def summary_of(*rows):
    """Means of the study: ``(task, data set, condition, metric, method, mean, unit)``."""
    plain = {"variant": "full", "group": "classical", "seed_deviation": float("nan"), "images": 30, "undefined": 0}
    plain |= {"seeds": 1, "rank": 1, "higher_is_better": False}
    keys = ("task", "dataset", "condition", "metric", "method", "mean", "unit")
    return pd.DataFrame([plain | dict(zip(keys, row, strict=True)) for row in rows])[list(SUMMARY_COLUMNS)]


MIDDLEBURY = ("depth", "middlebury-30", "x4")
STUDY = summary_of(
    (*MIDDLEBURY, "rmse", "bicubic", 2.2811, "8-bit disparity"),
    (*MIDDLEBURY, "rmse", "sfigf", 1.5, "8-bit disparity"),
    (*MIDDLEBURY, "rmse-crop6", "bicubic", 2.2965, "8-bit disparity"),
)


def test_every_number_has_a_source_and_the_file_is_whole(numbers):
    assert len(numbers) == 202
    assert (numbers["source"] != "").all()
    assert (numbers["protocol_as_stated"] != "as above").all()


def test_the_file_is_the_collected_numbers_in_our_words(root):
    collected = root.parent / "shared" / "spec" / "published_results.csv"
    if not collected.is_file():
        pytest.skip("reference values not present: ../shared/spec")
    with collected.open(encoding="utf-8") as stream:
        ours = all_in_our_words(csv.DictReader(stream))
    with (root / "config" / "published.csv").open(encoding="utf-8") as stream:
        assert list(csv.DictReader(stream)) == ours


@pytest.mark.parametrize(
    ("row", "stated", "expected"),
    [
        (("depth", "middlebury", "x4", "rmse"), "6 px crop everywhere; Middlebury/Lu scaled by 255 from a",
         ("middlebury-30", "x4-uint8", "rmse-crop6", "sgnet")),
        (("depth", "nyuv2", "x4", "rmse"), "6 px crop everywhere; Middlebury/Lu scaled by 255 from a",
         ("nyuv2", "x4", "rmse-crop6", "sgnet")),
        (("depth", "nyuv2", "x8", "rmse"), "PIL-bicubic LR (float), per-image min-max, RGB",
         ("nyuv2", "x8", "rmse-crop6", "dctnet")),
        (("depth", "lu", "x8", "rmse"), "PIL-bicubic LR (float), per-image min-max", ("lu", "x8", "rmse", "dctnet")),
        (("depth", "lu", "x8", "rmse"), "6 px crop (2.433 without crop)", ("lu", "x8", "rmse-crop6", "jiif")),
        (("pan", "wv3", "reduced", "q8"), "PanCollection WV3: 20 reduced-resolution", ("wv3", "x4", "q4", "dlpan-rr")),
        (("pan", "wv3", "full", "d_lambda"), "PanCollection WV3: 20 reduced-resolution",
         ("wv3", "x4", "d-lambda-k", "dlpan-fr")),
        (("pan", "wv3", "validation", "psnr"), "bands 0-2, x255", ("wv3", "x4", "psnr", "")),
        (("raw", "sid-sony", "0.1s-only", "ssim"), "0.1 s inputs only",
         ("sid-0p1s", "mono-estimated", "ssim-uniform", "sid-0.1s")),
        (("raw", "sid-sony", "all", "ssim"), "ground-truth exposure ratio used; MATLAB metrics",
         ("sid", "mono-estimated", "ssim-matlab", "sid-all")),
    ],
)  # fmt: skip
def test_the_mapping(row, stated, expected):
    given = RAW | dict(zip(("task", "dataset", "condition", "metric"), row, strict=True))
    ours = in_our_words(given, stated)
    assert tuple(ours[key] for key in ("dataset", "condition", "metric", "protocol")) == expected
    assert ours["protocol_as_stated"] == stated


def test_only_the_same_protocol_stands_beside_ours(numbers):
    standing = stand(numbers, STUDY, "depth", {"x4": ["dctnet"]})
    assert set(standing.beside["method"]) == {"bicubic", "dctnet"}
    assert set(standing.beside["protocol"]) == {"dctnet"}
    assert standing.total == 52
    section = published_section(standing, STUDY)
    assert (
        "| Middlebury 30 | ×4 | RMSE [8-bit disparity] | Bicubic | 2.281 | 2.281 | +0.0001 | 1.500 | -0.781 |"
        in section
    )
    assert "| DCTNet | 1.0994 | not run |  | 1.500 | +0.4006 |" in section
    assert "50 of 52 published numbers are not set beside ours" in section
    assert "- 21: protocol `sgnet`, which this study does not score." in section
    assert "Middlebury 30 under ×8, which this study does not score by `dctnet`" in section
    assert "Lu, which this study does not test on" in section
    assert "README of github Zhaozixiang1228/GDSR-DCTNet" in section


def test_a_study_of_other_protocols_shows_none(numbers):
    section = published_section(stand(numbers, STUDY, "depth", {"x4": []}), STUDY)
    assert "No published number" in section
    assert "52 of 52" in section


def test_a_metric_not_computed_and_another_unit_keep_apart(numbers):
    crop = stand(
        numbers, summary_of((*MIDDLEBURY, "mae", "bicubic", 1.0, "8-bit disparity")), "depth", {"x4": ["dctnet"]}
    )
    assert "RMSE, which this study does not compute" in set(crop.apart["reason"])
    metres = summary_of(("depth", "nyuv2", "x4", "rmse-crop6", "bicubic", 0.04, "m"))
    apart = stand(numbers, metres, "depth", {"x4": ["dctnet"]})
    assert apart.beside.empty
    assert "RMSE crop 6 in cm, where this study counts in m" in set(apart.apart["reason"])


def test_the_records_of_the_released_code_are_named(numbers):
    summary = summary_of(("focus", "lytro", "real", "q-abf", "sfigf", 0.7, "1"))
    section = published_section(stand(numbers, summary, "focus", {"real": ["mfif"]}), summary)
    assert "PSNR 42.40 dB" in section
    assert "comparable with none of ours" in section
    assert "the 60 images used for model selection" in section


def test_the_sentence_counts(numbers):
    sentence = published_sentence(
        [stand(numbers, STUDY, "depth", {"x4": ["dctnet"]}), stand(numbers, STUDY, "raw", {})]
    )
    assert "2 of 70" in sentence


def one_row(path, **changes):
    row = dict.fromkeys(COLUMNS, "") | {"task": "depth", "dataset": "lu", "condition": "x4", "method": "new"}
    row |= {"metric": "rmse", "value": "1.0", "protocol": "dctnet", "source": "a paper"} | changes
    rows = [row] * int(changes.pop("times", 1))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": " "}, r"line 2 \(new, lu\) has no source"),
        ({"protocol": "dctnett"}, "unknown protocol 'dctnett'"),
        ({"value": ""}, "line 2 has no value"),
        ({"value": "low"}, "no number"),
        ({"times": 2}, "given twice: depth, lu, x4, new, rmse, dctnet, a paper"),
    ],
)
def test_bad_rows_are_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message) as caught:
        read_published(one_row(tmp_path / "published.csv", **changes))
    assert "\n" not in str(caught.value)
