"""A person's own copy: found in order, completed where the set is open, and said plainly where it is not whole."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfigf.cards import Card, load_card
from sfigf.collect import collect, look_everywhere, next_step
from sfigf.datasets.members import open_members
from sfigf.interface import UserError
from sfigf.status import describe
from sfigf.transfer import Patience

FILES = {"a.bin": b"first" * 50, "sub/b.bin": b"second" * 70}
TEXTS = dict.fromkeys(("title", "licence", "citation", "homepage", "unit", "split"), "text")
CONFIG = Path(__file__).parents[2] / "config"


def card(access: str = "open", address: str = "", **members: Any) -> Card:
    pins = {
        f"role-{i}": {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        for i, (path, data) in enumerate(FILES.items())
    }
    get = {"folder": "gift", "access": access, "address": address, "steps": "Ask the giver."}
    facts = {"name": "photos", "tasks": ["raw"], "carrier": None, "get": get, "members": members or pins}
    return Card.model_validate(facts | TEXTS)


def fill(folder: Path, *paths: str) -> Path:
    for path in paths or FILES:
        (folder / "gift" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "gift" / path).write_bytes(FILES[path])
    return folder


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the files of the set are served from."""
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    fill(tmp_path / "served")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "served" / "gift"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_the_own_folder_comes_before_the_mirrors_and_a_broken_copy_is_passed_over(tmp_path: Path) -> None:
    own, mirror, last = tmp_path / "own", fill(tmp_path / "mirror"), fill(tmp_path / "last")
    output = tmp_path / "gift.json"
    assert collect(card(), own, [mirror, last], output) == mirror / "gift"
    (mirror / "gift" / "a.bin").write_bytes(b"other")
    assert collect(card(), own, [mirror, last], output) == last / "gift"
    fill(own)
    assert collect(card(), own, [mirror, last], output) == own / "gift"
    assert json.loads(output.read_text())["folder"] == (own / "gift").as_posix()
    found = open_members(card(), None, output, tmp_path)
    assert found["role-1"].read_bytes() == FILES["sub/b.bin"]


def test_an_open_set_is_completed_from_its_address(tmp_path: Path, address: str) -> None:
    own = fill(tmp_path / "own", "a.bin")
    assert collect(card(address=address), own, [], tmp_path / "gift.json") == own / "gift"
    assert {path.name for path in (own / "gift").rglob("*") if path.is_file()} == {"a.bin", "b.bin"}


def test_wrong_bytes_from_the_address_leave_nothing(tmp_path: Path, address: str) -> None:
    (tmp_path / "served" / "gift" / "a.bin").write_bytes(b"wrong" * 50)
    with pytest.raises(UserError, match=r"a.bin: not the file that the card of photos names"):
        collect(card(address=address), tmp_path / "own", [], tmp_path / "gift.json", Patience(1, 1.0, 0.01))
    assert not list((tmp_path / "own").rglob("*.bin*"))
    assert not (tmp_path / "gift.json").exists()


def test_a_set_by_request_is_never_fetched(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is missing \(.*a.bin is missing and 1 more\). Ask the giver \(its publisher"):
        collect(card("request"), tmp_path / "own", [], tmp_path / "gift.json")
    with pytest.raises(ValueError, match="is never fetched"):
        card("request", address="https://example.org/gift/")


def test_a_folder_counts_its_files(tmp_path: Path) -> None:
    folder = {"shots": {"path": "sub", "pattern": "*.bin", "count": 2}}
    fill(tmp_path)
    copy = look_everywhere(card(**folder), tmp_path)
    assert (copy.state, copy.problems) == ("partly there", ("1 of 2 files sub/*.bin",))
    assert f"Its folder: {(tmp_path / 'gift').as_posix()}" in next_step(card(**folder), copy, tmp_path)
    (tmp_path / "gift" / "sub" / "c.bin").write_bytes(b"")
    assert look_everywhere(card(**folder), tmp_path).state == "ready"
    assert open_members(card(**folder), None, tmp_path / "gift", tmp_path)["shots"] == tmp_path / "gift" / "sub"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "../a"}, "leaves the folder"),
        ({"path": "a", "pattern": "*"}, "needs pattern and count"),
        ({"path": "a", "sha256": None}, "what is fetched needs sha256"),
    ],
)
def test_cards_that_cannot_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card(address="https://example.org/gift/", shots=changes)


def test_status_names_every_set_and_what_to_do(tmp_path: Path) -> None:
    text = describe(CONFIG / "datasets", CONFIG / "carriers.yaml", tmp_path / "own", [], tmp_path / "fetched")
    lines = {line.split()[0]: line for line in text.splitlines()[2:] if line[:1].strip()}
    assert set(lines) == {path.stem for path in (CONFIG / "datasets").glob("*.yaml")}
    assert " ready " in lines["motorcycle"]
    assert " missing " in lines["cones"]


def test_status_reads_a_whole_copy_and_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    facts = card(shot={"path": "a.bin"}).model_dump(mode="json")
    (cards / "photos.yaml").write_text(json.dumps(facts))
    assert load_card(cards / "photos.yaml").get is not None
    own = fill(tmp_path / "own")
    args = (cards, CONFIG / "carriers.yaml", own, [], tmp_path / "fetched")
    assert "photos          raw          ready" in describe(*args)
    text = describe(*args, read=True)
    assert "partly there" in text
    assert "a.bin" in text


def test_a_split_names_each_scene_once_and_scenes_that_are_there(tmp_path: Path) -> None:
    facts = card(shot={"path": "a.png"}).model_dump(mode="json")
    (tmp_path / "train.txt").write_text("# the first\na # why\nb\n")
    (tmp_path / "test.txt").write_text("b\n")
    path = tmp_path / "card.yaml"
    path.write_text(json.dumps(facts | {"parts": {"train": "train.txt"}}))
    assert load_card(path).parts == {"train": ["a", "b"]}
    path.write_text(json.dumps(facts | {"parts": {"train": "train.txt", "test": "test.txt"}}))
    with pytest.raises(UserError, match=r"test.txt: scene 'b' is also in .*train.txt"):
        load_card(path)
    path.write_text(json.dumps(facts | {"parts": {"train": "gone.txt"}}))
    with pytest.raises(UserError, match=r"gone.txt: cannot be read .*its split 'train'"):
        load_card(path)
