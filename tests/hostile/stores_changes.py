"""What breaks readers of stores: headers that lie, records that contradict themselves, pickles that run, odd cells."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.mutations import change_file
from tests.hostile.settings_changes import TEXT, VALUES, places, replaced

_LENGTHS = (0, 1, 7, 8, 100_000_000, 100_000_001, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
_OFFSETS = ([0, 0], [0, 2**62], [4, 0], [-4, 4], [0, 8], [8, 16], [0.0, 4.0], "0", None, [0], [0, 4, 8])
_SHAPES: tuple[Any, ...] = ([], [0], [-1], [2**40], [2**32, 2**32], [1] * 70, [1, None], "1", [1.5], [True])
_DTYPES = ("F32", "F16", "BF16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "C64", "X99", "", 3, None)
CELLS = (
    "", "nan", "NaN", "inf", "-inf", "1e999", "-1e-999", "0x10", "1,5", "1_000", "true", "=1+1", "=cmd|'/c calc'!A0",
    "+1", "-", "@SUM(A1)", '"', '"a\nb"', "a\rb", "\t", "<script>alert(1)</script>", "\\input{/etc/passwd}", "${7*7}",
    "\0", "é", "x" * 70_000, "depth", "focus", "full", "1" * 400, "-1", "1.5", "9" * 25, "\ud7ff", "\u202e", "[1]",
    "{}", "null", "\x1b[2J",
)  # fmt: skip


class Touch:
    """A pickle of it runs a command where it is loaded."""

    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


def change_safetensors(path: Path, rng: np.random.Generator) -> str:
    """Change the header of a safetensors file as JSON, its length, or its bytes."""
    kind = int(rng.integers(4))
    if kind == 0:
        return change_file(path, rng)
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = data[8 : 8 + length], data[8 + length :]
    if kind == 1 and rng.integers(2):
        length = _LENGTHS[int(rng.integers(len(_LENGTHS)))]
        path.write_bytes(struct.pack("<Q", length) + header + body)
        return f"header of {length} bytes"
    changed, done = _changed_header(json.loads(header), rng)
    text = changed if isinstance(changed, bytes) else json.dumps(changed, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return done


def _changed_header(header: dict[str, Any], rng: np.random.Generator) -> tuple[Any, str]:
    tensors = [name for name in header if name != "__metadata__"]
    name = tensors[int(rng.integers(len(tensors)))]
    kind = int(rng.integers(6))
    if kind == 0:
        choices: tuple[tuple[str, Any], ...] = (("data_offsets", _OFFSETS), ("shape", _SHAPES), ("dtype", _DTYPES))
        field, values = choices[int(rng.integers(3))]
        value = values[int(rng.integers(len(values)))]
        return header | {name: header[name] | {field: value}}, f"{field} of {name} is {value!r}"
    if kind == 1:
        return {key: value for key, value in header.items() if key != name}, f"without {name}"
    if kind == 2:
        twice = json.dumps(header)[:-1] + f',"{name}":{json.dumps(header[name])}}}'
        return twice.encode(), f"{name} twice"
    if kind == 3:
        other = tensors[int(rng.integers(len(tensors)))]
        return header | {name: header[other], other: header[name]}, f"{name} and {other} changed places"
    return _changed_facts(header, rng)


def _changed_facts(header: dict[str, Any], rng: np.random.Generator) -> tuple[Any, str]:
    """Another value somewhere in what the file says of itself."""
    entry = json.loads(header["__metadata__"]["sfigf"])
    known = [*places(entry)]
    at, value = known[int(rng.integers(len(known)))], VALUES[int(rng.integers(len(VALUES)))]
    text = json.dumps(replaced(entry, at, value))
    if rng.integers(10) == 0:
        text = ("[" * 50_000, "", "{}", "[]", "null", text[: len(text) // 2])[int(rng.integers(6))]
    return header | {"__metadata__": {"sfigf": text}}, ascii(f"{'.'.join(map(str, at))} = {value!r}")[:100]


def change_pickle(path: Path, rng: np.random.Generator) -> str:
    """Put code into a checkpoint, in either of the formats of PyTorch, or damage its bytes."""
    kind = int(rng.integers(6))
    if kind > 2:
        return change_file(path, rng)
    code = pickle.dumps({"step": 1, "network": Touch()}, protocol=(0, 2, 4)[int(rng.integers(3))])
    if kind == 0:
        path.write_bytes(code)
        return "a pickle with code"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as given, zipfile.ZipFile(out, "w") as container:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("data.pkl"):
                content = code if kind == 1 else _spliced(content, rng)
            container.writestr(name, content)
    path.write_bytes(out.getvalue())
    return "code in the archive" if kind == 1 else "another opcode in the archive"


def _spliced(content: bytes, rng: np.random.Generator) -> bytes:
    """A call of ``os.system`` before the end, or anywhere."""
    call = b"cposix\nsystem\nX\x0b\x00\x00\x00touch pwned\x85R"
    place = len(content) - 1 if rng.integers(2) else int(rng.integers(len(content)))
    return content[:place] + call + content[place:]


def change_table(path: Path, rng: np.random.Generator) -> str:
    """Change a cell, a row or a column of a CSV file, or its text, or its bytes."""
    kind = int(rng.integers(4))
    if kind == 0 or not path.is_file():
        return change_file(path, rng, TEXT)
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    row = int(rng.integers(len(lines)))
    column = int(rng.integers(len(lines[row])))
    if kind == 1 and rng.integers(3) == 0:
        lines = [[cell for place, cell in enumerate(line) if place != column] for line in lines]
        done = f"without column {column}"
    else:
        lines[row][column] = str(CELLS[int(rng.integers(len(CELLS)))])
        done = ascii(f"row {row}, column {column}: {lines[row][column][:40]}")
    path.write_text("\n".join(map(",".join, lines)) + "\n", encoding="utf-8")
    return done
