"""The Slurm profile, through Snakemake's own plugin; the cluster is a few shell scripts."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.house import House

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
        reason="snakemake-executor-plugin-slurm is not installed; it is asked for on clusters alone",
    ),
]
LEARNED, CLASSICAL, OTHER = (f"depth/x8/{run}/full/seed0" for run in ("sfigf", "bicubic", "guided-filter"))
QUICK = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1")
SMOKE = ("--configfile", "config/smoke.yaml", "--directory", "build/smoke")
SLURM = {
    # A job runs at once, while sbatch waits; its number is the line it has in the book of calls.
    "sbatch": """
        printf '%s\\n' "$(printf '%s\\t' "$@")" >> "$BOOK/calls"
        number=$(wc -l < "$BOOK/calls")
        for word; do case $word in --wrap=*) command=${word#--wrap=} ;; esac; done
        [ ! -e fail ] || command=false
        SLURM_JOB_ID=$number sh -c "$command" > "$BOOK/$number.log" 2>&1 && state=COMPLETED || state=FAILED
        echo "$number|$state" >> "$BOOK/states"
        echo "$number" """,
    "srun": 'while case $1 in -*) true ;; *) false ;; esac; do shift; done; exec "$@"',
    "sacct": 'cat "$BOOK/states"',
    "squeue": 'cat "$BOOK/states"',
    "sinfo": 'echo "cpu gpu"',
    "sacctmgr": "echo my-account",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with degraded samples whose `sbatch` and its like are scripts; what Slurm was asked is in `calls`."""
    folder = tmp_path_factory.mktemp("a cluster")
    house = House.build(folder / "house")
    (folder / "book").mkdir()
    house.environment()
    for name, script in SLURM.items():
        (house.bin / name).write_text(f"#!/bin/sh\nBOOK='{folder / 'book'}'\n{script}\n")
        (house.bin / name).chmod(0o755)
    house.snakemake(*SMOKE, *(f"data/degraded/depth/x8/{part}.safetensors" for part in ("train", "validation", "test")))
    return house


@pytest.fixture
def calls(cluster: House) -> Iterator[Path]:
    """What Slurm is asked in a test, a line a call."""
    book = cluster.folder.parent / "book/calls"
    book.write_text("")
    yield book
    (cluster.folder / "build/smoke/fail").unlink(missing_ok=True)


def submit(cluster: House, *runs: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Restore the test images with the runs, each job through Slurm."""
    images = [f"results/restored/{run}.safetensors" for run in runs]
    return cluster.run("snakemake", "--workflow-profile", "profiles/slurm", *QUICK, *SMOKE, *images, check=check)


def asked(calls: Path) -> list[tuple[str, str, str, str]]:
    """Rule, partition, minutes and GPUs of each call."""
    found = []
    for words in (line.split("\t") for line in calls.read_text().splitlines()):
        rule = words[words.index("--comment") + 1].partition("_wildcards")[0]
        gpus = [word.partition("=")[2] for word in words if word.startswith("--gpus=")]
        found.append((rule, words[words.index("-p") + 1], words[words.index("-t") + 1], "".join(gpus)))
    return found


def test_a_gpu_is_claimed_by_what_has_weights_and_by_nothing_else(cluster: House, calls: Path) -> None:
    submit(cluster, LEARNED, CLASSICAL)
    expected = [
        ("rule_restore_images", "cpu", "60", ""),
        ("rule_restore_images", "gpu", "60", "1"),
        ("rule_train_method", "gpu", "2880", "1"),
    ]
    assert sorted(asked(calls)) == expected
    for run in (LEARNED, CLASSICAL):
        assert (cluster.folder / f"build/smoke/results/restored/{run}.safetensors").is_file()


def test_a_job_that_slurm_lost_is_tried_once_more_and_then_said(cluster: House, calls: Path) -> None:
    (cluster.folder / "build/smoke/fail").touch()
    done = submit(cluster, OTHER, check=False)
    assert done.returncode == 1
    assert [rule for rule, *_ in asked(calls)] == ["rule_restore_images"] * 2
    assert re.search("SLURM-job '[0-9]+' failed", done.stderr), done.stderr
    assert not (cluster.folder / f"build/smoke/results/restored/{OTHER}.safetensors").exists()
