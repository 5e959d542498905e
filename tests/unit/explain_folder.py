"""A small study with the records of its jobs for tests of `sfigf explain`, and what the command says of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sfigf.cli import main
from sfigf.config import load_settings, read_yaml
from sfigf.files import sha256_of
from sfigf.plan import digest_of_data, runs
from sfigf.registry import lookup
from sfigf.store import Record as Entry
from sfigf.store import write_records
from sfigf.tasks import degradation
from sfigf.training_code import code_of, training_code

RUN = "depth/x8/sfigf/full/seed0"
TRAIN, TEST = (f"data/degraded/depth/x8/{part}.safetensors" for part in ("train", "test"))
WEIGHTS, SCORES = f"results/weights/{RUN}.safetensors", f"results/scores/{RUN}.csv"
FACTS = {
    "config_digest": "", "seed": 0, "study": "small", "selected_step": 400,
    "versions": {"sfigf": "0.1.0", "python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
}  # fmt: skip


def keep(
    folder: Path,
    output: str,
    command: str,
    inputs: Iterable[str] = (),
    params: Iterable[object] = (),
    rule: str = "a_rule",
    **more: Any,
) -> None:
    """Write a record as Snakemake does, long names cut into folders."""
    name = base64.urlsafe_b64encode(output.encode()).decode()
    pieces = [name[start : start + 254] for start in range(0, len(name), 254)]
    path = folder.joinpath(".snakemake/metadata", *(f"@{piece}" for piece in pieces[:-1]), pieces[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    sums = {file: f"sha256:{sha256_of(folder / file)}" for file in inputs if (folder / file).is_file()}
    content = {
        "rule": rule, "shellcmd": command, "input": [*inputs], "input_checksums": sums, "params": [*map(repr, params)],
        "log": [f"results/logs/{rule}.log"], "starttime": 1.0e9, "endtime": 1.0e9 + 12.5, "incomplete": False,
    } | more  # fmt: skip
    path.write_text(json.dumps(content))


def put(folder: Path, name: str, content: str = "some bytes") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_weights(path: Path, facts: dict[str, Any]) -> None:
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": np.zeros(2, np.float32)}, path, metadata={"sfigf": json.dumps(facts)})


@pytest.fixture
def study(tmp_path: Path, root: Path) -> Path:
    """A folder with training data, weights and scores as a run of the default settings leaves them."""
    settings = read_yaml(root / "config/default.yaml")
    put(tmp_path, "results/config.yaml", yaml.safe_dump(settings))
    study = load_settings(settings)
    run = next(run for run in runs(study) if run.path == RUN)
    for file, part in ((TRAIN, "train"), (TEST, "test")):
        write_records(_made(tmp_path / file), [Entry("s", {"a": np.ones((1, 2, 2), np.float32)}, {})], {"part": part})
        code = code_of("learn:degrade", type(degradation("depth", "x8")))
        command = (
            f"sfigf degrade --config results/config.yaml --task depth --condition x8 --part {part} --output {file}"
        )
        keep(tmp_path, file, command, params=(code, digest_of_data(study, "depth", part, "x8")), rule=f"degrade_{part}")
    line = "--config results/config.yaml --task depth --condition x8 --method sfigf --variant full --seed 0"
    code, log = training_code(study, run), f"results/training/{RUN}.jsonl"
    write_weights(tmp_path / WEIGHTS, FACTS | {"config_digest": run.digest})
    put(tmp_path, log, '{"event": "train", "step": 1}\n{"event": "end", "seconds": 86.2, "device": "cpu"}\n')
    command = f"sfigf train {line} --checkpoints results/checkpoints/depth-{run.digest}-{code} --threads 1 2>&1 | tee l"
    for output in (WEIGHTS, log):
        keep(tmp_path, output, command, [TRAIN], (code, run.digest), rule="train_method")
    put(tmp_path, SCORES)
    metrics = study.part("depth", "x8").metrics
    code = code_of("learn:score", *(lookup("metric", name) for name in metrics))
    keep(tmp_path, SCORES, f"sfigf score {line} --output {SCORES}", [TEST, WEIGHTS], (code, metrics), rule="score_run",
         starttime=1.0e9 + 20)  # fmt: skip
    return tmp_path


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str, str]]:
    """Run the command; return its exit status and the lines of both streams."""

    def run(*arguments: object) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["explain", *map(str, arguments)])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def value(text: str, name: str) -> str:
    return next(line[12:] for line in text.splitlines() if line[:12].strip() == name)
