"""No test speaks to another machine, and none starts a command that does."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ELSEWHERE = "192.0.2.1"  # of no machine: RFC 5737
REFUSED = r"tests use no network, and this one asks for .*: serve it from 127\.0\.0\.1"


@pytest.mark.parametrize("address", [(ELSEWHERE, 80), ("2001:db8::1", 80, 0, 0)])
def test_another_machine_is_refused(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as line, pytest.raises(pytest.fail.Exception, match=REFUSED):
        line.connect(address)
    with socket.socket(family, socket.SOCK_DGRAM) as line, pytest.raises(pytest.fail.Exception, match=REFUSED):
        line.sendto(b"", address)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"asks for sfigf\.invalid"):
        socket.create_connection(("sfigf.invalid", 80))


def test_code_that_forgives_a_bad_line_does_not_hide_it() -> None:
    with pytest.raises(pytest.fail.Exception, match=REFUSED):
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{ELSEWHERE}/")
        except Exception:
            pytest.fail("taken for a bad line")


def test_this_machine_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    monkeypatch.chdir(tmp_path)  # the path of a local socket is short
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as line:
        server.bind("line")
        server.listen()
        line.connect("line")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_a_test_starts_finds_a_dead_proxy(scheme: str) -> None:
    script = f"import urllib.request; urllib.request.urlopen('{scheme}://{ELSEWHERE}/', timeout=20)"
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True)
    assert "Connection refused" in done.stderr, done.stderr
