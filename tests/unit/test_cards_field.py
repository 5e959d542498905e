"""The cards of the field's data sets: complete, with a reader, splits that hold, and honest about what was tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import sfigf.datasets  # noqa: F401 (registers the readers)
from sfigf.cards import Card, load_card
from sfigf.registry import registered

ROOT = Path(__file__).parents[2]
CARDS = {path.stem: path for path in sorted((ROOT / "config" / "datasets").glob("*.yaml"))}
ENTRIES = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in CARDS.items()}
FIELD = [name for name, entry in ENTRIES.items() if "get" in entry]


def _card(name: str) -> Card:
    return load_card(CARDS[name])


@pytest.mark.parametrize("name", CARDS)
def test_every_card_is_named_after_its_file_and_has_a_reader(name: str) -> None:
    card = _card(name)
    assert card.name == name
    assert name in registered("dataset")
    assert card.tasks
    for said in (card.title, card.licence, card.citation, card.unit, card.split):
        assert said.strip()
    assert re.match(r"https?://\S+$", card.homepage)


@pytest.mark.parametrize("name", FIELD)
def test_a_set_of_the_field_says_how_to_get_it_and_what_to_expect(name: str) -> None:
    card = _card(name)
    assert card.get is not None
    assert card.carrier is None
    assert card.members
    assert len(card.get.steps.split()) >= 5, "one or two plain sentences"
    assert card.expect.scenes, "how many scenes"
    assert card.expect.arrays, "what each scene holds"
    if card.get.access != "open":
        assert not card.get.address, "sets on request or behind a form are never fetched"


@pytest.mark.parametrize("name", FIELD)
def test_splits_are_disjoint_fit_the_set_and_have_the_numbers_the_card_says(name: str) -> None:
    card = _card(name)
    scenes = [scene for part in card.parts.values() for scene in part]
    assert len(scenes) == len(set(scenes)) <= (card.expect.scenes or 0)
    said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", f"{card.split} {card.notes}")}
    for part, names in card.parts.items():
        assert names, f"{part} is empty"
        assert len(names) in said, f"{part} has {len(names)} scenes, and the card does not say so"


def test_every_split_file_belongs_to_a_card_and_says_where_it_comes_from() -> None:
    named = {Path(file).name for entry in ENTRIES.values() for file in entry.get("parts", {}).values()}
    files = sorted((ROOT / "config" / "splits").glob("*"))
    assert {file.name for file in files} == named
    for file in files:
        assert file.read_text(encoding="utf-8").startswith("# "), f"{file.name} does not say whose split it is"


@pytest.mark.parametrize("name", [name for name in FIELD if ENTRIES[name].get("tested")])
def test_a_tested_card_pins_the_real_files(name: str) -> None:
    """Tested means that the reader has read these very files; they lie beside the checkout, or the test is skipped."""
    sums = ROOT.parent / "shared" / "data" / "SHA256SUMS"
    if not sums.is_file():
        pytest.skip("real files not present: ../shared/data")
    lines = (line.split() for line in sums.read_text(encoding="utf-8").splitlines())
    real = {path.removeprefix("./"): digest for digest, path in lines}
    card = _card(name)
    assert card.get is not None
    assert {f"{card.get.folder}/{m.path}": m.sha256 for m in card.members.values()} == {
        path: digest for path, digest in real.items() if path.startswith(f"{card.get.folder}/")
    }


@pytest.mark.parametrize("name", FIELD)
def test_the_page_of_data_sets_agrees_with_the_card(name: str) -> None:
    card = _card(name)
    assert card.get is not None
    lines = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1, "docs/data.md lists every set once"
    (_, task, _, _, _, access, tested) = rows[0]
    assert [task] == card.tasks
    assert (access, tested) == (card.get.access, "yes" if card.tested else "no")
