"""The front page: results of a run between two markers, the same bytes each time, nothing else touched."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sfigf.cli import main
from sfigf.interface import UserError
from sfigf.readme import BEGIN, END, MAX_BYTES, refresh_page, shrink_picture
from sfigf.tables.scores import COLUMNS, write_table
from sfigf.tables.summary import summarise_scores
from tests.conftest import ROOT

GROUPS = {
    ("exp", "full"): "classical",
    ("fusionnet", "full"): "feature-level",
    ("sfigf", "image-only"): "ablation",
    ("sfigf", "full"): "both",
}
PAGE = f"# Title\n\nabove\n\n{BEGIN}\nstale words\n{END}\n\nbelow\n"


def write_summary(path, task, condition, metric, values, higher=False):
    """Summary of two images per run, whose mean is the value, with a second metric that must not be shown."""
    rows = [
        (task, condition, "set", image, *run, 0, name, mean + shift, "", higher)
        for run, mean in zip(GROUPS, values, strict=True)
        for image, shift in (("a", -0.5), ("b", 0.5))
        for name in (metric, "second")
    ]
    write_table(path, summarise_scores(pd.DataFrame(rows, columns=list(COLUMNS)), GROUPS, [metric, "second"]))
    return path


@pytest.fixture
def results(tmp_path):
    """A page, two summaries and three pictures."""
    (tmp_path / "page.md").write_text(PAGE)
    raw = write_summary(tmp_path / "raw.csv", "raw", "mono", "psnr", (20, 22, 21, 23.25), higher=True)
    pan = write_summary(tmp_path / "pan.csv", "pan", "x4", "ergas", (3, 1.5, 2.5, 2))
    noise = np.random.default_rng(0).integers(0, 255, (900, 1800, 3)).astype(np.uint8)
    for name in ("raw-mono", "raw-red-oracle", "pan-x4"):
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    pictures = [f"{name.partition('-')[0]}={tmp_path / name}.png" for name in ("raw-mono", "raw-red-oracle", "pan-x4")]
    return tmp_path, [raw, pan], pictures


def refreshed(results):
    folder, summaries, pictures = results
    refresh_page(folder / "page.md", summaries, pictures, folder / "docs/images", folder / "page.md")
    return (folder / "page.md").read_text()


def test_every_method_stands_in_its_tasks_row_and_the_best_is_bold(results):
    lines = refreshed(results).splitlines()
    pan, raw = (next(line for line in lines if line.startswith(f"| {start}")) for start in ("Pan", "Low-light"))
    assert "| 2 | EXP 3.000 | **FusionNet 1.500** | image-only 2.500 | 2.000 |" in pan
    assert "| 2 | EXP 20.00 | FusionNet 22.00 | image-only 21.00 | **23.25** |" in raw
    assert lines.index(pan) < lines.index(raw)
    assert "second" not in "".join(lines)


def test_what_stands_around_the_markers_is_kept_and_twice_changes_nothing(results):
    once = refreshed(results)
    assert once.startswith(f"# Title\n\nabove\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nbelow\n")
    assert "stale words" not in once
    pictures = {path.name: path.read_bytes() for path in (results[0] / "docs/images").iterdir()}
    assert refreshed(results) == once
    assert {path.name: path.read_bytes() for path in (results[0] / "docs/images").iterdir()} == pictures
    assert sorted(pictures) == ["pan.jpg", "raw.jpg"]


def test_pictures_are_linked_from_the_page_and_small(results):
    text = refreshed(results)
    assert "](docs/images/pan.jpg)\n\nThe same for [low-light raw restoration](docs/images/raw.jpg)." in text
    for path in (results[0] / "docs/images").iterdir():
        assert path.stat().st_size <= MAX_BYTES
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert picture.width == pytest.approx(2 * picture.height, abs=2)


def test_a_small_picture_keeps_its_size(tmp_path):
    Image.new("RGBA", (120, 40), "red").save(tmp_path / "p.png")
    shrink_picture(tmp_path / "p.png", tmp_path / "p.jpg")
    with Image.open(tmp_path / "p.jpg") as picture:
        assert picture.size == (120, 40)


@pytest.mark.parametrize("page", ["no markers", f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN}", f"{BEGIN} {END} {END}"])
def test_a_page_without_its_two_markers_is_left_alone(results, page):
    (results[0] / "page.md").write_text(page)
    with pytest.raises(UserError, match="needs one line"):
        refreshed(results)
    assert (results[0] / "page.md").read_text() == page


@pytest.mark.parametrize(
    ("picture", "says"),
    [("depht=x.png", "not TASK=FILE"), ("depth", "not TASK=FILE"), ("depth=none.png", "none.png: not a readable")],
)
def test_a_picture_that_cannot_be_placed_is_named(results, picture, says):
    folder, summaries, _ = results
    with pytest.raises(UserError, match=says):
        refresh_page(folder / "page.md", summaries, [picture], folder / "images", folder / "page.md")


def test_our_own_page_can_be_refreshed_by_the_command(results):
    folder, summaries, pictures = results
    words = ["readme", "--readme", str(ROOT / "README.md"), "--output", str(folder / "README.md")]
    words += [part for path in summaries for part in ("--summary", str(path))] + ["--picture", pictures[0]]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--pictures", str(folder / "docs/images")])
    assert ended.value.code == 0
    ours, new = (ROOT / "README.md").read_text(), (folder / "README.md").read_text()
    assert new.partition(BEGIN)[0] == ours.partition(BEGIN)[0]
    assert new.partition(END)[2] == ours.partition(END)[2]
    assert "**23.25**" in new
