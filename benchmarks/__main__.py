"""``python -m benchmarks``: measure, keep the numbers, write the page."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
from pathlib import Path

from benchmarks import attention, cuda, machine, network, size, task, training
from benchmarks.page import Record, page
from benchmarks.section import Section
from benchmarks.sizes import QUICK, WHOLE, Sizes

GROUPS = {
    "attention": attention.measure,
    "network": network.measure,
    "task": task.measure,
    "size": size.measure,
    "training": training.measure,
    "cuda": cuda.measure,
}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, write."""
    asked = _parser().parse_args(arguments)
    sizes = dataclasses.replace(QUICK if asked.quick else WHOLE, weights=asked.weights, samples=asked.samples)
    only = [name for name in asked.only.split(",") if name != "none"]
    unknown = set(only) - set(GROUPS)
    if unknown:
        sys.exit(f"--only {','.join(sorted(unknown))}: there is {', '.join(GROUPS)} and none")
    records = [Record.read(path) for path in asked.earlier]
    if only:
        record = Record(machine.describe(), measure(sizes.up_to(asked.largest), only, command_of(asked)))
        if asked.record:
            record = with_kept(record, asked.record)
            record.write(asked.record)
        records.insert(0, record)
    Path(asked.output).write_text(page(records), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--output", default="docs/performance.md", help="page to write (default: %(default)s)")
    parser.add_argument("--record", help="JSON to keep this machine's numbers in; it keeps groups not measured now")
    parser.add_argument("--earlier", nargs="*", default=[], help="records of other machines to show below")
    parser.add_argument("--only", default=",".join(GROUPS), help="groups to measure (default: %(default)s), or none")
    parser.add_argument("--quick", action="store_true", help="small sizes, about two minutes")
    parser.add_argument("--largest", type=int, default=1024, help="largest image side in pixels (default: %(default)s)")
    parser.add_argument("--weights", default=WHOLE.weights, help="trained depth weights (default: %(default)s)")
    parser.add_argument("--samples", default=WHOLE.samples, help="samples to restore (default: %(default)s)")
    return parser


def command_of(asked: argparse.Namespace) -> str:
    """The command line as far as it decides what is measured; where things lie is nobody else's concern."""
    words = ["python -m benchmarks", *(["--quick"] if asked.quick else [])]
    words += [] if asked.only == ",".join(GROUPS) else [f"--only {asked.only}"]
    return " ".join([*words, f"--largest {asked.largest}"])


def measure(sizes: Sizes, only: list[str], command: str) -> dict[str, Section]:
    """Measure the named groups."""
    sections = {}
    for name in only:
        print(f"\n{name} ", end="", file=sys.stderr, flush=True)
        for key, section in GROUPS[name](sizes).items():
            section.date, section.command = datetime.date.today().isoformat(), command
            sections[key] = section
    print(file=sys.stderr)
    return sections


def with_kept(record: Record, path: str) -> Record:
    """Add the sections of an earlier run on the same machine that were not measured again."""
    if not Path(path).is_file():
        return record
    earlier = Record.read(path)
    if earlier.machine != record.machine:
        return record
    order = list(GROUPS)
    merged = earlier.sections | record.sections
    return Record(record.machine, dict(sorted(merged.items(), key=lambda item: order.index(item[0].partition("-")[0]))))


if __name__ == "__main__":
    main()
