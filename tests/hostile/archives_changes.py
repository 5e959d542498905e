"""What breaks readers of archives: names that climb out, links, doubles, bombs, sizes that lie, codes and keys."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from tests.hostile.mutations import AWKWARD_NAMES, change_file

_NAMES = (
    "../outside", "../../outside", "/tmp/outside", "a/../../outside", "..\\outside", "C:\\outside", "./first.bin",
    "FIRST.BIN", "first.bin/", "first.bin/x", "", ".", "..", "second/", "\u202efirst.bin", "first.bin\0x", "x" * 300,
    *AWKWARD_NAMES,
)  # fmt: skip
_KINDS = (
    tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
    tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"Z",
)  # fmt: skip
_TARGETS = ("/etc/passwd", "../outside", "first.bin", "/dev/zero", "second/other.bin", "")
BOMB_BYTES = 260 * 2**20


def change_tar(path: Path, rng: np.random.Generator) -> str:
    """Write a tar anew with one thing wrong, or damage its bytes; compressed as it was."""
    if rng.integers(2):
        return change_file(path, rng)
    squeezed = path.suffix == ".gz"
    with tarfile.open(path) as container:
        entries = [(entry, container.extractfile(entry).read()) for entry in container]  # type: ignore[union-attr]
    kind = int(rng.integers(5))
    if kind == 4 and squeezed:
        return _tar_bomb(path, entries[0][0])
    place = int(rng.integers(len(entries)))
    entry, content = entries[place]
    done = f"doubled {entry.name}"
    if kind == 0:
        entry.name = str(rng.choice(_NAMES))
        done = f"renamed {entry.name!a}"
    elif kind == 1:
        entry.type, entry.linkname = _KINDS[int(rng.integers(len(_KINDS)))], str(rng.choice(_TARGETS))
        done = f"type {entry.type!a} to {entry.linkname!a}"
    elif kind == 2:
        entries.insert(0, (entry, bytes(len(content))))
    else:
        entries.append((tarfile.TarInfo(str(rng.choice(_NAMES))), b""))
        done = "one more entry"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as container:
        for info, data in entries:
            container.addfile(info, io.BytesIO(data))
    path.write_bytes(gzip.compress(out.getvalue(), mtime=0) if squeezed else out.getvalue())
    return done


def _tar_bomb(path: Path, entry: tarfile.TarInfo) -> str:
    """The first member announces, and is, more zeros than a member may have."""
    entry.size = BOMB_BYTES
    with gzip.GzipFile(path, "wb", 1, mtime=0) as out:
        out.write(entry.tobuf())
        for _ in range(BOMB_BYTES >> 20):
            out.write(bytes(2**20))
    return "a bomb"


def change_zip(path: Path, rng: np.random.Generator) -> str:
    """Write a zip anew with one thing wrong, change numbers of its headers, or damage its bytes."""
    kind = int(rng.integers(6))
    if kind < 2:
        return change_file(path, rng)
    if kind == 2:
        return _lie(path, rng)
    if kind == 3 and rng.integers(4) == 0:
        return _zip_bomb(path)
    with zipfile.ZipFile(path) as container:
        members = [(name, container.read(name)) for name in container.namelist()]
    place = int(rng.integers(len(members)))
    done = f"doubled {members[place][0]}"
    if kind == 4:
        name = str(rng.choice(_NAMES)).encode(errors="replace").decode()  # Python writes UTF-8 into a zip, or nothing
        members[place] = (name, members[place][1])
        done = f"renamed {members[place][0]!a}"
    else:
        members.insert(int(rng.integers(len(members) + 1)), (members[place][0], b"another"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, data in members:
            container.writestr(zipfile.ZipInfo(name), data)
    return done


def _zip_bomb(path: Path) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as container:
        with container.open("first.bin", "w", force_zip64=True) as out:
            for _ in range(BOMB_BYTES >> 20):
                out.write(bytes(2**20))
        container.writestr("second/other.bin", b"")
    return "a bomb"


_FIELDS = {
    b"PK\x03\x04": (4, 6, 8, 14, 18, 22, 26, 28),
    b"PK\x01\x02": (6, 8, 10, 16, 20, 24, 28, 30, 42),
    b"PK\x05\x06": (8, 10, 12, 16),
}
"""Offsets of version, flags (encrypted: 1), method, checksum, sizes, name lengths, places of the headers."""


def _lie(path: Path, rng: np.random.Generator) -> str:
    """Put another number into a field of one of the headers."""
    data = bytearray(path.read_bytes())
    mark = list(_FIELDS)[int(rng.integers(len(_FIELDS)))]
    heads = [at for at in range(len(data) - 4) if data[at : at + 4] == mark]
    at = heads[int(rng.integers(len(heads)))] + int(rng.choice(_FIELDS[mark]))
    number = int(rng.choice((0, 1, 9, 12, 14, 93, 99, 2**16 - 1, 2**31 - 1, 2**32 - 1)))
    kind, most = ("<I", 2**32) if rng.integers(2) else ("<H", 2**16)
    struct.pack_into(kind, data, min(at, len(data) - 4), number % most)
    path.write_bytes(bytes(data))
    return f"{mark!a} at {at} is {number}"
