"""One file per prepared set: named arrays and JSON facts, memory-mapped, the same bytes every time.

The container is safetensors. Keys are ``<index>/<field>``; names, order and facts live in one JSON metadata entry
(one, because safetensors does not keep the order of several).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sfigf.files import replacing
from sfigf.interface import Array, Sample, Scene, UserError

_ENTRY = "sfigf"


@dataclasses.dataclass(frozen=True)
class Record:
    """Named arrays with JSON-able facts."""

    name: str
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]


def write_records(path: str | Path, records: Iterable[Record], about: Mapping[str, Any] | None = None) -> None:
    """Write records atomically; equal input gives equal bytes.

    Raises:
        UserError: If there is no record, or two share a name.
    """
    tensors: dict[str, Array] = {}
    entries: list[dict[str, Any]] = []
    for index, record in enumerate(records):
        fields = sorted(record.arrays)
        entries.append({"name": record.name, "fields": fields, "facts": dict(record.facts)})
        for field in fields:
            tensors[f"{index:05d}/{field}"] = np.ascontiguousarray(record.arrays[field])
    names = [entry["name"] for entry in entries]
    if not names or len(set(names)) != len(names):
        raise UserError(f"{path}: a set needs at least one record, each with its own name; got {names}")
    header = json.dumps({"about": dict(about or {}), "records": entries}, sort_keys=True)
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={_ENTRY: header})


class RecordFile:
    """Read records lazily from a memory-mapped file.

    Raises:
        UserError: If the file is missing, truncated or not one of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"{path}: no such file; the workflow makes it, or name another")
        try:
            self._file = safe_open(self.path, framework="numpy")
            header = json.loads((self._file.metadata() or {})[_ENTRY])
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise UserError(f"{path}: not a readable sfigf set ({error}); remove it and run again") from error
        self.about: dict[str, Any] = header["about"]
        self._entries: list[dict[str, Any]] = header["records"]

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def names(self) -> list[str]:
        """Record names in file order."""
        return [entry["name"] for entry in self._entries]

    def facts(self, index: int) -> dict[str, Any]:
        """Return the JSON facts of a record."""
        return self._entries[index]["facts"]

    def fields(self, index: int) -> list[str]:
        """Return the names of a record's arrays."""
        return self._entries[index]["fields"]

    def array(self, index: int, field: str) -> Array:
        """Return one whole array."""
        return self._file.get_tensor(f"{index:05d}/{field}")

    def window(self, index: int, field: str, top: int, left: int, height: int, width: int) -> Array:
        """Return ``[:, top:top+height, left:left+width]`` of an array, reading only that part."""
        view = self._file.get_slice(f"{index:05d}/{field}")
        return view[:, top : top + height, left : left + width]

    def shape(self, index: int, field: str) -> tuple[int, ...]:
        """Return an array's shape without reading it."""
        return tuple(self._file.get_slice(f"{index:05d}/{field}").get_shape())

    def __getitem__(self, index: int) -> Record:
        entry = self._entries[index]
        return Record(entry["name"], {field: self.array(index, field) for field in entry["fields"]}, entry["facts"])

    def __iter__(self) -> Iterator[Record]:
        return (self[index] for index in range(len(self)))


def write_scenes(path: str | Path, scenes: Iterable[Scene], about: Mapping[str, Any] | None = None) -> None:
    """Write clean scenes."""
    records = (Record(s.name, s.arrays, {"place": s.place, "part": s.part, "meta": dict(s.meta)}) for s in scenes)
    write_records(path, records, about)


def read_scenes(path: str | Path) -> Iterator[Scene]:
    """Yield clean scenes, one in memory at a time."""
    for record in RecordFile(path):
        yield Scene(record.name, record.facts["place"], record.facts["part"], record.arrays, record.facts["meta"])


_SAMPLE_ARRAYS = ("target", "guide", "truth", "valid", "coarse")


def write_samples(path: str | Path, samples: Iterable[Sample], about: Mapping[str, Any] | None = None) -> None:
    """Write degraded samples."""
    write_records(path, (_record_of(sample) for sample in samples), about)


def _record_of(sample: Sample) -> Record:
    arrays = {field: getattr(sample, field) for field in _SAMPLE_ARRAYS if getattr(sample, field) is not None}
    return Record(sample.name, arrays, {"scale": sample.scale, "offset": sample.offset, "meta": dict(sample.meta)})


class SampleFile:
    """A set of degraded samples; ``len``, indexing and iteration."""

    def __init__(self, path: str | Path) -> None:
        self.records = RecordFile(path)
        self.about = self.records.about

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Sample:
        record = self.records[index]
        fields: dict[str, Any] = {**record.arrays, **record.facts}
        return Sample(record.name, **fields)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
