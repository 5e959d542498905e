"""Writes docs/benchmark.md from the tables of a finished `make benchmark`: all but the scores of single images."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "build/benchmark/results/tables"
HEAD = """\
# The field's own test sets

Written by `scripts/benchmark_page.py` from the tables of `make benchmark`, the study `config/benchmark.yaml`, and by
nothing else. Learned methods have the small sizes of the default study, trained for minutes on two CPU cores, on
rendered scenes (depth, focus) and on Sentinel-2 as the sensor would see it (pan); none has seen a test set. Published
numbers are of networks of full size, trained on the field's training sets: a difference speaks of both.
[protocols.md](protocols.md) says what each protocol fixes; the scores of single images are in the run's own pages.
"""


def without_images(page: str) -> str:
    """The page without its tables of single images, one level down."""
    kept, skipped = [], False
    for line in page.splitlines():
        if line.startswith("#"):
            skipped = "on each image" in line
            line = f"#{line}"
        elif "on each image: in the table" in line:
            continue
        if not skipped:
            kept.append(line)
    return "\n".join(kept)


pages = [TABLES / f"{task}.md" for task in ("depth", "pan", "focus")]
missing = [page for page in pages if not page.is_file()]
if missing:
    sys.exit(f"benchmark page: {missing[0].relative_to(ROOT)} is not there; run `make benchmark` first")
text = "\n\n".join([HEAD.rstrip(), *(without_images(page.read_text(encoding="utf-8")) for page in pages)])
while "\n\n\n" in text:
    text = text.replace("\n\n\n", "\n\n")
(ROOT / "docs/benchmark.md").write_text(text.rstrip() + "\n", encoding="utf-8")
