"""The Kubernetes profile, through Snakemake's own plugin; the cluster is a shell script named kubectl."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.house import House

SMOKE = ("--configfile", "config/smoke.yaml", "--directory", "build/smoke")
PART = "depth/x8/test"
# A job runs at once; the manifest and what became of it are kept under the name it is given.
KUBECTL = """
case $1 in
  create)
    name=sfigf-$(ls "$BOOK" | grep -c yaml || true)
    cat > "$BOOK/$name.yaml"
    script=$(sed -n 's/.*command: .sh, "\\(.*\\)".$/\\1/p' "$BOOK/$name.yaml")
    sh "$script" > "$BOOK/$name.log" 2>&1 && state=Complete || state=Failed
    echo "Job $state" > "$BOOK/$name"
    echo "job.batch/$name" ;;
  get) cat "$BOOK/${2#job.batch/}" 2> /dev/null || true ;;
esac
"""


def put(folder: Path, script: str) -> None:
    """Put a script into a folder of commands, under the name kubectl."""
    (folder / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "kubectl").chmod(0o755)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("echo 'Job '", "running"),
        ("echo 'Job SuccessCriteriaMet Complete'", "success"),
        ("echo 'Job FailureTarget Failed'", "failed"),
        ("true", "failed"),
        ("exit 1", "running"),
    ],
)
def test_the_state_of_a_job_is_told(tmp_path: Path, answer: str, status: str) -> None:
    put(tmp_path, answer)
    command = ["sh", str(ROOT / "profiles/kubernetes/status.sh"), "job.batch/sfigf-1"]
    done = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, text=True, capture_output=True, check=True
    )
    assert done.stdout == f"{status}\n"


def test_a_gpu_is_claimed_in_the_manifest(tmp_path: Path) -> None:
    put(tmp_path, "cat")
    words = ["image", "study", "/a study", "1", "32000", "2880", "4", "/a study/.snakemake/job.sh"]
    command = ["sh", str(ROOT / "profiles/kubernetes/submit.sh"), *words]
    done = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, text=True, capture_output=True, check=True
    )
    job: dict[str, Any] = yaml.safe_load(done.stdout)["spec"]
    container = job["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"memory": "32000M", "nvidia.com/gpu": 1}
    assert container["resources"]["requests"] == {"memory": "32000M", "cpu": 4}
    assert container["command"] == ["sh", "/a study/.snakemake/job.sh"]
    assert job["activeDeadlineSeconds"] == 172800
    mounts = {volume["name"] for volume in job["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == mounts


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_cluster_generic") is None,
    reason="snakemake-executor-plugin-cluster-generic is not installed; it is asked for on clusters alone",
)
def test_jobs_go_through_kubernetes(tmp_path: Path) -> None:
    house, book = House.build(tmp_path / "house"), tmp_path / "book"
    book.mkdir()
    house.environment()
    put(house.bin, f"BOOK='{book}'\n{KUBECTL}")
    quick = ("--seconds-between-status-checks", "1", "--workflow-profile", "profiles/kubernetes")
    house.run("snakemake", *quick, *SMOKE, f"data/degraded/{PART}.safetensors")
    assert (house.folder / f"build/smoke/data/degraded/{PART}.safetensors").is_file()
    assert {"Job Complete\n"} == {file.read_text() for file in book.iterdir() if not file.suffix}
    limits = [
        yaml.safe_load(file.read_text())["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        for file in book.glob("*.yaml")
    ]
    assert limits
    assert all(limit == {"memory": "8000M", "nvidia.com/gpu": 0} for limit in limits)
