"""How long it takes to read the records of many jobs: `python -m tests.scale.records` says it."""

from __future__ import annotations

import argparse
import base64
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from sfigf.records.folder import StudyFolder
from sfigf.records.jobs import records_about

_RUN = "depth/x8/sfigf/full/seed{}"


def write(folder: Path, runs: int) -> int:
    """Write records of so many runs, three jobs each, and of one table made of them; return the number of jobs."""
    metadata = folder / ".snakemake/metadata"
    metadata.mkdir(parents=True)
    for number in range(runs):
        run, previous = _RUN.format(number), "data/degraded/depth/x8/train.safetensors"
        for kind, rule, suffix in (
            ("weights", "train_method", "safetensors"),
            ("restored", "restore_images", "safetensors"),
            ("scores", "score_run", "csv"),
        ):
            output = f"results/{kind}/{run}.{suffix}"
            _record(metadata, output, rule, [previous, "data/degraded/depth/x8/test.safetensors"])
            previous = output
    scores = [f"results/scores/{_RUN.format(number)}.csv" for number in range(runs)]
    _record(metadata, "results/tables/depth.csv", "tabulate_scores", scores)
    return 3 * runs + 1


def _record(metadata: Path, output: str, rule: str, inputs: list[str]) -> None:
    facts = {
        "rule": rule,
        "shellcmd": f"sfigf {rule} --config results/config.yaml --seed 0 {' '.join(inputs)} --output {output}",
        "input": inputs,
        "input_checksums": dict.fromkeys(inputs, f"sha256:{'0' * 64}"),
        "params": ["results/config.yaml", "0123456789abcdef", "fedcba9876543210"],
        "log": [f"results/logs/{rule}/{output}.log"],
        "starttime": 1.0,
        "endtime": 2.0,
        "incomplete": False,
    }
    # Source: snakemake 9.27, persistence: URL-safe base64, cut into folders where a name would be too long.
    name = base64.urlsafe_b64encode(output.encode()).decode()
    (metadata / name).write_text(json.dumps(facts))


def read(folder: Path, name: str) -> int:
    """Ask what `sfigf explain` asks of all records; return how many there are."""
    records, found = records_about(folder / name)
    record = records.find(found)
    assert record is not None
    study = StudyFolder(records, Path("results/config.yaml"))
    study.said(record)
    records.read_as(record)
    for file in record.inputs:
        study.made(file)
    return len(records.all)


def main() -> None:
    """Write records, read them, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    with tempfile.TemporaryDirectory() as folder:
        jobs = write(Path(folder), parser.parse_args().jobs // 3)
        for name in (f"results/scores/{_RUN.format(7)}.csv", "results/tables/depth.csv"):
            started, spent = time.perf_counter(), time.process_time()
            read(Path(folder), name)
            seconds, spent = time.perf_counter() - started, time.process_time() - spent
            print(f"{jobs} jobs, {name}: {seconds:.1f} s, {spent:.1f} s of them on the processor")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(f"{megabytes:.0f} MB")


if __name__ == "__main__":
    main()
