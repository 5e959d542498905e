"""Sets, weights, archives and tables that contradict themselves are refused before anything is taken from them."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sfigf.datasets.members import open_members
from sfigf.interface import UserError
from sfigf.small_files import one_line
from sfigf.store import RecordFile, SampleFile, read_scenes
from sfigf.tables.render import _escape
from sfigf.tables.summary import read_summary
from sfigf.weights import load_network
from tests.hostile import archives, stores_seeds
from tests.hostile.mutations import ended


def rewrite(path: Path, change: Any) -> None:
    """Change what a safetensors file says of itself."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    entry = json.loads(header["__metadata__"]["sfigf"])
    header["__metadata__"]["sfigf"] = json.dumps(change(entry))
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: [entry],
        lambda entry: {"about": {}},
        lambda entry: entry | {"records": {}},
        lambda entry: entry | {"records": [entry["records"][0]] * 2},
        lambda entry: entry | {"records": [entry["records"][0] | {"fields": ["nothing"]}]},
        lambda entry: entry | {"records": [entry["records"][0] | {"facts": []}]},
        lambda entry: entry | {"records": [entry["records"][0] | {"facts": {}, "fields": []}]},
    ],
)
def test_a_set_whose_header_contradicts_itself_is_refused(tmp_path: Path, change: Any) -> None:
    for seed, read in ((stores_seeds.sample_file, SampleFile), (stores_seeds.scene_file, read_scenes)):
        path = seed(tmp_path)[0]
        rewrite(path, change)
        with pytest.raises(UserError) as caught:
            list(read(path))
        ended(one_line(str(caught.value)))
    assert len(RecordFile(stores_seeds.sample_file(tmp_path)[0])) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: {},
        lambda facts: facts | {"options": -1},
        lambda facts: facts | {"options": {"method": "svlrm", "width": [0]}},
        lambda facts: facts | {"options": {"method": "svlrm", "width": 10**6, "depth": 500}},
        lambda facts: facts | {"signature": 3},
        lambda facts: facts | {"signature": {"target": "1", "guide": 3, "output": 1}},
    ],
)
def test_weights_that_name_no_network_or_another_are_refused_before_memory_is_taken(
    tmp_path: Path, change: Any
) -> None:
    path = stores_seeds.weight_file(tmp_path)[0]
    load_network(path)
    rewrite(path, change)
    with pytest.raises(UserError) as caught:
        load_network(path)
    ended(one_line(str(caught.value)))


@pytest.mark.parametrize("field", [(b"PK\x01\x02", 8, 1), (b"PK\x01\x02", 10, 99)])
def test_a_zip_with_a_password_or_another_method_is_refused(tmp_path: Path, field: tuple[bytes, int, int]) -> None:
    path = archives._zip(tmp_path)[1]
    mark, offset, value = field
    data = bytearray(path.read_bytes())
    for at in (at for at in range(len(data)) if data[at : at + 4] == mark):
        data[at + offset] = value
    path.write_bytes(bytes(data))
    assert zipfile.is_zipfile(path)
    with pytest.raises(UserError, match="cannot be unpacked"):
        open_members(archives.card(pinned=True), archives.CARRIER, path, tmp_path / "inner")


def test_a_table_without_a_count_is_refused(tmp_path: Path) -> None:
    path = stores_seeds.tables(tmp_path)["summary"][0]
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("images")] = ""
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    with pytest.raises(UserError, match="column images must hold whole numbers"):
        read_summary(path)


def test_latex_has_no_command_of_a_name() -> None:
    assert _escape(r"\input{x}$#^~") == r"\textbackslash{}input\{x\}\$\#\^{}\~{}"
