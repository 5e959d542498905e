"""The process that reads damaged files: what ends it, or never comes back, is seen by the one that started it.

Says a JSON line before an input, one once it is read, and one after the second opinion.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import sys
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import Reader, gathered
from tests.hostile.mutations import copied

_MEMORY = re.compile(
    r"MemoryError|bad_alloc|out of memory|not enough memory|(cannot|unable to) allocate", re.IGNORECASE
)
_STATM = Path("/proc/self/statm")


def main(own: Sequence[Reader] = ()) -> None:
    """Go through the plan of the command line from its ``start``, with ``own`` readers beside those listed."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    with os.fdopen(os.dup(1), "w", buffering=1) as lines:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        warnings.simplefilter("ignore")

        def say(**words: Any) -> None:
            lines.write(json.dumps(words) + "\n")

        folder = Path(plan["folder"])
        readers = {reader.name: reader for reader in (*own, *(gathered(*plan["modules"]) if plan["modules"] else ()))}
        jobs = [(name, index) for name in plan["readers"] for index in range(plan["first"], plan["last"])]
        trial: _Trial | None = None
        for number in range(plan["start"], len(jobs)):
            name, index = jobs[number]
            if trial is None or trial.reader.name != name:
                trial = _Trial(readers[name], folder / f"{number}", plan["seed"])
            trial.run(number, index, say, plan["keep"])


class _Trial:
    """One reader with its seeds and an empty folder to stand in, which must stay empty."""

    def __init__(self, reader: Reader, folder: Path, seed: int) -> None:
        self.reader, self.seed = reader, seed
        self.inputs, self.here, seeds = folder / "inputs", folder / "here", folder / "seeds"
        for made in (self.inputs, self.here, seeds):
            made.mkdir(parents=True)
        self.seeds = list(reader.seeds(seeds))
        os.chdir(self.here)
        reader.read(self.seeds[0])  # what is imported now counts for no input

    def run(self, number: int, index: int, say: Any, keep: str | None) -> None:
        path = copied(self.seeds[index % len(self.seeds)], self.inputs)
        rng = np.random.default_rng([self.seed, zlib.crc32(self.reader.name.encode()), index])
        done = self.reader.change(path, rng) if index >= len(self.seeds) else "whole"
        if keep:
            _keep(path, Path(keep) / f"{number}-{index}")
        say(begin=number, done=done, file=path.name, seconds=self.reader.seconds)
        with limited(None if done == "whole" else self.reader.memory_bytes):
            outcome, said = attempt(self.reader, path)
        if done == "whole" and outcome != "read":
            outcome, said = "wrong", f"a whole file is not read: {said}"
        if outcome == "read":
            say(read=number)
            outcome, said = _judged(said, _expected(self.reader, path))
        left = [entry.name for entry in self.here.iterdir()]
        if left:
            outcome, said = "wrong", f"left {left} behind"
            os.chdir(self.inputs)
            shutil.rmtree(self.here)
            self.here.mkdir()
            os.chdir(self.here)
        say(end=number, outcome=outcome, said=said)
        shutil.rmtree(self.inputs)
        self.inputs.mkdir()


def attempt(reader: Reader, path: Path) -> tuple[str, str]:
    """Read once: ``read`` and the summary, ``refused`` and the message, or what went wrong."""
    try:
        return "read", reader.read(path)
    except reader.refusals as error:
        said = str(error)
        if any(isinstance(link, MemoryError) or _MEMORY.search(str(link)) for link in _chain(error)):
            return "greedy", said
        if not said.strip() or len(said.splitlines()) != 1 or not said.isprintable():
            return "wrong", f"not one line: {said!r}"
        return "refused", said
    except MemoryError as error:
        return "greedy", repr(error)
    except Exception as error:
        return "crashed", f"{type(error).__name__}: {error}"


def _judged(said: str, expected: str | None) -> tuple[str, str]:
    if expected is not None and expected != said:
        return "wrong", f"read as {said}, it is {expected}"
    return "read", said


def _expected(reader: Reader, path: Path) -> str | None:
    try:
        return reader.expected(path)
    except Exception:  # the second opinion gives up; that is no fault of ours
        return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextlib.contextmanager
def limited(more_bytes: int | None) -> Iterator[None]:
    """Give so much address space beyond what is in use; nothing where the system does not say how much that is."""
    if more_bytes is None or not _STATM.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _keep(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, folder / path.name, symlinks=True, dirs_exist_ok=True)
    elif path.is_symlink() or path.is_file():
        shutil.copy2(path, folder / path.name, follow_symlinks=False)


if __name__ == "__main__":
    main()
