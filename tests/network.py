"""Tests use no network: this process may speak to the machine it runs on, and what it starts finds a dead proxy."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

import pytest

DEAD = "http://127.0.0.1:9"
"""A proxy that is not there: a command that would use the network ends at once, and says that it was refused."""
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), DEAD)
EXCEPT = dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1")
_TALK = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def close_network() -> None:
    """Fail, from now on and for good, where this process asks for another machine.

    Source: audit events, PEP 578: whatever the library, Python's sockets pass here.
    """
    sys.addaudithook(_only_here)


def _only_here(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _TALK:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else the path of a local socket
    elif event in _NAMES:
        host = arguments[0]
    else:
        return
    if not _is_here(host):
        # Not an error that the code under test could take for a bad line and try again.
        pytest.fail(f"tests use no network, and this one asks for {host}: serve it from 127.0.0.1")


def _is_here(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
