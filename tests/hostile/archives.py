"""The readers of what carries data: tar and zip members, folders, what ``collect`` wrote, pages of an index."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.cards import Card, Carrier
from sfigf.collect import collect
from sfigf.datasets.members import open_members
from sfigf.fetch import _files_on
from sfigf.transfer import Page
from tests.hostile import Reader, no_opinion
from tests.hostile.archives_changes import change_tar, change_zip
from tests.hostile.mutations import change_file
from tests.hostile.settings import said, told
from tests.hostile.settings_changes import TEXT, replace_value

CONTENTS = {"first.bin": bytes(range(256)) * 16, "second/other.bin": b"the other member\n" * 40}
_WORDS = {
    "title": "t",
    "tasks": ["depth"],
    "licence": "l",
    "citation": "c",
    "homepage": "h",
    "unit": "px",
    "split": "s",
}
CARRIER = Carrier(
    kind="index",
    project="p",
    licence="l",
    origin="o",
    version="1",
    file="a.tar",
    sha256="0" * 64,
    size_bytes=1,
)
_DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}


def card(pinned: bool, own: bool = False) -> Card:
    """A card of the two members, of a carrier or of a person's own."""
    members = {
        f"m{n}": {"path": path} | ({"sha256": _DIGESTS[path]} if pinned else {}) for n, path in enumerate(CONTENTS)
    }
    get = {"folder": "set", "access": "request", "steps": "ask"} if own else None
    entry = {"name": "cones", "carrier": "p" if pinned else None, "members": members, "get": get, **_WORDS}
    return Card.model_validate(entry)


def _unpacked(path: Path, pinned: bool) -> str:
    """Bytes of the members; nothing may be written but below the folder that was given."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        inner = Path(folder) / "inner"
        inner.mkdir()
        before = _entries(path.parent, folder)
        try:
            files = open_members(card(pinned), CARRIER, path, inner)
            read = {role: file.read_bytes() for role, file in files.items()}
        finally:
            assert _entries(path.parent, folder) == before, "something was written elsewhere"
            assert [entry.name for entry in Path(folder).iterdir()] == ["inner"], "something was written above"
            assert not any(entry.is_symlink() for entry in inner.rglob("*")), "a link was made"
        if pinned:
            assert [*read.values()] == [*CONTENTS.values()], "other bytes than the card names"
        return said([hashlib.sha256(content).hexdigest() for content in read.values()])


def _entries(folder: Path, apart: str) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name != Path(apart).name)


def _tar(folder: Path) -> list[Path]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as container:
        for name, content in CONTENTS.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            container.addfile(entry, io.BytesIO(content))
    plain, squeezed = folder / "a.tar", folder / "a.tar.gz"
    plain.write_bytes(out.getvalue())
    squeezed.write_bytes(gzip.compress(out.getvalue(), mtime=0))
    return [plain, squeezed]


def _zip(folder: Path) -> list[Path]:
    paths = [folder / "a.zip", folder / "a-1.0-py3-none-any.whl"]
    for path, method in zip(paths, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), strict=True):
        with zipfile.ZipFile(path, "w", method) as container:
            for name, content in CONTENTS.items():
                container.writestr(zipfile.ZipInfo(name), content, method)
    return paths


def _own(folder: Path) -> list[Path]:
    home = folder / "own"
    for name, content in CONTENTS.items():
        (home / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "set" / name).write_bytes(content)
    return [home]


def _collected(path: Path) -> str:
    """Through ``collect`` and what it wrote, to the bytes."""
    own = card(pinned=True, own=True)
    collect(own, path, (), found := path.parent / "found.json")
    files = open_members(own, None, found, path.parent / "unused")
    assert [file.read_bytes() for file in files.values()] == [*CONTENTS.values()]
    return said([*files])


def _found(folder: Path) -> list[Path]:
    (home := folder / "set").mkdir()
    (home / "first.bin").write_bytes(b"")
    path = folder / "found.json"
    path.write_text(json.dumps({"dataset": "cones", "folder": "nowhere"}))
    return [path]


def _found_read(path: Path) -> str:
    try:
        files = open_members(card(pinned=True, own=True), None, path, path.parent / "unused")
    except Exception as error:
        if (path.is_file() and "not a whole copy" in str(error)) or "no folder with a copy" in str(error):
            return "leads nowhere"
        raise
    return said([*map(str, files)])


def _index(folder: Path) -> list[Path]:
    names = ("a-1.0.tar.gz", "a-1.0-py3-none-any.whl")
    files = [{"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": "0" * 64}} for n in names]
    (first := folder / "index.json").write_text(
        json.dumps({"meta": {"api-version": "1.0"}, "name": "a", "files": files})
    )
    links = "".join(f'<a href="../../files/{n}#sha256={"0" * 64}">{n}</a><br>\n' for n in names)
    (second := folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    return [first, second]


def _page(path: Path) -> str:
    kind = "application/vnd.pypi.simple.v1+json" if path.suffix == ".json" else "text/html"
    if not path.is_file() or path.stat().st_size > 2**26:
        return "not a page"
    found = _files_on(Page(path.read_bytes(), kind, "https://localhost/simple/a/"))
    assert all(isinstance(word, str) for name, pair in found.items() for word in (name, *pair))
    return said(found)


def _change_page(path: Path, rng: np.random.Generator) -> str:
    return replace_value(path, rng) if path.suffix == ".json" and rng.integers(2) else change_file(path, rng, TEXT)


def _reader(name: str, seeds: Any, read: Callable[[Path], str], change: Any) -> Reader:
    return Reader(f"archives: {name}", seeds, told(read), change, no_opinion, seconds=30.0, memory_bytes=2**30)


READERS = [
    _reader("tar, members pinned", _tar, functools.partial(_unpacked, pinned=True), change_tar),
    _reader("tar, members not pinned", _tar, functools.partial(_unpacked, pinned=False), change_tar),
    _reader("zip and wheel, members pinned", _zip, functools.partial(_unpacked, pinned=True), change_zip),
    _reader("zip and wheel, members not pinned", _zip, functools.partial(_unpacked, pinned=False), change_zip),
    _reader("a person's own copy", _own, _collected, change_file),
    _reader("what collect found", _found, _found_read, functools.partial(change_file, own=TEXT)),
    _reader("pages of an index", _index, _page, _change_page),
]
