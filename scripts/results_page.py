"""Writes docs/results.md from the finished studies: the default one, benchmark, desk, seeds and quirks."""

import subprocess
import sys
from pathlib import Path

from sfigf.interface import UserError
from sfigf.tables.results_page import Sources, results_page

ROOT = Path(__file__).resolve().parent.parent
STUDIES = ("results", "build/benchmark/results", "build/desk/results", "build/seeds/results")
QUIRKS = "build/quirks/results"


def commit() -> str:
    """What the repository is at, with a plus where files were changed since; nothing outside of git."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=ROOT, capture_output=True, text=True
    )
    return found.stdout.strip()


sources = Sources(
    studies=[(name, ROOT / name) for name in STUDIES],
    quirks=(QUIRKS, ROOT / QUIRKS),
    cards=ROOT / "config/datasets",
    published=ROOT / "config/published.csv",
    paper=ROOT / "docs/paper.md",
    commit=commit(),
)
try:
    page = results_page(sources)
except UserError as error:
    sys.exit(f"results page: {error}")
(ROOT / "docs/results.md").write_text(page, encoding="utf-8")
