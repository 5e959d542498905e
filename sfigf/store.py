"""One file per prepared set: named arrays and JSON facts, memory-mapped, the same bytes every time.

The container is safetensors. Keys are ``<index>/<field>``; names, order and facts live in one JSON metadata entry
(one, because safetensors does not keep the order of several).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from sfigf.files import replacing
from sfigf.interface import Array, Sample, Scene, UserError

_ENTRY = "sfigf"
_UNREADABLE = (SafetensorError, KeyError, ValueError, TypeError, RecursionError, OSError)
_DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "int32": "I32", "int64": "I64",
    "float16": "F16", "float32": "F32", "float64": "F64",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Record:
    """Named arrays with JSON-able facts."""

    name: str
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]


def write_records(path: str | Path, records: Iterable[Record], about: Mapping[str, Any] | None = None) -> None:
    """Write records atomically, one in memory at a time; equal input gives equal bytes.

    The arrays go to a nameless file beside ``path`` first, because the header that comes before them names them all.

    Raises:
        UserError: If there is no record, or two share a name.

    Source: the safetensors format, github.com/huggingface/safetensors, section "Format".
    """
    with replacing(path) as temporary, tempfile.TemporaryFile(dir=temporary.parent) as body:
        entries, tensors = _write_body(records, body)
        names = [entry["name"] for entry in entries]
        if not names or len(set(names)) != len(names):
            raise UserError(f"{path}: a set needs at least one record, each with its own name; got {names[:20]}")
        facts = json.dumps({"about": dict(about or {}), "records": entries}, sort_keys=True)
        header = json.dumps({"__metadata__": {_ENTRY: facts}, **tensors}, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        with temporary.open("wb") as stream:
            stream.write(struct.pack("<Q", len(header)) + header)
            body.seek(0)
            shutil.copyfileobj(body, stream, 1 << 20)


def _write_body(records: Iterable[Record], body: BinaryIO) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Write the arrays one after the other; return the records' entries and the header's lines."""
    entries: list[dict[str, Any]] = []
    tensors: dict[str, Any] = {}
    for index, record in enumerate(records):
        fields = sorted(record.arrays)
        entries.append({"name": record.name, "fields": fields, "facts": dict(record.facts)})
        for field in fields:
            array = np.ascontiguousarray(record.arrays[field])
            if array.dtype.name not in _DTYPES:
                raise UserError(f"record '{record.name}': {field} is {array.dtype}; a set holds {', '.join(_DTYPES)}")
            start = body.tell()
            body.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            facts = {"dtype": _DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": [start, body.tell()]}
            tensors[f"{index:05d}/{field}"] = facts
    return entries, tensors


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
            self.about: dict[str, Any] = _mapping(header["about"], "about")
            self._entries: list[dict[str, Any]] = _entries(header["records"], {*self._file.keys()})
        except _UNREADABLE as error:
            raise UserError(f"{path}: not a readable sfigf set ({error}); remove it and run again") from error

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> tuple[type[RecordFile], tuple[Path]]:
        """Another process opens the file itself."""
        return RecordFile, (self.path,)

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
        with self._reading(index, field):
            return self._file.get_tensor(f"{index:05d}/{field}")

    def window(self, index: int, field: str, top: int, left: int, height: int, width: int) -> Array:
        """Return ``[:, top:top+height, left:left+width]`` of an array, reading only that part."""
        with self._reading(index, field):
            view = self._file.get_slice(f"{index:05d}/{field}")
            if not view.get_shape()[0]:  # a view of no channels cannot be cut
                return self.array(index, field)[:, top : top + height, left : left + width]
            return view[:, top : top + height, left : left + width]

    def shape(self, index: int, field: str) -> tuple[int, ...]:
        """Return an array's shape without reading it."""
        return tuple(self._file.get_slice(f"{index:05d}/{field}").get_shape())

    @contextlib.contextmanager
    def _reading(self, index: int, field: str) -> Iterator[None]:
        """Turn what a file's own header contradicts into one line."""
        try:
            yield
        except (*_UNREADABLE, IndexError, AttributeError) as error:
            raise UserError(f"{self.path}: {field} of '{self.names[index]}' cannot be read ({error})") from error

    def __getitem__(self, index: int) -> Record:
        entry = self._entries[index]
        return Record(entry["name"], {field: self.array(index, field) for field in entry["fields"]}, entry["facts"])

    def __iter__(self) -> Iterator[Record]:
        return (self[index] for index in range(len(self)))


def _entries(entries: Any, stored: set[str]) -> list[dict[str, Any]]:
    """The records that a header lists, once each is known to be whole.

    Raises:
        ValueError: If one is not, names an array that the file does not hold, or has the name of another.
    """
    if not isinstance(entries, list):
        raise ValueError("it lists no records")
    for index, entry in enumerate(entries):
        _mapping(entry, f"record {index}")
        _mapping(entry["facts"], f"facts of record {index}")
        if not isinstance(entry["name"], str) or not isinstance(entry["fields"], list):
            raise ValueError(f"record {index} has no name or no fields")
        missing = [field for field in entry["fields"] if f"{index:05d}/{field}" not in stored]
        if missing:
            raise ValueError(f"record {index} lacks its array {missing[0]!r}")
    if len({entry["name"] for entry in entries}) != len(entries):
        raise ValueError("two records have one name")
    return entries


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a {type(value).__name__}, not an object")
    return value


def write_scenes(path: str | Path, scenes: Iterable[Scene], about: Mapping[str, Any] | None = None) -> None:
    """Write clean scenes."""
    records = (Record(s.name, s.arrays, {"place": s.place, "part": s.part, "meta": dict(s.meta)}) for s in scenes)
    write_records(path, records, about)


def read_scenes(path: str | Path) -> Iterator[Scene]:
    """Yield clean scenes, one in memory at a time."""
    for record in RecordFile(path):
        if {"place", "part", "meta"} - record.facts.keys():
            raise UserError(f"{path}: '{record.name}' is no scene; name a prepared set")
        yield Scene(record.name, record.facts["place"], record.facts["part"], record.arrays, record.facts["meta"])


_SAMPLE_ARRAYS = ("target", "guide", "truth", "valid", "coarse", "mono")
_SAMPLE_FIELDS = {*_SAMPLE_ARRAYS, "scale", "offset", "meta"}


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
        if {"target", "guide"} - fields.keys() or fields.keys() - _SAMPLE_FIELDS:
            raise UserError(f"{self.records.path}: '{record.name}' is no sample; name a degraded set")
        return Sample(record.name, **fields)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
