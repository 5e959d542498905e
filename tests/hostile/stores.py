"""The readers of what the workflow keeps: sets, weights, checkpoints, logs, tables, indexes, records, the report."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.checkpoint import load_checkpoint
from sfigf.costs import read_costs as read_plan_costs
from sfigf.figures.training import read_curve
from sfigf.published import audited_sets, read_index, state_of
from sfigf.publishing.log import thinned
from sfigf.records.facts import facts_of
from sfigf.records.jobs import Records
from sfigf.released.reading import read_state
from sfigf.store import RecordFile, SampleFile, read_scenes
from sfigf.tables.comparisons import read_statistics
from sfigf.tables.costs import read_costs, read_counted, read_measured
from sfigf.tables.published import read_published
from sfigf.tables.robustness import read_curves
from sfigf.tables.scores import read_scores
from sfigf.tables.summary import read_summary
from sfigf.weights import load_network, read_facts
from tests.hostile import Reader, no_opinion, stores_seeds
from tests.hostile.mutations import change_file
from tests.hostile.settings import ROOT, said, told
from tests.hostile.settings_changes import TEXT, replace_value
from tests.hostile.stores_changes import change_pickle, change_safetensors, change_table


def _digest(arrays: Any) -> str:
    seen = hashlib.sha256()
    for array in arrays:
        seen.update(f"{array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()[:16]


def samples(path: Path) -> str:
    """All arrays of all samples."""
    read = list(SampleFile(path))
    fields = ("target", "guide", "truth", "valid", "coarse", "mono")
    arrays = [array for sample in read for field in fields if (array := getattr(sample, field)) is not None]
    assert all(isinstance(array, np.ndarray) for array in arrays)
    return f"{said([sample.name for sample in read])} {_digest(arrays)}"


def scenes(path: Path) -> str:
    """All arrays of all scenes, whole and in windows."""
    read = list(read_scenes(path))
    file = RecordFile(path)
    windows = [file.window(index, field, 0, 0, 4, 4) for index in range(len(file)) for field in file.fields(index)]
    arrays = [array for scene in read for array in scene.arrays.values()]
    return f"{said([scene.name for scene in read])} {_digest(arrays)} {len(windows)}"


def samples_expected(path: Path) -> str | None:
    """The same by hand: header, offsets, bytes."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    pairs = json.loads(data[8 : 8 + length], object_pairs_hook=_once)
    entries = json.loads(pairs.pop("__metadata__")["sfigf"])["records"]
    arrays = []
    types = {"F32": "<f4", "BOOL": "?", "U8": "u1", "F64": "<f8", "I64": "<i8", "F16": "<f2"}
    for index, entry in enumerate(entries):
        for field in ("target", "guide", "truth", "valid", "coarse", "mono"):
            if field in entry["fields"]:
                facts = pairs[f"{index:05d}/{field}"]
                start, end = facts["data_offsets"]
                block = np.frombuffer(data[8 + length + start : 8 + length + end], types[facts["dtype"]])
                arrays.append(block.reshape(facts["shape"]))
    return f"{said([entry['name'] for entry in entries])} {_digest(arrays)}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def network(path: Path) -> str:
    """Facts and values of a network."""
    loaded, facts = load_network(path)
    return f"{said(facts)} {_digest(value.numpy() for value in loaded.state_dict().values())}"


def checkpoint(path: Path) -> str:
    """A checkpoint, or that it was set aside."""
    if not path.is_file():
        return "no checkpoint"
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        shutil.copyfile(path, Path(folder) / "last.pt")
        state = load_checkpoint(Path(folder))
        assert state is not None or (Path(folder) / "unreadable.pt").is_file()
        return "set aside" if state is None else said(state)


def released(path: Path) -> str:
    """A checkpoint of the authors'."""
    return _digest(value.numpy() for value in read_state(path).values())


def log(path: Path) -> str:
    """A training log, by each of those who read one."""
    curve = read_curve(path, "sfigf", "full")
    thin = thinned(path)
    assert all(json.loads(line) for line in thin.splitlines())
    facts_of(path)
    return f"{len(curve.steps)} {len(thin.splitlines())}"


def index(path: Path) -> str:
    """An index of published weights and the state of its files."""
    folder = path if path.is_dir() else path.parent
    return said({name: state_of(folder, entry, read=True) for name, entry in read_index(folder).items()})


def records(path: Path) -> str:
    """Snakemake's records of a folder."""
    known = Records(path)
    return said([known.find(name) is not None for name in known.files] + [len(known.all)])


def _frame(frame: Any) -> str:
    return f"{frame.shape} {said(frame.to_csv())}"


def _table(name: str, read: Callable[[Path], Any]) -> Reader:
    seeds = functools.partial(_one_table, name=name)
    return _reader(f"table: {name}", seeds, lambda path: _frame(read(path)), change_table)


def _one_table(folder: Path, name: str) -> list[Path]:
    return stores_seeds.tables(folder)[name]


def _reader(name: str, seeds: Any, read: Any, change: Any, expected: Any = no_opinion) -> Reader:
    return Reader(f"stores: {name}", seeds, told(read), change, expected, seconds=30.0, memory_bytes=2**30)


def _published_csv(folder: Path) -> list[Path]:
    lines = (ROOT / "config/published.csv").read_text().splitlines()[:40]
    (path := folder / "published.csv").write_text("\n".join(lines) + "\n")
    return [path]


def _plan_costs(path: Path) -> str:
    return said(str(read_plan_costs(path)))


def _cost_seed(folder: Path) -> list[Path]:
    return [Path(shutil.copy(ROOT / "config/costs.csv", folder))]


_JSON_TEXT = functools.partial(change_file, own=TEXT)


def _json(path: Path, rng: np.random.Generator) -> str:
    return replace_value(path, rng) if rng.integers(2) and path.suffix == ".json" else _JSON_TEXT(path, rng)


READERS = [
    _reader("samples", stores_seeds.sample_file, samples, change_safetensors, samples_expected),
    _reader("scenes", stores_seeds.scene_file, scenes, change_safetensors),
    _reader("weights", stores_seeds.weight_file, network, change_safetensors),
    _reader("what weights say", stores_seeds.weight_file, lambda path: said(read_facts(path)), change_safetensors),
    _reader("checkpoints", stores_seeds.checkpoint_file, checkpoint, change_pickle),
    _reader("the authors' checkpoints", stores_seeds.released_file, released, change_pickle),
    _reader("training logs", stores_seeds.log_file, log, _JSON_TEXT),
    _reader("index of published weights", stores_seeds.index_file, index, _json),
    _reader("audits", stores_seeds.audit_file, lambda path: said(sorted(audited_sets(path, "depth"))), _json),
    _reader("cost files", stores_seeds.cost_file, lambda path: _frame(read_costs([path])), _json),
    _reader("costs of a plan", _cost_seed, _plan_costs, change_table),
    _reader("Snakemake's records", stores_seeds.record_folder, records, _JSON_TEXT),
    _table("scores", lambda path: read_scores([path])),
    _table("summary", read_summary),
    _table("counted costs", lambda path: read_counted([path])),
    _table("times", lambda path: read_measured([path])),
    _table("statistics", read_statistics),
    _table("curves", lambda path: read_curves([path])),
    _reader("table: published numbers", _published_csv, lambda path: _frame(read_published(path)), change_table),
    _reader("a study's results, as the report reads them", stores_seeds.results, stores_seeds.report, change_file),
]
