"""Bytes over HTTP that survive a bad line: retried with pauses, continued where they stopped, bounded in size."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sfigf.interface import UserError

_CHUNK_BYTES = 1 << 18
_PAGE_LIMIT_BYTES = 1 << 26
_LONGEST_PAUSE_S = 30.0
_PASSING_STATUS = (408, 416, 425, 429)
_LINE_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long to wait: ``attempts`` failures in a row without a new byte, doubling pauses between them."""

    attempts: int = 6
    timeout_s: float = 30.0
    pause_s: float = 1.0


class Page(NamedTuple):
    """A small document and where it was found in the end."""

    content: bytes
    content_type: str
    address: str


class _Interrupted(Exception):
    """A failure that may pass."""


def read_page(address: str, accept: str, patience: Patience) -> Page:
    """Read a page of at most 64 MiB.

    Raises:
        UserError: If it cannot be had; says why and what to do.
    """

    def attempt() -> Page:
        with _open(address, {"Accept": accept}, patience) as response:
            content = b"".join(_chunks(response, _PAGE_LIMIT_BYTES, address))
            return Page(content, response.headers.get_content_type(), response.geturl())

    return _persist(attempt, lambda: 0, address, patience)


def download(address: str, part: Path, size_bytes: int, patience: Patience) -> None:
    """Append to ``part`` until it holds ``size_bytes``; what an earlier call left there is not asked for again.

    Raises:
        UserError: If the file cannot be had, or is of another size.
    """
    with _bar(part.name.removesuffix(".part"), size_bytes) as show:
        attempt = lambda: _continue(address, part, size_bytes, patience, show)  # noqa: E731
        _persist(attempt, lambda: _size(part), address, patience)


def public(address: str) -> str:
    """Return an address without login, query and fragment, fit for a message.

    A login ends at the last ``@``, wherever that stands: passwords that nobody quoted hold ``/``, ``?`` and ``#``.
    """
    return re.sub(r"^(\w+://)?(?:.*@)?([^?#]*).*$", r"\1\2", address, flags=re.DOTALL)


def _said(reason: object) -> str:
    """Return what a failure says in one line; a redirection that is refused names its whole target."""
    line = str(reason).partition("\n")[0] or type(reason).__name__
    return re.sub(r"\w+://[^\s'\"]+", lambda found: public(found[0]), line)


def _status(error: urllib.error.HTTPError) -> str:
    """The status in the words of the standard: a server's own may repeat what it was sent."""
    redirected = 300 <= error.code < 400
    return f"{error.code} {_said(error.reason) if redirected else http.client.responses.get(error.code, '')}".strip()


def _continue(address: str, part: Path, size_bytes: int, patience: Patience, show: Callable[[int], None]) -> None:
    if _size(part) > size_bytes:
        part.unlink()
    start = _size(part)
    if start == size_bytes:
        return
    with _open(address, {"Range": f"bytes={start}-"} if start else {}, patience) as response:
        span = response.headers.get("Content-Range", "")
        resumed = start > 0 and response.status == 206 and span.startswith(f"bytes {start}-")
        start = start if resumed else 0
        _check_length(address, start, response.headers.get("Content-Length"), size_bytes)
        with part.open("ab" if resumed else "wb") as sink:
            for chunk in _chunks(response, size_bytes - start, address):
                sink.write(chunk)
                show(sink.tell())
    if _size(part) < size_bytes:
        raise _Interrupted(f"ended after {_size(part):,} of {size_bytes:,} bytes")


def _check_length(address: str, start: int, announced: str | None, size_bytes: int) -> None:
    if announced is not None and announced.isdigit() and start + int(announced) != size_bytes:
        found = f"{start + int(announced):,} bytes, not {size_bytes:,}"
        raise UserError(f"{public(address)} is {found}: another file; name another index or a data mirror")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _persist(attempt: Callable[[], T], reached: Callable[[], int], address: str, patience: Patience) -> T:
    """Repeat an attempt until it succeeds or fails too often without getting further than ever before."""
    furthest, failures = reached(), 0
    while True:
        try:
            return attempt()
        except _Interrupted as error:
            failures = 1 if reached() > furthest else failures + 1
            furthest = max(furthest, reached())
            if failures >= patience.attempts:
                advice = "check the network or proxy and run again, or put the file into a folder of data_mirrors"
                raise UserError(f"{public(address)} cannot be had ({error}); {advice}") from error
        time.sleep(min(_LONGEST_PAUSE_S, patience.pause_s * 2 ** (failures - 1)))


@contextlib.contextmanager
def _open(address: str, headers: dict[str, str], patience: Patience) -> Iterator[Any]:
    """Open an address; sort failures into those that may pass and those that will not."""
    try:
        with urllib.request.urlopen(_request(address, headers), timeout=patience.timeout_s) as response:
            yield response
    except urllib.error.HTTPError as error:
        if error.code in _PASSING_STATUS or error.code >= 500:
            raise _Interrupted(f"{_status(error)}") from error
        advice = "name another index (PIP_INDEX_URL) or put the file into a folder of data_mirrors"
        raise UserError(f"{public(address)}: {_status(error)}; {advice}") from error
    except _LINE_ERRORS as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise UserError(f"{public(address)}: {reason}; name your certificates in SSL_CERT_FILE") from error
        raise _Interrupted(_said(reason)) from error


def _request(address: str, headers: dict[str, str]) -> urllib.request.Request:
    split = _split(address)
    if split is None:
        raise UserError(f"'{public(address)}' is no http address; name an index such as https://pypi.org/simple")
    login, _, place = split.netloc.rpartition("@")
    plain = urllib.parse.urlunsplit(split._replace(netloc=place))
    request = urllib.request.Request(plain, headers={"User-Agent": "sfigf", "Accept-Encoding": "identity", **headers})
    if login:
        token = base64.b64encode(urllib.parse.unquote(login).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _split(address: str) -> urllib.parse.SplitResult | None:
    """Return the parts of an address that can be asked; None for any other, whose error would print it whole."""
    with contextlib.suppress(ValueError):  # of a host or port that is none
        split = urllib.parse.urlsplit(address)
        if split.scheme in ("http", "https") and split.hostname and split.port != 0 and re.fullmatch("[!-~]+", address):
            return split
    return None


def _chunks(response: Any, limit_bytes: int, address: str) -> Iterator[bytes]:
    taken = 0
    while chunk := response.read(_CHUNK_BYTES):
        taken += len(chunk)
        if taken > limit_bytes:
            raise UserError(
                f"{public(address)} sends more than {limit_bytes:,} bytes: another file; name another index"
            )
        yield chunk


@contextlib.contextmanager
def _bar(title: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows how many bytes are there; silent without a terminal."""
    if not sys.stderr.isatty():
        yield lambda reached: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=size_bytes)
        yield lambda reached: progress.update(task, completed=reached)
