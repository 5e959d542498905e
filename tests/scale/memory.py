"""Memory of commands as their data grow tenfold: `python -m tests.scale.memory` measures and prints a table.

What counts is memory of the process's own. Pages of a mapped file are the system's: it takes them back when it wants.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from sfigf.interface import Scene
from sfigf.store import write_scenes
from tests.conftest import ROOT

SIDE = 256
TRAINING = {"steps": 12, "batch_size": 4, "patch_px": 64, "warmup_steps": 2, "validate_every_steps": 12}
LINE = {"sfigf": {"variants": ["full"], "width": 4, "levels": 2}, "bicubic": {}}
RUN = ("--task", "depth", "--condition", "x8")


def scenes(count: int, part: str) -> Iterator[Scene]:
    """Random scenes with a disparity, one at a time."""
    for number in range(count):
        rng = np.random.default_rng(number)
        arrays = {
            "rgb": rng.random((3, SIDE, SIDE), np.float32),
            "disparity": 1 + rng.random((1, SIDE, SIDE), np.float32),
            "valid": np.ones((1, SIDE, SIDE), np.uint8),
        }
        yield Scene(f"{part}-{number:06d}", f"{part}-{number}", part, arrays, {"unit": "px", "farther": "smaller"})


def settings(folder: Path) -> Path:
    """Settings of a tiny study of depth."""
    study = yaml.safe_load((ROOT / "config/default.yaml").read_text())
    depth = study["tasks"]["depth"]
    depth |= {"train": ["rendered:train"], "protocols": [], "methods": LINE, "training": depth["training"] | TRAINING}
    study |= {"tasks": {"depth": depth}, "robustness": None}
    (folder / "config.yaml").write_text(yaml.safe_dump(study))
    return folder / "config.yaml"


def commands(folder: Path, count: int) -> dict[str, list[str]]:
    """What is measured, in an order in which each finds its input; the training data have so many scenes."""
    config = str(settings(folder))
    for part, scenes_there in (("train", count), ("validation", 2)):
        write_scenes(folder / f"{part}-0.safetensors", scenes(scenes_there, part))
    rendered, train, checks = (str(folder / f"{name}.safetensors") for name in ("rendered", "samples", "validation"))
    run = [*RUN, "--method", "sfigf", "--variant", "full", "--seed", "0"]
    plain = [*RUN, "--method", "bicubic", "--variant", "full", "--seed", "0"]
    restored, weights = str(folder / "restored.safetensors"), str(folder / "weights.safetensors")
    degrade = ["degrade", "--config", config, *RUN, "--prepared", rendered]
    first = [f"--input={folder}/{part}-0.safetensors" for part in ("train", "validation")]
    return {
        "gather": ["gather", *first, "--output", rendered],
        "sheet": ["sheet", "--scenes", rendered, "--output", str(folder / "sheet.jpg")],
        "degrade validation": [*degrade, "--part", "validation", "--output", checks],
        "degrade": [*degrade, "--part", "train", "--output", train],
        "train": [
            *("train", "--config", config, *run, "--train", train, "--validation", checks, "--weights", weights),
            *("--checkpoints", str(folder / "checkpoints"), "--log", str(folder / "log.jsonl"), "--device", "cpu"),
        ],
        "restore-set": [
            *("restore-set", "--config", config, *plain, "--samples", train, "--output", restored),
            *("--cost", str(folder / "cost.json")),
        ],
        "score": [
            *("score", "--config", config, *plain, "--samples", train, "--restored", restored),
            *("--output", str(folder / "scores.csv")),
        ],
    }


def measured(words: list[str]) -> float:
    """Run a command of ours; the most memory of its own that it had, in megabytes."""
    process = subprocess.Popen([sys.executable, "-m", "sfigf", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    most = 0.0
    while process.poll() is None:
        most = max(most, _own_megabytes(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"{words[0]}: {process.stderr.read() if process.stderr else ''}")
    return most


def _own_megabytes(number: int) -> float:
    """Memory that is no mapped file. Source: proc(5), RssAnon."""
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon")), 0.0)


def table(counts: tuple[int, int], folder: Path) -> dict[str, tuple[float, float]]:
    """Megabytes of each command with the smaller and the larger number of training scenes."""
    found: dict[str, list[float]] = {}
    for count in counts:
        place = folder / str(count)
        place.mkdir()
        for name, words in commands(place, count).items():
            found.setdefault(name, []).append(measured(words))
    return {name: (small, large) for name, (small, large) in found.items()}


def main() -> None:
    """Measure with some scenes and ten times as many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    count = parser.parse_args().scenes
    with tempfile.TemporaryDirectory() as folder:
        found = table((count, 10 * count), Path(folder))
        file = Path(folder) / str(10 * count) / "samples.safetensors"
        print(f"training samples: {file.stat().st_size / 1e6:.0f} MB of {10 * count} scenes")
    for name, (small, large) in found.items():
        print(f"{name:20}{small:8.0f} MB {large:8.0f} MB")


if __name__ == "__main__":
    main()
