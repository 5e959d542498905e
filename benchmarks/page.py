"""docs/performance.md: every number in it comes from a record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH
from benchmarks.gauge import LEAST_SECONDS
from benchmarks.section import Section
from benchmarks.targets import Sections, base_of, sides, table, targets

HOW = f"""\
- Every row runs in a process of its own. The processes take turns, once each per round, so that what else the machine
  does hits all alike; the shortest round counts, and a round lasts at least {LEAST_SECONDS} s. *times* is what to read:
  how many times faster than the row that shows 1.
- The plain form is what most code does: it gathers every key and value of a window first, 49 copies of the features.
  The network around it is ours. *PyTorch only* is ours as it runs where nothing can be compiled: numba is hidden from
  it, as from the plain forms.
- Compiling is not measured: each process runs once on a small image first. Inputs, weights and seeds are the same.
- Peak memory is the first run at full size, above what the process had before it: the high-water mark of the resident
  memory, started anew just before (Linux; elsewhere the largest ever, which may come out too small). On CUDA it is
  what torch allocated.
- Of the targets, *linear* and *set by the tile* are no numbers; they are read as the bounds shown.
- Errors come from the same processes, on small inputs; that the forms are equal is what `tests/` hold."""


@dataclasses.dataclass
class Record:
    """One machine's sections."""

    machine: dict[str, str]
    sections: dict[str, Section]

    @classmethod
    def read(cls, path: str | Path) -> Record:
        """Read what ``write`` has written."""
        kept = json.loads(Path(path).read_text())
        return cls(kept["machine"], {key: Section(**value) for key, value in kept["sections"].items()})

    def write(self, path: str | Path) -> None:
        """Write JSON."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def page(records: list[Record]) -> str:
    """The whole page."""
    parts = ["# Performance", " ".join(opening(records))]
    for record in records:
        parts += _machine(record)
    return "\n\n".join([*parts, "## How it was measured", HOW]) + "\n"


def _machine(record: Record) -> Iterator[str]:
    device = record.machine["CUDA device"]
    yield f"## {record.machine['processor']}" + (f", {device}" if device != "none" else "")
    facts = ", ".join(f"{name} {value}" for name, value in record.machine.items())
    dates = sorted({section.date for section in record.sections.values()})
    commands = " and ".join(
        f"`{command}`" for command in sorted({section.command for section in record.sections.values()})
    )
    yield f"Written by {commands}, {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}. Do not edit.\n{facts}."
    bounds = targets(record.sections)
    if bounds:
        yield from ("### Targets", table(bounds))
    for section in record.sections.values():
        yield from (f"### {section.title}", section.text)
        if section.rows:
            yield section.table()
    if device == "none":
        yield "No CUDA device on this machine: the tables of CUDA are left out."


def opening(records: list[Record]) -> Iterator[str]:
    """What to take from the page, a sentence at a time: the first machine's numbers, then those of any CUDA device."""
    yield from _of_the_processor(records[0].sections)
    for record in records:
        yield from _of_cuda(record)
    bounds = [target for record in records for target in targets(record.sections) if target.reached is not None]
    if bounds:
        met, more = (sum(target.met(getattr(target, bound)) for target in bounds) for bound in ("must", "aim"))
        yield f"{met} of {len(bounds)} targets are met, {more} with their aim."


def _of_the_processor(sections: Sections) -> Iterator[str]:
    if "network-forward" in sections:
        yield from _of_the_network(sections["network-forward"])
    for name, section in list(sections.items())[::-1]:
        if name.startswith("network-both-") and (times := section.times(OURS, "both")):
            less = section.ratio(OURS, PLAIN, "both_peak")
            yield f"Forward and backward it is {times:.2g} times as fast" + _memory(less)
            break
    if "attention-forward" in sections and (times := sections["attention-forward"].times(OURS, "forward")):
        yield f"The attention alone is {times:.2g} times as fast."
    if "size" in sections:
        yield from _of_size(sections["size"])


def _of_cuda(record: Record) -> Iterator[str]:
    alone, whole = (record.sections.get(f"cuda-{name}") for name in ("attention-forward", "network"))
    found = [
        ("the attention", alone and alone.times(OURS, "forward")),
        ("the network", whole and whole.times(OURS, "forward")),
    ]
    said = [f"{name} is {times:.2g} times as fast as its plain form" for name, times in found if times]
    if said:
        yield f"On {record.machine['CUDA device']} {' and '.join(said)}."


def _of_the_network(forward: Section) -> Iterator[str]:
    times, less = forward.times(OURS, "forward"), forward.ratio(OURS, PLAIN, "forward_peak")
    if times:
        yield f"On a CPU our depth network is **{times:.2g} times** as fast as its plain form{_memory(less)}"
    bfloat16, error = forward.times(OURS + BFLOAT16, "forward"), forward.rows.get(OURS + BFLOAT16, {}).get("rmse")
    if bfloat16 and error is not None:
        yield f"In bfloat16 it is {bfloat16:.2g} times as fast, at an RMSE of {error:.1e} of the output's range."
    alone = forward.times(PYTORCH, "forward")
    if alone:
        yield f"Where nothing can be compiled, it is still {alone:.2g} times as fast."


def _memory(share: float | None) -> str:
    return "." if share is None else f" and needs {share * 100:.0f} % of its memory."


def _of_size(section: Section) -> Iterator[str]:
    tiled: list[Any] = sides(section, "tiled_ms_per_mp")
    base = base_of(tiled)
    if base:
        time, memory = (section.ratio(tiled[-1], base, key) for key in ("tiled_ms_per_mp", "tiled_peak"))
        if time and memory:
            yield (
                f"Tile by tile, an image of {tiled[-1]} pixels takes {time:.2f} times as long per pixel as one of "
                f"{base}, and {memory:.2f} times its memory."
            )
