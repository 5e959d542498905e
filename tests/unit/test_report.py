"""The report: one sound HTML file, nothing from outside, every picture in words, and what the numbers say."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from sfigf.cli.report import report
from sfigf.interface import UserError
from sfigf.report.grids import is_number, robustness, sort_value
from sfigf.report.markup import blocks, inline
from sfigf.report.strips import intervals
from tests.unit.report_folder import HARD, ROOT, RUNS, UNSCORED, write_statistics, write_study

VOID = {"meta", "link", "img", "input", "br", "hr"}
TEXT_ALTERNATIVES = re.compile(r"\w{3,}")


class Page(HTMLParser):
    """What a page holds, and every fault of its structure."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> repeats an attribute: {names}")
        known = {name: value or "" for name, value in attrs}
        self.tags.append((tag, known))
        if "id" in known:
            self.ids.append(known["id"])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing at line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with everything the report knows."""
    folder = tmp_path_factory.mktemp("study")
    write_statistics(write_study(folder))
    return folder


@pytest.fixture(scope="module")
def text(study: Path) -> str:
    """The page as written."""
    output = study / "report.html"
    published = ROOT / "config/published.csv"
    report(study / "results", output, samples=study / "data", published=published, commit="abc1234")
    return output.read_text()


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    """The page as read."""
    return Page(text)


def test_its_structure_is_sound(page: Page) -> None:
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids)), [name for name in page.ids if page.ids.count(name) > 1]
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps), page.headings


def test_every_reference_within_it_leads_somewhere(page: Page) -> None:
    for link in page.all("a"):
        assert link["href"].startswith(("#", "data:"))
        if link["href"].startswith("#"):
            assert link["href"][1:] in page.ids
    for _, attributes in page.tags:
        for name in ("aria-labelledby", "for"):
            if name in attributes:
                assert attributes[name] in page.ids


def test_nothing_comes_from_outside(page: Page, text: str) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "poster", "action", "data"):
            assert not re.match(r"(?i)\s*(?:\w+:)?//", attributes.get(name, "")), (tag, attributes[name][:80])
        if tag in ("img", "link", "script"):
            assert attributes.get("src", "data:").startswith("data:")
    assert not {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base", "form"}
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert not re.search(r"@import|url\(", text)


def test_every_picture_is_told_in_words(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) > 4 * len(RUNS)
    # The stage is empty until the script fills it, with the words of the picture it takes.
    shown = [each for each in pictures if "src" in each]
    assert all(TEXT_ALTERNATIVES.search(each["alt"]) for each in shown)
    assert all("alt" in each for each in pictures)
    assert any(each["alt"] == "motorcycle restored by SFIGF: RMSE 2.400 disparity px, place 2 of 7" for each in shown)
    errors = [each["alt"] for each in shown if each.get("class") == "error"]
    assert len(errors) == 3 * len(RUNS)
    assert all(re.match(r"Absolute error of .+: mean [\d.e-]+ disparity px", alt) for alt in errors)
    assert all(each.get("loading") == "lazy" for each in shown)


def test_the_numbers_stand_there_with_spread_and_marks(page: Page, text: str) -> None:
    assert "A <small> study & its report" in page.text
    assert "± 0.035" in page.text
    assert re.search(r'<span class="mark">1st</span><strong class="best">', text)
    assert re.search(r'<span class="mark">2nd</span><u class="second">', text)
    assert "2 seeds: ± is the sample deviation" in page.text
    assert "Paired differences of RMSE" in page.text
    assert "Ablations of SFIGF" in page.text


def test_failures_are_counted_and_the_hardest_image_is_shown(page: Page) -> None:
    assert "of 3 images SFIGF is best on 0, worse than Bicubic on 1, last of all on 1" in page.text
    assert "on which SFIGF gains least" in page.text
    assert f"viewer-depth-x8-{HARD}" in page.ids
    assert "Undefined values" in page.text
    assert any("without a truth" in text or "It has no truth" in text for text in page.words)
    assert f"viewer-depth-x8-{UNSCORED}" in page.ids


def test_the_origin_of_every_run_is_told(page: Page) -> None:
    assert "abc1234" in page.text
    files = {link["download"]: link["href"] for link in page.all("a") if "download" in link}
    facts = json.loads(base64.b64decode(files["provenance.json"].partition(",")[2]))
    assert len(facts) == 12
    ours = next(each for each in facts if each["run"] == "depth/x8/sfigf/full/seed1")
    assert ours["trained"]["config_digest"] == "c0ffee"
    assert ours["training"] == {"seconds": 86.2, "device": "cpu"}
    assert re.fullmatch(r"[0-9a-f]{16}", ours["code"])
    assert all(re.fullmatch(r"[0-9a-f]{64}", each["test_data"]) for each in facts)


def test_tables_can_be_saved_as_csv_and_latex(page: Page) -> None:
    files = {link["download"]: link["href"] for link in page.all("a") if "download" in link}
    names = [name.removesuffix(".csv") for name in files if name.startswith("depth-x8") and name.endswith(".csv")]
    assert len(names) >= 6
    assert all(f"{name}.tex" in files for name in names)
    table = base64.b64decode(files["depth-x8-all.csv"].partition(",")[2]).decode()
    assert table.splitlines()[0].startswith("Method,Kind,RMSE [disparity px] ↓")
    assert len(table.splitlines()) == 1 + len(RUNS)
    assert r"\toprule" in base64.b64decode(files["depth-x8-all.tex"].partition(",")[2]).decode()
    assert files["depth.csv"].startswith("data:text/plain")


def test_the_same_study_gives_the_same_page(study: Path, text: str) -> None:
    again = study / "again.html"
    published = ROOT / "config/published.csv"
    report(study / "results", again, samples=study / "data", published=published, commit="abc1234")
    assert again.read_text() == text


def test_what_is_absent_is_left_out(tmp_path: Path) -> None:
    results = write_study(tmp_path, pictures=False)
    report(results, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert page.faults == []
    assert not [name for name in page.ids if name.startswith("viewer-")]
    assert "Paired differences" not in page.text
    assert "Ours beside published" not in page.text
    assert "SFIGF beats" in page.text


def test_without_any_table_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("tasks: {depth: {}}")
    with pytest.raises(UserError, match="holds no table"):
        report(tmp_path, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_it_needs_no_torch(study: Path) -> None:
    code = (
        "import sys\nfrom sfigf.cli.report import report\nfrom pathlib import Path\n"
        f"report(Path({str(study / 'results')!r}), Path({str(study / 'light.html')!r}))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_markup_escapes_and_nests() -> None:
    assert inline("**a** <b> `c` <u>2</u>") == "<strong>a</strong> &lt;b&gt; <code>c</code> <u>2</u>"
    nested = blocks("# left out\n\nwords\nmore\n\n- one\n  - two\n- three")
    assert nested == "<p>words more</p>\n<ul><li>one<ul><li>two</li></ul></li><li>three</li></ul>"
    assert "<th scope='row'>Crop</th><td>none</td>" in blocks("| Card | x |\n| --- | --- |\n| Crop | none |")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5 k", "1500.0"), ("2.345 ± 0.1", "2.345"), ("-0.5", "-0.5"), ("+3", "3.0"), ("n/a", ""), ("4 of 7", "4.0")],
)
def test_cells_sort_by_their_number(text: str, value: str) -> None:
    assert is_number(text)
    assert sort_value(text) == value


def test_a_digest_is_no_number() -> None:
    assert not is_number("433f0eddd2")
    assert sort_value("SVLRM") == "svlrm"


def test_intervals_point_to_the_right_where_the_first_is_better() -> None:
    row = {"metric": "rmse", "unit": "px", "higher_is_better": False, "condition": "x8", "method": "sfigf"}
    row |= {"variant": "full", "against_method": "bicubic", "against_variant": "full"}
    rows = pd.DataFrame([row | {"mean_difference": 0.5, "low": 0.2, "high": 0.8}])
    drawn = intervals(rows)
    assert drawn is not None
    assert drawn.lines[0].mean > drawn.zero
    assert drawn.lines[0].interval is not None
    assert intervals(rows.assign(low=float("nan"))) is None


def test_curves_name_the_ordinary_level_and_mark_the_best_of_each() -> None:
    runs = {("bicubic", "full"): (2.0, 4.0), ("sfigf", "full"): (1.0, 5.0)}
    row = {"dataset": "all", "perturbation": "guide-shift", "unit": "px", "level_unit": "px", "higher_is_better": False}
    rows = [
        row | {"method": method, "variant": variant, "level": level, "nominal": level == 0, "mean": mean}
        for (method, variant), means in runs.items()
        for level, mean in zip((0.0, 1.0), means, strict=True)
    ]
    table = robustness("curves", "x8", "rmse", pd.DataFrame(rows), list(runs))
    assert table.heads == ["Method", "0 px (ordinary)", "1 px"]
    assert [[cell.rank for cell in line] for line in table.rows] == [[0, 2, 1], [0, 1, 2]]
