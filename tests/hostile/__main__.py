"""``python -m tests.hostile --inputs N --seed S``: damage N files for every reader, and write the table.

Exits with 1 if one was neither read nor refused; its line names the reader, the number and the damage. The same file
comes again with ``--only READER --first NUMBER --inputs 1 --keep FOLDER``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.hostile import MODULES, gathered
from tests.hostile.report import failures, is_clean, table
from tests.hostile.running import Plan, Row, count

_SHOWN = 10


def main() -> int:
    """Run the plan of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=2000, help="files for each reader")
    parser.add_argument("--seed", type=int, default=0, help="another seed damages otherwise")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--only", action="append", help="a reader, or the begin of its name; may be repeated")
    parser.add_argument("--keep", help="folder that gets a copy of every file that is tried")
    parser.add_argument("--output", type=Path, default=Path("build/hostile.md"), help="where the table is written")
    chosen = parser.parse_args()
    rows: list[Row] = []
    for module in MODULES:
        names = [reader.name for reader in gathered(module) if _wanted(reader.name, chosen.only)]
        for name in names:
            plan = Plan([module], [name], chosen.seed, chosen.first, chosen.first + chosen.inputs, chosen.keep)
            rows += count(plan)
            print(name, dict(rows[-1].counts), flush=True)
            print(*rows[-1].failures[:_SHOWN], sep="\n", end="\n" * bool(rows[-1].failures), flush=True)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(table(rows) + "".join(f"\n- {line}" for line in failures(rows)), encoding="utf-8")
    print(table(rows))
    return 0 if is_clean(rows) else 1


def _wanted(name: str, only: list[str] | None) -> bool:
    return not only or any(name.startswith(begin) for begin in only)


if __name__ == "__main__":
    sys.exit(main())
