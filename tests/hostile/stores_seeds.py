"""Small whole files of each store, made with the project's own writers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.interface import Scene
from sfigf.published import Entry, Mean, write_index
from sfigf.store import write_samples, write_scenes
from tests.conftest import make_sample
from tests.unit.report_folder import write_statistics, write_study

OPTIONS = {"method": "svlrm", "width": 4, "depth": 1, "residual": True}
SIGNATURE = {"target": 1, "guide": 3, "output": 1, "upscale": 1}


def sample_file(folder: Path) -> list[Path]:
    """Two samples."""
    write_samples(path := folder / "test.safetensors", [make_sample("pan", name, 16, 1) for name in ("a", "b")])
    return [path]


def scene_file(folder: Path) -> list[Path]:
    """Two scenes."""
    rng = np.random.default_rng(0)
    arrays = {"rgb": rng.integers(0, 255, (3, 9, 8), np.uint8), "disparity": rng.random((1, 9, 8), np.float32)}
    scenes = [Scene(name, f"place-{name}", "test", arrays, {"unit": "px"}) for name in ("a", "b")]
    write_scenes(path := folder / "cones.safetensors", scenes, {"dataset": "cones"})
    return [path]


def weight_file(folder: Path) -> list[Path]:
    """A tiny network."""
    from sfigf.weights import build_network, save_weights

    facts = {"task": "depth", "options": OPTIONS, "variant": "full", "signature": SIGNATURE, "seed": 0}
    save_weights(path := folder / "seed0.safetensors", build_network(facts), facts | {"training": {"encoding": "none"}})
    return [path]


def checkpoint_file(folder: Path) -> list[Path]:
    """What a training leaves."""
    import torch

    from sfigf.checkpoint import save_checkpoint

    state = {"step": 3, "network": {"w": torch.ones(4)}, "best": {"value": None}, "log": [], "seconds": 1.5}
    save_checkpoint(folder, state | {"random": torch.get_rng_state()})
    return [folder / "last.pt"]


def released_file(folder: Path) -> list[Path]:
    """A state dict as PyTorch writes it, in both formats."""
    import torch

    state = {"smfe.init_rgb.0.weight": torch.ones(4, 3, 3, 3), "epoch": 3}
    paths = [folder / "new.pth", folder / "old.pth"]
    torch.save({"model": state}, paths[0])
    torch.save({"model": state}, paths[1], _use_new_zipfile_serialization=True)
    return paths


def log_file(folder: Path) -> list[Path]:
    """A training log."""
    events = [{"event": "train", "step": n + 1, "loss": 1.0 / (n + 1), "learning_rate": 1e-3} for n in range(12)]
    events += [{"event": "validate", "step": 12, "metric": "rmse", "value": 2.5}]
    events += [{"event": "end", "seconds": 3.25, "device": "cpu"}]
    (path := folder / "seed0.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return [path]


def index_file(folder: Path) -> list[Path]:
    """An index of two files, of which one is there."""
    mean = Mean("cones", "rmse", "px", False, 2, 1.5)
    names = [f"mini/depth/x8/sfigf/full/seed{seed}.safetensors" for seed in (0, 1)]
    rest = ("mini", "depth", "x8", "sfigf", "full", 0, "float32", 10, 1e6, (mean,))
    write_index(folder, [Entry(name, "0" * 64, 1, *rest) for name in names])
    return [folder / "index.json"]


def audit_file(folder: Path) -> list[Path]:
    """A report of the audit."""
    side = {"sides": {"train": ["aloe/a"], "test": ["cones/c", "motorcycle/m"]}, "closest": {"similarity": 0.1}}
    (path := folder / "splits.json").write_text(json.dumps({"depth": side, "pan x4": side}))
    return [path]


def cost_file(folder: Path) -> list[Path]:
    """What a run cost."""
    cost = {"task": "depth", "condition": "x8", "method": "sfigf", "variant": "full", "seed": 0, "kind": "both"}
    cost |= {"parameters": 9, "seconds_per_megapixel": 0.5, "device": "cpu", "threads": 1}
    (path := folder / "seed0.json").write_text(json.dumps(cost | {"multiply_adds_per_megapixel": 1.6e10}))
    return [path]


def record_folder(folder: Path) -> list[Path]:
    """A study's folder with records of three files."""
    home = folder / "study"
    (metadata := home / ".snakemake/metadata").mkdir(parents=True)
    for name in ("results/a.csv", "results/b.csv", "data/c.json"):
        content: dict[str, Any] = {
            "rule": "r",
            "shellcmd": "sfigf score",
            "input": ["data/c.json"],
            "params": ["'a'"],
            "log": ["l.log"],
        }
        content |= {"starttime": 1e9, "endtime": 1e9 + 2, "incomplete": False, "input_checksums": {}}
        (metadata / base64.urlsafe_b64encode(name.encode()).decode()).write_text(json.dumps(content))
    return [home]


def tables(folder: Path) -> dict[str, list[Path]]:
    """The tables of a small study, by what they are."""
    home = write_study(folder, pictures=False)
    write_statistics(home)
    found = home / "tables"
    rows = ["task,condition,dataset,image,method,variant,seed,metric,value,unit,higher_is_better,perturbation,level,"]
    rows[0] += "level_unit,nominal"
    rows += [
        f"depth,x8,cones,c,bicubic,full,0,rmse,{1 + level},px,false,guide-shift,{level},px,{str(not level).lower()}"
        for level in (0.0, 1.0)
    ]
    (curves := folder / "curves.csv").write_text("\n".join(rows) + "\n")
    names = {"scores": "depth", "summary": "depth-summary", "counted costs": "depth-cost", "times": "depth-timing"}
    names |= {"statistics": "depth-statistics"}
    return {what: [found / f"{name}.csv"] for what, name in names.items()} | {"curves": [curves]}


def results(folder: Path) -> list[Path]:
    """The results of a small study, without pictures."""
    home = write_study(folder, pictures=False)
    write_statistics(home)
    return [home]


def report(path: Path) -> str:
    """Write the report of a study's results."""
    from sfigf.report.folder import Folder
    from sfigf.report.page import write_report

    write_report(Folder(path, None), output := path.parent / "report.html")
    return f"{'<script>alert' in output.read_text(encoding='utf-8')}"
