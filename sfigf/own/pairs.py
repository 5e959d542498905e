"""Which guide belongs to which target: one file each, folders, or glob patterns."""

from __future__ import annotations

import collections
import dataclasses
import glob
import logging
from collections.abc import Sequence
from pathlib import Path

from sfigf.images import READABLE, WRITABLE
from sfigf.interface import UserError

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Files of one restoration."""

    target: Path
    guide: Path | None
    output: Path
    preview: Path | None = None


def is_many(text: str) -> bool:
    """Return whether a path stands for several files: a folder, or a pattern with ``*``, ``?`` or ``[``."""
    return (
        text.endswith("/") or Path(text).is_dir() or (any(sign in text for sign in "*?[") and not Path(text).exists())
    )


def find_pairs(
    target: str, guide: str | None, output: str, preview: str | None = None, suffix: str | None = None
) -> list[Pair]:
    """Return what is to be restored, by name.

    Several targets and guides belong together by equal stems; by sorted order, which is said, if no stem agrees and
    there are as many of one as of the other.

    Args:
        target: File, folder or pattern.
        guide: The same; None for weights that take no guide.
        output: File for one pair, folder for several.
        preview: The same, or None.
        suffix: Of the files in an output folder; by default the target's, or .tif where that cannot be written.

    Raises:
        UserError: Nothing found, files that have no partner, or an output that would overwrite an input.
    """
    if not any(is_many(text) for text in (target, guide, output) if text is not None):
        return _spared([Pair(Path(target), _path(guide), Path(output), _path(preview))])
    targets = _files(target)
    guides: Sequence[Path | None] = [None] * len(targets) if guide is None else _partners(targets, _files(guide))
    folder = _folder(output, "--output")
    pictures = None if preview is None else _folder(preview, "--preview")
    return _spared(
        [
            Pair(file, partner, folder / _named(file, suffix), pictures and pictures / f"{file.stem}.png")
            for file, partner in zip(targets, guides, strict=True)
        ]
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _files(text: str) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in READABLE and not file.name.startswith(".")]
    elif is_many(text):
        found = [Path(name) for name in glob.glob(text, recursive=True) if Path(name).is_file()]
    else:
        found = [path]
    if not found:
        raise UserError(f"{text}: no image there; there should be files that end in {', '.join(READABLE)}")
    stems = collections.Counter(file.stem for file in found)
    twice = sorted(str(file) for file in found if stems[file.stem] > 1)
    if twice:
        raise UserError(f"{', '.join(twice)}: files of one name but different endings; narrow {text} down to one kind")
    return sorted(found)


def _partners(targets: list[Path], guides: list[Path]) -> list[Path]:
    by_stem = {file.stem: file for file in guides}
    wanted = {file.stem for file in targets}
    alone = [file for file in targets if file.stem not in by_stem] + [f for f in guides if f.stem not in wanted]
    if not alone:
        return [by_stem[file.stem] for file in targets]
    if len(alone) == len(targets) + len(guides) and len(targets) == len(guides):
        if len(targets) > 1:
            _LOG.warning(
                "sfigf: no names agree, so paired by sorted order: %s with %s first, %s with %s last",
                *(targets[0], guides[0], targets[-1], guides[-1]),
            )
        return guides
    raise UserError(
        f"{len(targets)} targets and {len(guides)} guides do not pair by name; without a partner: "
        f"{', '.join(map(str, alone[:8]))}{' ...' if len(alone) > 8 else ''}"
    )


def _folder(named: str, option: str) -> Path:
    folder = Path(named)
    if not folder.is_dir() and (folder.exists() or folder.suffix.lower() in READABLE):
        raise UserError(f"{named}: a file, but several images need a folder; name one with {option}")
    return folder


def _named(target: Path, suffix: str | None) -> str:
    if suffix is None:
        suffix = target.suffix if target.suffix.lower() in WRITABLE else ".tif"
    return target.stem + (suffix if suffix.startswith(".") else f".{suffix}")


def _spared(pairs: list[Pair]) -> list[Pair]:
    """Refuse outputs that are inputs."""
    inputs = {file.resolve() for pair in pairs for file in (pair.target, pair.guide) if file is not None}
    for file in (file for pair in pairs for file in (pair.output, pair.preview) if file is not None):
        if file.resolve() in inputs:
            raise UserError(f"{file}: would overwrite an input; name another --output")
    return pairs
