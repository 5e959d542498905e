"""``sfigf calibrate``: ours beside theirs, on reference values made up here."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sfigf.calibration import Result, Row, Verdict, calibrate, read_rows
from sfigf.calibration.report import line, summary
from sfigf.calibration.rows import COLUMNS, compared
from sfigf.cli import measure
from sfigf.interface import UserError
from sfigf.metrics.display import psnr
from sfigf.metrics.fusion import entropy

app = typer.Typer()
app.command()(measure.calibrate)


@app.callback()
def _several() -> None:
    """Keep ``calibrate`` a sub-command, as it is in ``sfigf``."""


def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 24, 3), dtype=np.uint8), rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sets with arrays, one that a test holds, one that nobody knows."""
    first, second = images()
    np.savez(tmp_path / "ssim_psnr.npz", ref=first, noisy=second)
    np.savez(tmp_path / "mff_savic_01.npz", A=first, B=second, F_GFF=first)
    truth, restored = (image.astype(np.float64).transpose(2, 0, 1) for image in (first, second))
    rows = [
        ("ssim_psnr", "PSNR", "ref/noisy;rgb joint peak 255", psnr(truth, restored, 255), "x", "1e-9"),
        ("ssim_psnr", "SSIM_skimage_uniform7", "ref/noisy;rgb", 0.5, "x", "1e-6"),
        ("mff_savic_01", "VIFB.Entropy", "GFF;rgb", entropy(truth), "x", "1e-9"),
        ("mff_savic_01", "VIFB.Nobody", "GFF;rgb", 1.0, "x", "1e-9"),
        ("resize", "matlab_imresize_down4", "max", 0.0, "x", "1e-8 (float64)"),
        ("mystery", "M", "o", 1.0, "x", "1e-6"),
    ]
    write(tmp_path, rows)
    return tmp_path


def write(folder: Path, rows: list[tuple]) -> None:
    with (folder / "expected.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])


def run(folder: Path, *options: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["calibrate", "--reference", str(folder), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


def spoil(folder: Path) -> None:
    path = folder / "expected.csv"
    lines = path.read_text().splitlines()
    lines[3] = "mff_savic_01,VIFB.Entropy,GFF;rgb,1.25,x,1e-6"
    path.write_text("\n".join(lines) + "\n")


def test_every_row_is_told_and_every_set_summed_up(folder: Path) -> None:
    code, lines = run(folder)
    assert code == 0
    assert len(lines) == 6 + 4
    assert lines[0].startswith("equal     ssim_psnr         PSNR ")
    assert lines[1].startswith("not ours")
    assert "7x7 box window" in lines[1]
    assert lines[2].startswith("ssim_psnr: 2 rows, 1 equal, 1 not ours; largest difference")
    assert "nothing of ours is called VIFB.Nobody" in lines[4]
    assert lines[6].startswith("elsewhere")
    assert "test_resize.py" in lines[6]
    assert lines[9] == "mystery: 1 rows, 1 not ours"


def test_a_wrong_value_is_reported_and_exits_1(folder: Path) -> None:
    spoil(folder)
    code, lines = run(folder, "--only-wrong")
    assert code == 1
    assert [line for line in lines if line.startswith("wrong")] == [lines[1]]
    assert all(part in lines[1] for part in ("VIFB.Entropy", "1.25", "1.0e-06"))
    assert len(lines) == 1 + 4


def test_one_set_alone(folder: Path) -> None:
    spoil(folder)
    code, lines = run(folder, "--set", "ssim_psnr", "--set", "resize")
    assert code == 0
    assert [line.split(":")[0] for line in lines if ": " in line and "rows" in line] == ["ssim_psnr", "resize"]


def test_the_table_holds_numbers_in_full(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "calibration.csv"
    run(folder, "--output", str(output))
    with output.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    first, second = (image.astype(np.float64).transpose(2, 0, 1) for image in images())
    assert len(rows) == 6
    assert float(rows[0]["ours"]) == psnr(first, second, 255)
    assert (rows[1]["ours"], rows[1]["verdict"]) == ("", "not ours")
    assert rows[1]["why"]


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^reference values not present: no .*expected\.csv; name the folder"):
        measure.calibrate(tmp_path / "nowhere")


def test_missing_arrays_and_unknown_sets_are_one_line(folder: Path) -> None:
    (folder / "ssim_psnr.npz").unlink()
    with pytest.raises(UserError, match=r"ssim_psnr\.npz: missing or no NumPy archive"):
        measure.calibrate(folder)
    with pytest.raises(UserError, match=r"unknown set 'ssim', did you mean 'ssim_psnr'\?"):
        measure.calibrate(folder, ["ssim"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set,metric\n", "no column options, reference, tolerance, value"),
        (",".join(COLUMNS) + "\ns,m,o,seven,x,1\n", "line 2: value or tolerance is no number"),
        (",".join(COLUMNS) + "\ns,m,o\n", "line 2: value or tolerance is no number"),
    ],
)
def test_a_broken_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "expected.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_rows(tmp_path)


@pytest.mark.parametrize(
    ("theirs", "ours", "verdict"),
    [
        (1.0, 1.05, "equal"),
        (1.0, 1.2, "wrong"),
        (np.nan, np.nan, "equal"),
        (np.nan, 1.0, "wrong"),
        (1.0, np.nan, "wrong"),
    ],
)
def test_nan_equals_nan_alone(theirs: float, ours: float, verdict: str) -> None:
    row = Row("s", "m", "o", theirs, 0.1, "x")
    assert compared(row, ours) == Result(row, ours, Verdict(verdict))


def test_values_undefined_in_both_are_counted() -> None:
    row = Row("s", "m", "o", np.nan, None, "x")
    results = [compared(row, np.nan), compared(Row("s", "m", "o", 1.0, 0.5, "x"), 1.25)]
    assert summary("s", results) == "s: 2 rows, 2 equal (1 undefined in both); largest difference 0.5 x tolerance"
    assert "nan" in line(results[0])


def test_maps_that_are_not_at_hand_are_named(tmp_path: Path) -> None:
    row = Row("depth_bicubic.csv", "rmse_full", "Lu mean of per-image; x4", 2.4193, 1e-4, "x")
    (result,) = calibrate([row], tmp_path)
    assert result.verdict is Verdict.NOT_OURS
    assert "the maps of Lu are not at hand" in result.why
