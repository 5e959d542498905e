"""A small study for tests of the report: one task, seven methods, two seeds, made with the project's own writers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.numpy import save_file

from sfigf.cli.present import summarise, tabulate
from sfigf.cli.statistics import compare
from sfigf.files import write_text
from sfigf.interface import Sample
from sfigf.store import Record, write_records, write_samples
from sfigf.tables.scores import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
RUNS = {
    ("bicubic", "full"): ("classical", 4.0),
    ("guided-filter", "full"): ("classical", 3.0),
    ("svlrm", "full"): ("image-level", 2.8),
    ("djfr", "full"): ("feature-level", 2.2),
    ("sfigf", "image-only"): ("both", 2.6),
    ("sfigf", "feature-only"): ("both", 2.5),
    ("sfigf", "full"): ("both", 2.4),
}
IMAGES = {"motorcycle": ("motorcycle", 1.0), "cones": ("cones", 0.5), "cones-2": ("cones", 0.7)}
# One image without a truth, hence without a score.
UNSCORED = "street"
HARD = "cones-2"
SEEDS = (0, 1)
SHAPE = (32, 48)


def write_study(folder: Path, pictures: bool = True) -> Path:
    """Write the results of a study below ``folder`` and return their folder; degraded samples lie in ``data``."""
    results = folder / "results"
    config = _config()
    write_text(results / "config.yaml", yaml.safe_dump(config))
    paths = [(run, seed, "/".join(("depth/x8", *run, f"seed{seed}"))) for run in RUNS for seed in _seeds(run)]
    for run, seed, path in paths:
        _write_run(results, run, seed, path)
    _tabulate(results, [path for _, _, path in paths])
    _write_audit(results)
    if pictures:
        write_samples(folder / "data/depth/x8/test.safetensors", [_sample(name) for name in (*IMAGES, UNSCORED)])
        for (method, variant), seed, path in paths:
            level = RUNS[(method, variant)][1]
            records = [Record(name, {"restored": _restored(name, level)}, {}) for name in (*IMAGES, UNSCORED)]
            write_records(results / f"restored/{path}.safetensors", records, {"seed": seed})
    return results


def _config() -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "config/default.yaml").read_text())
    return config | {
        "tasks": {"depth": config["tasks"]["depth"]},
        "seeds": list(SEEDS),
        "title": "A <small> study & its report",
    }


def _seeds(run: tuple[str, str]) -> tuple[int, ...]:
    return (0,) if RUNS[run][0] == "classical" else SEEDS


def _write_run(results: Path, run: tuple[str, str], seed: int, path: str) -> None:
    (method, variant), (kind, level) = run, RUNS[run]
    lines = [",".join(COLUMNS)]
    for image, (dataset, factor) in IMAGES.items():
        value = level * factor + 0.05 * seed
        # On the hard image SFIGF is worse than plain interpolation.
        value = 9.0 + 0.05 * seed if run == ("sfigf", "full") and image == HARD else value
        start = f"depth,x8,{dataset},{image},{method},{variant},{seed}"
        mae = math.nan if (method, image) == ("svlrm", "cones") else value / 2
        lines += [f"{start},rmse,{value!r},disparity px,false", f"{start},mae,{mae!r},disparity px,false"]
    write_text(results / f"scores/{path}.csv", "\n".join(lines) + "\n")
    learned = kind != "classical"
    cost = {"task": "depth", "condition": "x8", "method": method, "variant": variant, "seed": seed, "kind": kind}
    cost |= {"parameters": 90_865 if learned else 0, "seconds_per_megapixel": 0.5, "device": "cpu", "threads": 1}
    cost |= {"multiply_adds_per_megapixel": 1.65e10 if learned else None}
    write_text(results / f"costs/{path}.json", json.dumps(cost))
    if learned:
        facts = {"config_digest": "c0ffee", "data_digest": {"train": "feed" * 16}, "selected_step": 400, "seed": seed}
        facts |= {"versions": {"torch": "2.13.0"}, "validation": {"rmse": 3.5}}
        weights = results / f"weights/{path}.safetensors"
        weights.parent.mkdir(parents=True, exist_ok=True)
        save_file({"w": np.zeros(1, np.float32)}, weights, metadata={"sfigf": json.dumps(facts)})
        write_text(results / f"training/{path}.jsonl", json.dumps({"event": "end", "seconds": 86.2, "device": "cpu"}))


def _tabulate(results: Path, paths: list[str]) -> None:
    tables = results / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    scores = [results / f"scores/{path}.csv" for path in paths]
    costs = [results / f"costs/{path}.json" for path in paths]
    csv, summary = tables / "depth.csv", tables / "depth-summary.csv"
    tabulate(
        "depth", scores, costs, results / "config.yaml", csv, summary, tables / "depth.md", tables / "depth-cost.csv",
        tables / "depth-timing.csv", tables / "depth.tex",
    )  # fmt: skip
    summarise([summary], [csv], tables / "summary.md", results / "metrics.json")


def write_statistics(results: Path) -> None:
    """Add the paired statistics and the words."""
    tables = results / "tables"
    compare(
        task="depth", score=[tables / "depth.csv"], summary=tables / "depth-summary.csv",
        csv=tables / "depth-statistics.csv", words=tables / "depth-words.json", latex=tables / "depth-statistics.tex",
    )  # fmt: skip


def _write_audit(results: Path) -> None:
    facts = {
        "sides": {"train": ["aloe/aloe"], "validation": [], "test": ["cones/cones"]},
        "limits": {"similarity": 0.4},
    }
    facts |= {"closest": {"pair": ["aloe/aloe", "cones/cones"], "similarity": 0.1}, "declared_leaks": {}}
    write_text(results / "audit/splits.json", json.dumps({"depth": facts}))


def _truth(name: str) -> np.ndarray:
    rng = np.random.default_rng(sum(map(ord, name)))
    rows, columns = np.indices(SHAPE)
    return (0.3 + 0.4 * (columns > rows + 4) + 0.05 * rng.random(SHAPE)).astype(np.float32)[None]


def _restored(name: str, level: float) -> np.ndarray:
    rng = np.random.default_rng(int(10 * level))
    return (_truth(name) + 0.02 * level * rng.standard_normal((1, *SHAPE))).astype(np.float32)


def _sample(name: str) -> Sample:
    truth = _truth(name)
    coarse = truth[:, ::8, ::8]
    target = np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)
    known = np.ones(truth.shape, bool)
    known[:, :3] = False
    meta = {"dataset": IMAGES[name][0] if name in IMAGES else name, "unit": "disparity px"}
    guide = np.repeat(truth, 3, axis=0)
    if name == UNSCORED:
        return Sample(name, target, guide, coarse=coarse, scale=50.0, meta=meta)
    return Sample(name, target, guide, truth, known, coarse, scale=50.0, meta=meta)
