"""Compute every row that is ours and hold it against the reference's value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from sfigf.calibration import depth, display, focus, pan
from sfigf.calibration.rows import Evaluator, HeldElsewhere, NotOurs, Result, Row, Verdict, compared


def _elsewhere(folder: Path, data: Path | None, test: str) -> Evaluator:
    def evaluate(row: Row) -> float:
        raise HeldElsewhere(f"an array, not a number: held by {test}")

    return evaluate


# Each takes the folder of the reference values and the folder of the data sets, and gives what computes a row.
SETS: dict[str, Callable[[Path, Path | None], Evaluator]] = {
    "pan_wv2_rr": pan.reduced,
    "pan_wv2_fr": pan.full,
    "pan_wv2_kernels": partial(_elsewhere, test="tests/parity/test_pan_filters.py"),
    "mff_savic_01": partial(focus.fused, name="mff_savic_01"),
    "mff_stand_01": partial(focus.fused, name="mff_stand_01"),
    "mff_newspaper": partial(focus.fused, name="mff_newspaper"),
    "vifb_walking2": partial(focus.fused, name="vifb_walking2"),
    "ssim_psnr": display.pairs,
    "depth_sample": depth.samples,
    "depth_bicubic.csv": depth.tables,
    "resize": partial(_elsewhere, test="tests/parity/test_resize.py and test_pan_filters.py"),
}


def calibrate(rows: Iterable[Row], reference: str | Path, data: str | Path | None = None) -> Iterator[Result]:
    """Yield the result of every row, in order, as it is computed.

    Args:
        rows: From ``read_rows``; those of one set together, or its arrays are read again.
        reference: The folder they were read from, with the arrays of every set.
        data: Folder of the data sets; without it rows that need whole data sets are not computed.

    Raises:
        UserError: If the arrays of a set are missing.
    """
    name, evaluate = "", None
    for row in rows:
        if row.set != name or evaluate is None:
            name = row.set
            evaluate = SETS.get(name, _unknown)(Path(reference), None if data is None else Path(data))
        yield _result(row, evaluate)


def _unknown(folder: Path, data: Path | None) -> Evaluator:
    def evaluate(row: Row) -> float:
        raise NotOurs(f"no function of ours is set beside {row.set}")

    return evaluate


def _result(row: Row, evaluate: Evaluator) -> Result:
    try:
        return compared(row, evaluate(row))
    except NotOurs as reason:
        return Result(row, None, Verdict.NOT_OURS, str(reason))
    except HeldElsewhere as reason:
        return Result(row, None, Verdict.ELSEWHERE, str(reason))
