"""Fetching over a line that drops, stalls and lies."""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfigf import transfer
from sfigf.cards import Carrier
from sfigf.fetch import INDEX_VARIABLES, fetch
from sfigf.interface import UserError
from sfigf.transfer import Patience, public

CONTENT = bytes(range(256)) * 4000
FILE = "gift-1.0.tar.gz"
QUICK = Patience(attempts=3, timeout_s=0.3, pause_s=0.01)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves an index page at /simple/gift/ and the file at /files/; the server's attributes say how badly."""

    server: Any

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if self.server.moved:
            self.send_response(302)
            self.send_header("Location", self.server.moved)
            return self.end_headers()
        if self.path == "/simple/gift/":
            return self._page()
        if self.path != f"/files/{FILE}" or self.server.status != 200:
            return self.send_error(404 if self.server.status == 200 else self.server.status)
        return self._file()

    def _page(self) -> None:
        if self.server.html:
            body = f'<a href="../../files/{FILE}#sha256={self.server.listed}">{FILE}</a>'.encode()
        else:
            entry = {"filename": FILE, "url": f"../../files/{FILE}", "hashes": {"sha256": self.server.listed}}
            body = json.dumps({"files": [entry]}).encode()
        self.send_response(200)
        kind = "text/html" if self.server.html else "application/vnd.pypi.simple.v1+json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self) -> None:
        content, wanted = self.server.content, self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.server.announce:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.drop_after if self.server.drop_after else len(content)
        self.wfile.write(content[start:end])
        self.wfile.flush()
        if self.server.stall and end < len(content):
            self.server.released.wait(5)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for variable in (*INDEX_VARIABLES, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.content, server.listed, server.requests = CONTENT, hashlib.sha256(CONTENT).hexdigest(), []
    server.status, server.html, server.ranges, server.announce = 200, False, True, True
    server.moved, server.drop_after, server.stall, server.released = "", 0, False, threading.Event()
    server.index = f"http://127.0.0.1:{server.server_port}/simple"
    server.handle_error = lambda request, address: None
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


def _carrier(**changes: Any) -> Carrier:
    facts = {"kind": "index", "project": "gift", "version": "1.0", "file": FILE, "licence": "MIT", "origin": "here"}
    facts |= {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size_bytes": len(CONTENT)}
    return Carrier(**(facts | changes))


def _files_asked(server: Any) -> list[str | None]:
    return [span for path, span, _ in server.requests if path.startswith("/files")]


@pytest.mark.parametrize("html", [False, True])
def test_fetch_finds_the_file_on_the_index(server: Any, tmp_path: Path, html: bool) -> None:
    server.html = html
    output = fetch(_carrier(), tmp_path / "new" / FILE, server.index, patience=QUICK)
    assert output.read_bytes() == CONTENT
    assert [path.name for path in output.parent.iterdir()] == [FILE]


def test_index_comes_from_the_environment(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server.index.replace("http://", "http://me:secret@"))
    fetch(_carrier(), tmp_path / FILE, patience=QUICK)
    assert {login for *_, login in server.requests} == {"Basic bWU6c2VjcmV0"}


def test_file_already_there_is_not_asked_for(server: Any, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(CONTENT)
    fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK)
    assert server.requests == []


def test_dropped_download_continues_where_it_stopped(server: Any, tmp_path: Path) -> None:
    server.drop_after = 200_000
    assert fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK).read_bytes() == CONTENT
    assert _files_asked(server) == [None, *(f"bytes={start}-" for start in range(200_000, 1_024_000, 200_000))]


def test_part_of_an_earlier_run_is_continued(server: Any, tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(CONTENT[:1000])
    assert fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK).read_bytes() == CONTENT
    assert _files_asked(server) == ["bytes=1000-"]


def test_damaged_part_is_thrown_away_once(server: Any, tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(b"x" * 1000)
    assert fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK).read_bytes() == CONTENT
    assert _files_asked(server) == ["bytes=1000-", None]


def test_server_without_ranges_starts_afresh(server: Any, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / f"{FILE}.part").write_bytes(CONTENT[:1000])
    assert fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK).read_bytes() == CONTENT


def test_server_that_stalls_is_given_up_with_the_part_kept(server: Any, tmp_path: Path) -> None:
    server.drop_after, server.stall, server.ranges = 1000, True, False
    with pytest.raises(UserError, match=r"cannot be had \(.*timed out.*data_mirrors"):
        fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK)
    assert not (tmp_path / FILE).exists()
    assert len(_files_asked(server)) == QUICK.attempts


def test_server_that_stalls_now_and_then_gets_there(server: Any, tmp_path: Path) -> None:
    server.drop_after, server.stall = 300_000, True
    assert fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"content": CONTENT[::-1]}, "sha256 is not"),
        ({"content": CONTENT[:-7]}, "is 1,023,993 bytes, not 1,024,000"),
        ({"content": CONTENT + b"more", "announce": False}, "sends more than 1,024,000 bytes"),
        ({"status": 404}, "404 Not Found; name another index"),
        ({"status": 503}, "503 Service Unavailable.*check the network"),
        ({"listed": "0" * 64}, "lists another gift-1.0.tar.gz"),
    ],
)
def test_lies_and_refusals_are_one_line(server: Any, tmp_path: Path, facts: dict[str, Any], message: str) -> None:
    vars(server).update(facts)
    with pytest.raises(UserError, match=message) as caught:
        fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / FILE).exists()


def test_unknown_project_and_unlisted_file(server: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="404"):
        fetch(_carrier(project="other"), tmp_path / FILE, server.index, patience=QUICK)
    with pytest.raises(UserError, match=r"does not list gift-2\.0"):
        fetch(_carrier(file="gift-2.0.tar.gz"), tmp_path / FILE, server.index, patience=QUICK)


def test_no_network_says_what_to_do_and_hides_the_login(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"refused.*data_mirrors") as caught:
        fetch(_carrier(), tmp_path / FILE, "http://me:secret@127.0.0.1:9/simple", patience=QUICK)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@host:8080/simple/?token=secret#secret", "https://host:8080/simple/"),
        ("https://me:secret/secret@host/simple", "https://host/simple"),
        ("https://me:secret?secret@host/simple", "https://host/simple"),
        ("https://me:secret#@secret@host/simple", "https://host/simple"),
        ("me:secret@host/simple", "host/simple"),
        ("https://[secret@host/?secret", "https://host/"),
        ("https://host/simple?secret\nsecret", "https://host/simple"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert public(address) == shown


@pytest.mark.parametrize(
    "index",
    [
        "http://me:secret/secret@127.0.0.1:9/simple",
        "http://me:secret@127.0.0.1:port/simple",
        "http://me:secret@[127.0.0.1/simple",
        "http://me:se cret@127.0.0.1:9/simple",
        "ftp://me:secret@127.0.0.1:9/simple?token=secret",
        "me:secret@127.0.0.1:9/simple",
    ],
)
def test_an_index_that_is_none_is_refused_without_its_secrets(tmp_path: Path, index: str) -> None:
    with pytest.raises(UserError, match="is no http address") as caught:
        fetch(_carrier(), tmp_path / FILE, index, patience=QUICK)
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "moved", ["file:///etc/passwd?token=secret", "gopher://me:secret@127.0.0.1/", "{index}/gift/?secret"]
)
def test_a_redirection_is_refused_without_its_secrets(server: Any, tmp_path: Path, moved: str) -> None:
    server.moved = moved.format(index=server.index)
    with pytest.raises(UserError, match="302") as caught:
        fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mirror_is_asked_first_and_checked(server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    for folder, content in ((bad, b"other"), (good, CONTENT)):
        folder.mkdir()
        (folder / FILE).write_bytes(content)
    fetch(_carrier(), tmp_path / FILE, server.index, [tmp_path / "none", bad, good], QUICK)
    assert (tmp_path / FILE).read_bytes() == CONTENT
    assert server.requests == []
    assert "passed over" in caplog.text


def test_full_disk_is_said_before_the_first_byte(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match=r"only 0\.0 MB free: .* needs 1\.0 MB"):
        fetch(_carrier(), tmp_path / FILE, server.index, patience=QUICK)
    assert server.requests == []


def test_disk_that_fills_up_on_the_way(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Iterator[bytes]:
        yield CONTENT[:10]
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / f"{FILE}.part").write_bytes(CONTENT[:1000])
    carrier = _carrier(project="gift")
    original = transfer._chunks
    monkeypatch.setattr(transfer, "_chunks", lambda *a: original(*a) if "simple" in a[2] else full())
    with pytest.raises(UserError, match=r"disk full: gift-1.0.tar.gz needs 1.0 MB"):
        fetch(carrier, tmp_path / FILE, server.index, patience=QUICK)
    assert (tmp_path / f"{FILE}.part").stat().st_size == 1010


def test_installed_carrier_has_nothing_to_fetch(tmp_path: Path) -> None:
    carrier = Carrier(kind="installed", project="gift", package="gift", licence="MIT", origin="here")
    with pytest.raises(UserError, match="nothing to fetch"):
        fetch(carrier, tmp_path / FILE)
