"""Published weights: a folder of files, and the index that says what each is and which bytes it must have.

``<folder>/index.json`` lists ``<study>/<task>/<condition>/<method>/<variant>/seed<seed>.safetensors``. Reading it loads
nothing heavy.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from sfigf.files import sha256_of, write_text
from sfigf.interface import UserError

INDEX = "index.json"
_FORMAT = "sfigf published weights 1"
_DEPTH = 6
"""How many steps a weight file lies below the index."""
State = Literal["ready", "missing", "damaged"]


@dataclasses.dataclass(frozen=True)
class Mean:
    """Mean of a metric over the ``images`` of one test set."""

    dataset: str
    metric: str
    unit: str
    higher_is_better: bool
    images: int
    value: float


@dataclasses.dataclass(frozen=True)
class Entry:
    """One published weight file.

    Attributes:
        path: Below the folder of the index, with slashes.
        sha256: Of its bytes, hexadecimal.
        bytes: How many they are.
        floats: What large arrays are stored in: float32 or bfloat16.
        parameters: Values that training may change.
        multiply_adds_per_megapixel: Of output.
        metrics: Test scores of this very file; the main metric first.
    """

    path: str
    sha256: str
    bytes: int
    study: str
    task: str
    condition: str
    method: str
    variant: str
    seed: int
    floats: str
    parameters: int
    multiply_adds_per_megapixel: float
    metrics: tuple[Mean, ...]

    def file(self, folder: str | Path) -> Path:
        """Where the file lies, or would."""
        return Path(folder) / self.path

    @property
    def main(self) -> tuple[Mean, ...]:
        """The main metric on each test set."""
        return tuple(mean for mean in self.metrics if mean.metric == self.metrics[0].metric)


def read_index(folder: str | Path) -> dict[str, Entry]:
    """Return what is published below a folder, by path; nothing where there is no index.

    Raises:
        UserError: If the index cannot be read.
    """
    path = Path(folder) / INDEX
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format '{content['format']}', known is '{_FORMAT}'")
        entries = [_checked(Entry(**entry | {"metrics": _means(entry)})) for entry in content["weights"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not a readable index of weights ({error}); `git checkout {path}`") from None
    return {entry.path: entry for entry in entries}


def _checked(entry: Entry) -> Entry:
    """The entry, once its values are of the kinds it promises and its path stays below the folder.

    Raises:
        ValueError: Naming what is not so.
    """
    for field in ("path", "sha256", "study", "task", "condition", "method", "variant", "floats"):
        if not isinstance(getattr(entry, field), str):
            raise ValueError(f"{field} is {getattr(entry, field)!r}")
    for field in ("bytes", "seed", "parameters"):
        if type(getattr(entry, field)) is not int:
            raise ValueError(f"{field} is {getattr(entry, field)!r}")
    steps = entry.path.split("/")
    if len(steps) != _DEPTH or {"", ".", ".."} & {*steps} or not entry.path.isprintable() or not entry.metrics:
        raise ValueError(f"'{entry.path}' is no place of a weight file, or has no score")
    return entry


def _means(entry: dict[str, Any]) -> tuple[Mean, ...]:
    return tuple(Mean(**mean) for mean in entry["metrics"])


def write_index(folder: str | Path, entries: Iterable[Entry]) -> None:
    """Write the index of a folder atomically, sorted by path."""
    weights = [dataclasses.asdict(entry) for entry in sorted(entries, key=lambda entry: entry.path)]
    text = json.dumps({"format": _FORMAT, "weights": weights}, indent=1, allow_nan=False)
    write_text(Path(folder) / INDEX, text + "\n")


def state_of(folder: str | Path, entry: Entry, read: bool = False) -> State:
    """Say whether a file is there and has the right size; with ``read``, the right bytes."""
    path = entry.file(folder)
    if not path.is_file():
        return "missing"
    same = path.stat().st_size == entry.bytes and (not read or sha256_of(path) == entry.sha256)
    return "ready" if same else "damaged"


def check_published(path: str | Path) -> None:
    """Hold a weight file against the index it lies below; any other file passes.

    Raises:
        UserError: If its bytes are not those that were published, or the index does not know it.
    """
    path = Path(path)
    steps = path.absolute().parts[-_DEPTH:]
    folder = Path(*path.absolute().parts[:-_DEPTH])
    if not path.is_file() or len(steps) < _DEPTH or not _is_index(folder / INDEX):
        return
    entry = read_index(folder).get("/".join(steps))
    if entry is None:
        raise UserError(f"{path}: not in {folder / INDEX}; publish it (`sfigf publish`) or keep it elsewhere")
    if state_of(folder, entry, read=True) != "ready":
        raise UserError(
            f"{path}: damaged, its sha256 is {sha256_of(path)[:12]}..., {entry.sha256[:12]}... was published; "
            "remove it and `dvc pull`"
        )


def held(folder: str | Path, name: str) -> Path:
    """Return the file of a path below the folder, once it is known to be there and whole.

    Raises:
        UserError: If it is not published, not here, or damaged.
    """
    path = Path(folder) / name
    if name not in read_index(folder):
        raise UserError(f"{path} is not published, {Path(folder) / INDEX} does not list it; leave the method out")
    if not path.is_file():
        raise UserError(f"{path} is not here: `dvc pull` in the repository brings it")
    check_published(path)
    return path


def _is_index(path: Path) -> bool:
    """Whether an index.json is one of ours, readable or not."""
    return path.is_file() and _FORMAT.rpartition(" ")[0] in path.read_text(encoding="utf-8", errors="replace")


def audited_sets(report: str | Path, task: str) -> set[str]:
    """Names of the test sets that a published audit cleared for a task; none where there is no such report."""
    if not Path(report).is_file():
        return set()
    try:
        return set(_tested(json.loads(Path(report).read_text(encoding="utf-8")), task))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{report}: not a readable report of an audit ({error}); `dvc pull` brings it") from None


def _tested(report: dict[str, Any], task: str) -> Iterator[str]:
    for key, part in report.items():
        if key.partition(" ")[0] == task:
            yield from (scene.partition("/")[0] for scene in part["sides"]["test"])
