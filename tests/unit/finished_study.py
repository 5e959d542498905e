"""A finished study of two tiny networks, for tests of publishing."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from sfigf.cli import main
from sfigf.interface import Sample
from sfigf.plan import Run, method_settings
from sfigf.published import Entry
from sfigf.publishing import Publisher
from sfigf.publishing.study import FinishedStudy
from sfigf.restoring import Restorer, restore_set
from sfigf.score import score_run, write_scores
from sfigf.store import write_samples
from sfigf.tasks import signature
from sfigf.weights import LICENCE, build_network, save_weights, versions
from tests.conftest import ROOT, make_sample

NAMES = {"motorcycle": ("m",), "cones": ("c", "d")}
SIDES = {
    "sides": {"train": ["rendered/r", "aloe/a"], "validation": ["rendered/v"], "test": ["motorcycle/m", "cones/c"]},
    "closest": {"similarity": 0.2, "pair": ["rendered/r", "cones/c"]},
    "limits": {"similarity": 0.45, "guard_px": 41},
    "declared_leaks": {},
}
OURS = "depth/x8/sfigf/full/seed0"


def settings() -> dict[str, Any]:
    """The default study's depth, with two learned runs of tiny networks."""
    content = yaml.safe_load((ROOT / "config/default.yaml").read_text())
    depth = content["tasks"]["depth"]
    sfigf = {"variants": ["full", "image-only"], "width": 4, "levels": 1, "attention": "conv"}
    depth |= {
        "methods": {"bicubic": {}, "sfigf": sfigf},
        "metrics": ["rmse", "mae"],
        "protocols": [],
        "soft_edges_px": [0.3, 0.9],
    }
    return content | {"tasks": {"depth": depth}}


def samples() -> Iterator[Sample]:
    for seed, (dataset, name) in enumerate((d, n) for d, names in NAMES.items() for n in names):
        sample = make_sample("depth", name, seed=seed)
        meta = dict(sample.meta) | {"dataset": dataset}
        yield dataclasses.replace(sample, meta=meta, valid=np.ones_like(sample.truth, dtype=bool))


def train(study: FinishedStudy, run: Run, path: Path) -> None:
    """A network of random weights, with the facts that a training writes."""
    line = study.line(run)
    facts = {
        "task": run.task, "condition": run.condition, "label": run.method, "method": line.method.name,
        "options": line.options, "variant": run.variant, "seed": run.seed,
        "signature": dataclasses.asdict(signature("depth", make_sample("depth"))),
        "training": line.training.model_dump(), "config_digest": run.digest, "study": study.name,
        "data_digest": {"train": "0" * 64, "validation": "1" * 64}, "licence": LICENCE, "versions": versions(),
        "selected_step": 7, "validation": {"rmse": 1.5},
    }  # fmt: skip
    torch.manual_seed(run.seed)
    network = build_network(facts)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, network, facts)


def log_lines(steps: int = 1000) -> list[dict[str, Any]]:
    train = [{"event": "train", "step": step, "loss": 1 / step, "learning_rate": 0.1} for step in range(1, steps + 1)]
    ends = [{"event": "validate", "step": steps, "metric": "rmse", "value": 1.5}]
    return [*train, *ends, {"event": "end", "seconds": 7200.0, "device": "cpu"}]


def make_study(folder: Path) -> Path:
    """Results and data of a study, written by what writes them in a run."""
    results, degraded = folder / "results", folder / "data/degraded/depth/x8"
    for path in (results / "audit", degraded):
        path.mkdir(parents=True)
    (results / "config.yaml").write_text(yaml.safe_dump(settings()))
    (results / "audit/splits.json").write_text(json.dumps({"depth": SIDES}))
    (results / "audit/self-test.json").write_text(json.dumps({"passed": []}))
    write_samples(degraded / "test.safetensors", samples())
    study = FinishedStudy(results)
    for run in study.runs:
        weights = study.weights(run) if run.learned else None
        if weights:
            train(study, run, weights)
            study.log(run).parent.mkdir(parents=True, exist_ok=True)
            study.log(run).write_text("".join(json.dumps(line) + "\n" for line in log_lines()))
        method = method_settings(study.settings, "depth", run.method, "x8").method
        restored = folder / "restored.safetensors"
        about = {key: getattr(run, key) for key in ("task", "condition", "method", "variant", "seed")}
        study.cost(run).parent.mkdir(parents=True, exist_ok=True)
        restore_set(Restorer(method, "depth", weights, "cpu"), study.samples(run), restored, study.cost(run), about)
        write_scores(study.scores(run), score_run(about, study.metrics(run), study.samples(run), restored))
    return results


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """The finished study's, to be changed."""
    shutil.copytree(finished.parent, tmp_path / "build")
    return tmp_path / "build/results"


def publish(results: Path, to: Path, *only: str, **changes: Any) -> list[Entry]:
    given: dict[str, Any] = {"cards": ROOT / "config/datasets", "device": "cpu", "commit": "abc123"} | changes
    return Publisher(to, **given).publish(FinishedStudy(results), only)


def ends(code: int, *words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == code


def spoil(path: Path) -> None:
    """Change one byte in the middle, not the size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
