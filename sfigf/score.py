"""Scores: one row per image and metric, of what a method restored, in physical units."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.files import write_text
from sfigf.interface import Sample, UserError
from sfigf.registry import lookup
from sfigf.store import RecordFile, SampleFile

COLUMNS = (
    "task", "condition", "dataset", "image", "method", "variant", "seed", "metric", "value", "unit", "higher_is_better",
)  # fmt: skip


def score_sample(restored: np.ndarray, sample: Sample, metrics: Iterable[str]) -> list[dict[str, Any]]:
    """Score one image with every metric that applies to it.

    A metric that needs the truth is left out where there is none. One that needs none is used where there is no truth,
    and where its class says ``with_truth = True`` also beside it.

    Raises:
        UserError: If ``restored`` has not the shape of the truth, or holds NaN or inf.
    """
    if sample.truth is not None and restored.shape != sample.truth.shape:
        raise UserError(f"{sample.name}: restored {restored.shape} but the truth is {sample.truth.shape} (C,H,W)")
    if not np.isfinite(restored).all():
        raise UserError(f"{sample.name}: the restored image holds NaN or infinite values; it cannot be scored")
    rows = []
    for name in metrics:
        metric = lookup("metric", name)()
        fits = sample.truth is not None if metric.needs_truth else _fits_without_truth(metric, sample)
        if fits:
            rows.append(
                {
                    "metric": name,
                    "value": metric(restored, sample),
                    "unit": _unit(metric, sample),
                    "higher_is_better": metric.higher_is_better,
                }
            )
    return rows


def _fits_without_truth(metric: Any, sample: Sample) -> bool:
    return sample.truth is None or getattr(metric, "with_truth", False)


def _unit(metric: Any, sample: Sample) -> str:
    """A metric's unit, or that of this sample where the metric counts in what was measured."""
    return metric.unit_of(sample) if hasattr(metric, "unit_of") else metric.unit


def score_run(run: dict[str, Any], metrics: Iterable[str], samples: str | Path, restored: str | Path) -> list[dict]:
    """Score every image of a run; ``run`` holds task, condition, method, variant and seed.

    Raises:
        UserError: If the restored images are not those of the samples.
    """
    metrics = list(metrics)
    truths, results = SampleFile(samples), RecordFile(restored)
    if truths.records.names != results.names:
        raise UserError(f"{restored}: restores {results.names}, but {samples} holds {truths.records.names}")
    rows = []
    for index, sample in enumerate(truths):
        image = {"dataset": sample.meta.get("dataset", ""), "image": sample.name}
        rows += [run | image | row for row in score_sample(results.array(index, "restored"), sample, metrics)]
    return rows


def write_scores(path: str | Path, rows: list[dict[str, Any]]) -> None:
    """Write score rows as CSV, values to ten significant digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "value": f"{row['value']:.10g}"} for row in rows)
    write_text(path, text.getvalue())
