"""Stores of others: what they say is read, or refused in a line; no code of theirs runs, no markup of theirs shows."""

from __future__ import annotations

import collections
import html.parser
from pathlib import Path
from typing import Any

import pytest

from sfigf.checkpoint import load_checkpoint, save_checkpoint
from sfigf.interface import UserError
from sfigf.published import audited_sets, read_index
from sfigf.report.folder import Folder
from sfigf.report.page import write_report
from tests.hostile import gathered, stores_seeds
from tests.hostile.mutations import ended
from tests.hostile.running import Plan, Row, count
from tests.hostile.stores_changes import Touch
from tests.unit import report_folder

NAMES = [reader.name for reader in gathered("stores")]
INPUTS = 8
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """All of it in one process."""
    return {row.reader: row for row in count(Plan(["stores"], NAMES, seed=1, first=0, last=INPUTS))}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_stores_are_read_as_they_stand_or_refused(name: str, rows: dict[str, Row]) -> None:
    assert rows[name].failures == []
    assert rows[name].counts.total() == INPUTS


def test_a_checkpoint_with_code_is_set_aside_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    save_checkpoint(tmp_path / "folder", {"step": Touch()})
    assert load_checkpoint(tmp_path / "folder") is None
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "unreadable.pt"]


@pytest.mark.parametrize(("old", "new"), [
    ('"path": "mini/', '"path": "../../mini/'), ('"path": "mini/depth', '"path": "/depth'),
    ('"bytes": 1', '"bytes": "many"'), ('"seed": 0', '"seed": true'), ('"sha256": "0', '"sha256": null, "x": "0'),
    ('"metrics": [', '"metrics": [1, '), ("{", "[" * 100_000),
])  # fmt: skip
def test_an_index_that_leads_elsewhere_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = stores_seeds.index_file(tmp_path)[0]
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match="not a readable index"):
        read_index(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"depth": 1}', '{"depth": {"sides": {}}}', "[" * 100_000, "\x80"])
def test_an_audit_that_says_nothing_clears_nothing(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "splits.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError) as caught:
        audited_sets(path, "depth")
    ended(str(caught.value))


class _Tags(html.parser.HTMLParser):
    """Every tag with its attributes, and what stands in scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(text)
    return parser.tags


def test_names_of_images_sets_and_units_are_text_in_the_report(tmp_path: Path, monkeypatch: Any) -> None:
    """The same page as with plain names: as many tags of each kind, none with a handler, one script."""
    pages = []
    for folder, names in (("plain", ("plain", "set")), ("evil", (EVIL, EVIL + "set"))):
        images = {names[0]: (names[1], 1.0), "cones": ("cones", 0.5), "cones-2": ("cones", 0.7)}
        monkeypatch.setattr(report_folder, "IMAGES", images)
        monkeypatch.setattr(report_folder, "write_text", _quoted(report_folder.write_text, names))
        results = report_folder.write_study(tmp_path / folder, pictures=True)
        report_folder.write_statistics(results)
        output = tmp_path / f"{folder}.html"
        write_report(Folder(results, tmp_path / folder / "data"), output, commit=names[0])
        pages.append(output.read_text(encoding="utf-8"))
        monkeypatch.undo()
    plain, evil = map(_tags, pages)
    assert "&lt;script&gt;alert(1)" in pages[1]
    assert collections.Counter(tag for tag, _ in evil) == collections.Counter(tag for tag, _ in plain)
    assert not [pair for pair in evil if any(name.startswith("on") for name in pair[1])]
    addresses = [value for _, facts in evil for name, value in facts.items() if name in ("href", "src")]
    assert all(str(address).startswith(("data:", "#")) for address in addresses)


def _quoted(write: Any, names: tuple[str, ...]) -> Any:
    """CSV cells that hold quotation marks, as a CSV file must hold them."""

    def writing(path: Path, text: str) -> None:
        if str(path).endswith(".csv"):
            for name in sorted(names, key=len, reverse=True):
                text = text.replace(f",{name},", f',"{name.replace(chr(34), 2 * chr(34))}",')
        write(path, text)

    return writing
