"""Archives that climb out, double, bomb or lie: the members a card names and their bytes, or one line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sfigf.cards import load_card, load_carriers
from sfigf.interface import UserError
from tests.hostile import gathered
from tests.hostile.mutations import ended
from tests.hostile.running import Plan, Row, count

NAMES = [reader.name for reader in gathered("archives")]
INPUTS = 20
CARRIER = {
    "kind": "index", "project": "gift", "licence": "l", "origin": "o", "version": "1", "file": "gift-1.0.tar.gz",
    "sha256": "0" * 64, "size_bytes": 1,
}  # fmt: skip
CARD = {
    "name": "cones", "title": "t", "tasks": ["depth"], "carrier": "gift", "licence": "l", "citation": "c",
    "homepage": "h", "unit": "px", "split": "s",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """All of it in one process."""
    return {row.reader: row for row in count(Plan(["archives"], NAMES, seed=2, first=0, last=INPUTS))}


@pytest.mark.parametrize("name", NAMES)
def test_hostile_archives_give_the_named_bytes_or_a_line(name: str, rows: dict[str, Row]) -> None:
    assert rows[name].failures == []
    assert rows[name].counts.total() == INPUTS


@pytest.mark.parametrize("change", [
    {"file": "../../outside.tar.gz"}, {"file": "/tmp/x"}, {"file": "$(touch pwned)"}, {"file": "-rf"}, {"file": "a b"},
    {"file": "{file}"}, {"file": ".."}, {"project": "../admin"}, {"project": "a/b"}, {"project": "-r"},
    {"kind": "installed", "package": "os; touch"}, {"kind": "installed", "package": "../x"},
])  # fmt: skip
def test_a_carrier_names_a_plain_file_project_and_package(change: dict[str, Any], tmp_path: Any) -> None:
    (path := tmp_path / "carriers.yaml").write_text(yaml.safe_dump({"gift": CARRIER | change}))
    with pytest.raises(UserError) as caught:
        load_carriers(path)
    assert list(change)[-1] in ended(str(caught.value))


@pytest.mark.parametrize("name", ["--help", "-o", "$(touch pwned)", "a b", "a\nb", "", "../x", "1:2"])
def test_a_carrier_has_a_plain_name(name: str, tmp_path: Any) -> None:
    (path := tmp_path / "carriers.yaml").write_text(yaml.safe_dump({name: CARRIER}))
    with pytest.raises(UserError, match="a name is of a-z"):
        load_carriers(path)


@pytest.mark.parametrize("member", [
    {"path": "../x"}, {"path": "a/../../x"}, {"path": "/etc/passwd"}, {"path": ""}, {"path": ".."}, {"path": "a\nb"},
    {"path": "a", "pattern": "../*", "count": 1}, {"path": "a", "pattern": "/*", "count": 1},
    {"path": "a", "pattern": "", "count": 1}, {"path": "a\0b"},
])  # fmt: skip
def test_a_member_stays_in_its_folder(member: dict[str, Any], tmp_path: Any) -> None:
    pinned = member | ({} if "pattern" in member else {"sha256": "0" * 64})
    (path := tmp_path / "cones.yaml").write_text(yaml.safe_dump(CARD | {"members": {"m": pinned}}))
    with pytest.raises(UserError) as caught:
        load_card(path)
    assert "members" in ended(str(caught.value))


def test_a_card_holds_nothing_that_a_prepared_set_cannot(tmp_path: Any) -> None:
    (path := tmp_path / "cones.yaml").write_text(yaml.safe_dump(CARD) + "meta: {taken: 2001-01-01}\n")
    with pytest.raises(UserError, match=r"meta\.taken: a date"):
        load_card(path)
