"""How long it takes to plan a study of many jobs: `python -m benchmarks.planning`. Nothing is run.

The study is the default one with more conditions, widths of SFIGF and seeds. Prints jobs, seconds of the processor, how
many of them are ours (reading the rule files, and the functions in them that are asked for each job; the rest is
Snakemake's own), and megabytes.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = range(4, 36, 4)
PER_RUN = 3
"""Jobs of a learned run: train, restore, score."""
_TIMED = """
import functools, sys, time
from snakemake import cli, rules, workflow
spent, inside, book = 0.0, False, sys.argv.pop(1)

def timed(function):
    @functools.wraps(function)
    def call(*words, **options):
        global spent, inside
        if inside:  # a rule file that includes another
            return function(*words, **options)
        started, inside = time.process_time(), True
        try:
            return function(*words, **options)
        finally:
            spent, inside = spent + time.process_time() - started, False
    return call

ask = rules.Rule.apply_input_function
def asked(self, function, *words, **options):
    function = getattr(getattr(function, "_file", function), "callable", function)
    return ask(self, timed(function), *words, **options)

rules.Rule.apply_input_function = asked
workflow.Workflow.include = timed(workflow.Workflow.include)
try:
    cli.main()
finally:
    open(book, "w").write(str(spent))
"""


def study(jobs: int) -> dict[str, Any]:
    """Changes to the default study that make a plan of about so many jobs."""
    from sfigf.config import kept, load_settings, merged
    from sfigf.plan import runs

    default = yaml.safe_load((ROOT / "config/default.yaml").read_text(encoding="utf-8"))
    wider = {f"sfigf-{width}": {"method": "sfigf", "width": width} for width in WIDTHS}
    changes: dict[str, Any] = {"study": "many", "tasks": {task: {"methods": wider} for task in default["tasks"]}}
    changes["tasks"]["depth"] = changes["tasks"]["depth"] | {"conditions": ["x4", "x8", "x16"]}
    found = runs(load_settings(kept(merged(default, copy.deepcopy(changes)))))
    learned = sum(run.learned for run in found)
    return changes | {"seeds": list(range(max(1, round(jobs / (PER_RUN * learned)))))}


def plan(changes: dict[str, Any], folder: Path) -> tuple[int, float, float, float]:
    """Plan the study in a folder; return jobs, seconds of processor, how many of them are ours, and most megabytes."""
    settings, book = folder / "many.yaml", folder / "ours"
    settings.write_text(json.dumps(changes), encoding="utf-8")
    words = [sys.executable, "-c", _TIMED, str(book), "--dry-run", "--quiet", "rules", "--cores", "1"]
    words += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--configfile", str(settings)]
    with (folder / "said.log").open("w") as log:
        process = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    said = (folder / "said.log").read_text()
    total = re.search(r"^total +(\d+)$", said, re.MULTILINE)
    if status or not total:
        raise SystemExit(said[-3000:])
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return int(total[1]), usage.ru_utime + usage.ru_stime, float(book.read_text()), megabytes


def main() -> None:
    """Plan, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[100, 1000, 10_000])
    print(f"{'jobs':>8} {'seconds':>8} {'ours':>6} {'MB':>6}")
    for jobs in parser.parse_args().jobs:
        with tempfile.TemporaryDirectory() as folder:
            planned, seconds, ours, megabytes = plan(study(jobs), Path(folder))
        print(f"{planned:8} {seconds:8.1f} {ours:6.1f} {megabytes:6.0f}", flush=True)


if __name__ == "__main__":
    main()
