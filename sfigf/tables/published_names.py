"""From the words of the papers to ours: how ``config/published.csv`` is made from the numbers as collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DATASETS = {
    "middlebury": "middlebury-30",
    "lu": "lu",
    "rgbdd": "rgbdd",
    "nyuv2": "nyuv2",
    "wv3": "wv3",
    "real-mff": "real-mff",
    "sid-sony": "sid",
}
# The first words of a protocol as its source states it; what is not here follows none of ours.
PROTOCOLS = {
    "PIL-bicubic down and up in float, full image": "dctnet",
    "PIL-bicubic LR (float), per-image min-max": "dctnet",
    "6 px crop everywhere; Middlebury/Lu scaled by 255": "sgnet",
    "6 px crop": "jiif",
    "full image, clamped, RGB, torch-bicubic up": "pgsr",
    "PanCollection WV3: 20 reduced-resolution": "dlpan-rr",
    "ground-truth exposure ratio used": "sid-all",
    "full SID test set": "sid-all",
    "0.1 s inputs only": "sid-0.1s",
}
CONDITIONS = {
    "reduced": "x4",
    "full": "x4",
    "validation": "x4",
    "test-60": "real",
    "all": "mono-estimated",
    "0.1s-only": "mono-estimated",
}
METHODS = {"sid": "sid-unet"}
# Khan's D_lambda: with Wang and Bovik's the EXP row would be 0, and HQNR is the product with just this one.
METRICS = {"q8": "q4", "d_lambda": "d-lambda-k", "d_s": "d-s"}
UNITS = {"deg": "degree"}


def all_in_our_words(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return every row of ``config/published.csv``; a protocol stated "as above" is that of the row before."""
    stated, ours = "", []
    for row in rows:
        stated = stated if row["protocol"] == "as above" else row["protocol"]
        ours.append(in_our_words(row, stated))
    return ours


def in_our_words(row: Mapping[str, str], stated: str) -> dict[str, str]:
    """Return a row of ``config/published.csv``.

    Args:
        row: A number as collected, under the columns task, dataset, condition, method, metric, value, ... , status.
        stated: Its protocol in the words of the source ("as above" resolved).

    Raises:
        KeyError: If the data set is unknown; a number on another set needs a name first.
    """
    protocol = _protocol(row, stated)
    changed = {
        "dataset": _dataset(row, protocol),
        "condition": _condition(row, protocol),
        "method": METHODS.get(row["method"], row["method"]),
        "metric": _metric(row, protocol, stated),
        "unit": UNITS.get(row["unit"], row["unit"]),
        "protocol": protocol,
        "protocol_as_stated": stated,
    }
    return {**row, **changed}


def _protocol(row: Mapping[str, str], stated: str) -> str:
    found = next((name for words, name in PROTOCOLS.items() if stated.startswith(words)), "")
    return "dlpan-fr" if (found, row["condition"]) == ("dlpan-rr", "full") else found


def _dataset(row: Mapping[str, str], protocol: str) -> str:
    return "sid-0p1s" if protocol == "sid-0.1s" else DATASETS[row["dataset"]]


def _condition(row: Mapping[str, str], protocol: str) -> str:
    quantised = protocol == "sgnet" and row["dataset"] in ("middlebury", "lu")
    return f"{row['condition']}-uint8" if quantised else CONDITIONS.get(row["condition"], row["condition"])


def _metric(row: Mapping[str, str], protocol: str, stated: str) -> str:
    """Another crop or another SSIM is another metric."""
    if row["metric"] == "rmse":
        cropped = protocol in ("jiif", "sgnet") or (protocol == "dctnet" and row["dataset"] == "nyuv2")
        return "rmse-crop6" if cropped else "rmse"
    if row["metric"] == "ssim":
        return {"focus": "ssim-zero-padded", "pan": "ssim-zero-padded", "raw": _raw_ssim(stated)}[row["task"]]
    return METRICS.get(row["metric"], row["metric"])


def _raw_ssim(stated: str) -> str:
    """RED's table says MATLAB's; DBLE uses scikit-image's default, and its users its code."""
    return "ssim-matlab" if "MATLAB" in stated else "ssim-uniform"
