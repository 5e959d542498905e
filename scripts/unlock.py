"""Release the lock of a run that was killed; refuse while anything of it is still at work.

A kill -9 or a power cut leaves Snakemake's lock files behind, and sometimes a job that goes on without its run.
Usage: python scripts/unlock.py [folder]
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import psutil

PROGRAMS = {"snakemake", "sfigf"}
PATIENCE_S = 20.0
"""Jobs whose run was killed end by themselves, a training after its step."""


def at_work(folder: Path) -> dict[int, set[str]]:
    """Return the processes of ours that work in the folder: id, and which programs they run."""
    found = {}
    for process in psutil.process_iter():
        try:
            programs = {Path(word).name for word in process.cmdline()[:3]}
            if programs & PROGRAMS and Path(process.cwd()) == folder:
                found[process.pid] = programs & PROGRAMS
        except (psutil.Error, OSError):
            continue
    return found


def main(folder: str = ".") -> int:
    """Remove stale lock files; 1 if the folder is in use."""
    place = Path(folder).resolve()
    locks = place / ".snakemake" / "locks"
    if not locks.is_dir() or not any(locks.iterdir()):
        return 0
    working = at_work(place)
    end = time.monotonic() + PATIENCE_S
    while working and "snakemake" not in set().union(*working.values()) and time.monotonic() < end:
        time.sleep(0.5)
        working = at_work(place)
    if working:
        process = min(working)
        print(f"a run or a job of one is at work in {place} (process {process}): wait, or stop it", file=sys.stderr)
        return 1
    shutil.rmtree(locks)
    print("released the lock of a run that was killed; going on where it stopped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
