"""The Slurm profile on a real Slurm of one node. Starts daemons, and so runs only where SFIGF_SLURM=1 asks for it."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scale.slurm_node import SlurmNode, missing, wait_until
from tests.workflow.house import House

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("SFIGF_SLURM") != "1", reason="starts daemons: SFIGF_SLURM=1 asks for it"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())} (slurm-wlm, munge)"),
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
        reason="snakemake-executor-plugin-slurm is not installed",
    ),
]
SMOKE = ("--configfile", "config/smoke.yaml", "long.yaml", "--directory", "build/smoke")
PROFILE = ("--workflow-profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue")
QUICK = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1", "--latency-wait=5")
TRAINED = "results/weights/depth/x8/sfigf/full/seed0.safetensors"
STEPS = 120
LONG = f"""
seeds: [0, 1]
robustness: null
tasks:
  focus: null
  raw: null
  depth: {{training: {{steps: {STEPS}, validate_every_steps: {STEPS // 3}}}}}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    """A Slurm that runs."""
    with SlurmNode(tmp_path_factory.mktemp("slurm")) as node:
        yield node


class Cluster(House):
    """A house whose commands speak with the node."""

    node: SlurmNode
    runs: list[subprocess.Popen[str]]

    def environment(self) -> dict[str, str]:
        ours, node = super().environment(), self.node.environment
        return {**ours, **node, "PATH": os.pathsep.join([str(self.node.programs), ours["PATH"], node["PATH"]])}

    def submitted(self, *words: str) -> subprocess.Popen[str]:
        """Start the workflow, its jobs through Slurm."""
        self.runs.append(self.start("snakemake", *PROFILE, *QUICK, *SMOKE, *words))
        return self.runs[-1]

    def said(self) -> str:
        """What the workflow that was started last has said."""
        return (self.folder / "started.log").read_text()


def cluster_in(folder: Path, node: SlurmNode, stand_in: bool) -> Cluster:
    """A house with degraded samples of depth, before anything is trained."""
    cluster = Cluster.build(folder / "house", stand_in)
    assert isinstance(cluster, Cluster)
    cluster.node, cluster.runs = node, []
    (cluster.folder / "long.yaml").write_text(LONG)
    parts = (f"data/degraded/depth/x8/{part}.safetensors" for part in ("train", "validation", "test"))
    cluster.snakemake(*SMOKE, *parts)
    return cluster


def jobs(node: SlurmNode, rule: str = "") -> list[dict[str, str]]:
    """What Slurm knows of each job whose comment names the rule, in order."""
    lines = node.run("scontrol", "show", "job", "--oneliner", check=False).splitlines()
    found = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines if "JobId=" in line]
    return [job for job in found if job.get("Comment", "").startswith(f"rule_{rule}")]


@pytest.fixture(scope="module")
def quick(node: SlurmNode, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A house whose `sfigf` only writes files."""
    return cluster_in(tmp_path_factory.mktemp("quick"), node, stand_in=True)


def test_jobs_are_handed_over_and_those_that_claim_the_gpu_follow_each_other(quick: Cluster, node: SlurmNode) -> None:
    runs = ("sfigf/full/seed0", "sfigf/full/seed1", "bicubic/full/seed0")
    done = quick.submitted(*(f"results/restored/depth/x8/{run}.safetensors" for run in runs))
    assert done.wait(300) == 0, quick.said()[-5000:]
    found = jobs(node)
    assert {job["JobState"] for job in found} == {"COMPLETED"}
    on_gpu = sorted((job for job in found if job["Partition"] == "gpu"), key=lambda job: job["StartTime"])
    assert (len(on_gpu), len(found)) == (4, 5)
    assert all("gpu:1" in job["TresPerJob"] for job in on_gpu)
    assert not [job for job in found if job["Partition"] == "cpu" and "TresPerJob" in job]
    assert all(first["EndTime"] <= then["StartTime"] for first, then in itertools.pairwise(on_gpu))
    assert {job["TimeLimit"] for job in jobs(node, "train_method")} == {"2-00:00:00"}


@pytest.fixture(scope="module")
def real(node: SlurmNode, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A house with the real `sfigf`, and its training done once without Slurm, to compare with."""
    cluster = cluster_in(tmp_path_factory.mktemp("real"), node, stand_in=False)
    cluster.snakemake(*SMOKE, TRAINED)
    for kind in ("weights", "training"):
        folder = cluster.folder / f"build/smoke/results/{kind}"
        shutil.move(folder, folder.with_name(f"undisturbed-{kind}"))
    return cluster


def training_of(node: SlurmNode) -> int:
    """Process number of the training that runs on the node, once it has begun; it is halted where it is."""
    found: list[int] = []

    def begun() -> bool:
        for number in node.of_jobs():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                words = os.fsdecode(Path(f"/proc/{number}/cmdline").read_bytes()).split("\0")
                if "train" in words and "--checkpoints" in words:
                    folder = Path(os.readlink(f"/proc/{number}/cwd"), words[words.index("--checkpoints") + 1])
                    found.extend([number] if (folder / ".lock").exists() else [])
        return bool(found)

    wait_until(begun, 600)
    spent = processor_seconds(found[0])
    wait_until(lambda: processor_seconds(found[0]) > spent + 3, 600)  # some steps, however busy the machine is
    os.kill(found[0], signal.SIGSTOP)
    return found[0]


def processor_seconds(number: int) -> float:
    """Seconds that a process has computed. Source: proc(5), utime and stime."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def steps_kept(cluster: Cluster) -> int:
    """Steps in the checkpoint that the next attempt goes on from; 0 without one."""
    import torch

    files = (cluster.folder / "build/smoke/results/checkpoints").glob("*/last.pt")
    return max((int(torch.load(file, weights_only=True)["step"]) for file in files), default=0)


def assert_as_undisturbed(cluster: Cluster) -> None:
    """The weights are those of the training that nothing happened to; no job and no checkpoint is left."""
    folder = cluster.folder / "build/smoke/results"
    for file in (folder / "weights").rglob("*.safetensors"):
        assert file.read_bytes() == (folder / "undisturbed-weights" / file.relative_to(folder / "weights")).read_bytes()
    assert (cluster.folder / "build/smoke" / TRAINED).is_file()
    assert not [*(folder / "checkpoints").iterdir()]
    wait_until(lambda: not cluster.node.run("squeue", "-h").strip())


@pytest.fixture
def untrained(real: Cluster) -> Iterator[Cluster]:
    """The house before its training; nothing of it runs on after the test."""
    for kind in ("weights", "training", "checkpoints"):
        shutil.rmtree(real.folder / f"build/smoke/results/{kind}", ignore_errors=True)
    yield real
    for run in real.runs:
        run.kill()
        run.wait()
    real.node.take_back()
    real.run("python", "scripts/unlock.py", "build/smoke")


def states(node: SlurmNode, since: int) -> list[str]:
    """How the jobs of trainings with numbers from then on ended, in order."""
    return [job["JobState"] for job in jobs(node, "train_method") if int(job["JobId"]) > since]


def last_job(node: SlurmNode) -> int:
    """The highest number that Slurm has given to a job."""
    return max((int(job["JobId"]) for job in jobs(node)), default=0)


@pytest.mark.parametrize(("fault", "state"), [("scancel", "CANCELLED"), ("time limit", "TIMEOUT")])
def test_a_training_that_slurm_ended_goes_on_from_its_checkpoint(
    untrained: Cluster, node: SlurmNode, fault: str, state: str
) -> None:
    before = last_job(node)
    run = untrained.submitted(TRAINED)
    training_of(node)
    job = str(last_job(node))
    # The first attempt alone gets a minute: on a busy machine the second may need more to begin.
    node.run(*(("scancel", job) if fault == "scancel" else ("scontrol", "update", f"JobId={job}", "TimeLimit=1")))
    wait_until(lambda: states(node, before)[:1] == [state], 200)
    wait_until(lambda: steps_kept(untrained) > 0)
    assert run.wait(1200) == 0, untrained.said()[-5000:]
    assert states(node, before) == [state, "COMPLETED"]
    assert_as_undisturbed(untrained)


def test_a_training_outlives_the_daemon_of_its_node(untrained: Cluster, node: SlurmNode) -> None:
    before = last_job(node)
    run = untrained.submitted(TRAINED)
    training = training_of(node)
    os.kill(node.pid("slurmd"), signal.SIGKILL)
    time.sleep(3)
    node.start_node()
    os.kill(training, signal.SIGCONT)
    assert run.wait(1200) == 0, untrained.said()[-5000:]
    assert states(node, before) == ["COMPLETED"]
    assert_as_undisturbed(untrained)


def test_a_training_whose_node_died_is_done_on_the_next(untrained: Cluster, node: SlurmNode) -> None:
    run = untrained.submitted(TRAINED)
    training_of(node)
    node.kill_node()
    wait_until(lambda: not node.of_jobs())
    node.start_node()
    assert run.wait(1200) == 0, untrained.said()[-5000:]
    assert_as_undisturbed(untrained)


def test_ctrl_c_takes_the_jobs_back_and_the_same_command_goes_on(untrained: Cluster, node: SlurmNode) -> None:
    before = last_job(node)
    run = untrained.submitted(TRAINED)
    training_of(node)
    run.send_signal(signal.SIGINT)
    assert run.wait(300) != 0
    wait_until(lambda: states(node, before) == ["CANCELLED"])
    wait_until(lambda: not node.of_jobs())
    assert steps_kept(untrained) > 0
    assert untrained.submitted(TRAINED).wait(1200) == 0, untrained.said()[-5000:]
    assert_as_undisturbed(untrained)


def test_a_job_whose_run_was_killed_is_not_joined_by_a_second_one(untrained: Cluster, node: SlurmNode) -> None:
    run = untrained.submitted(TRAINED)
    training = training_of(node)
    run.kill()
    run.wait()
    refused = untrained.run("python", "scripts/unlock.py", "build/smoke", check=False)
    assert (refused.returncode, "at work" in refused.stderr) == (1, True), refused
    os.kill(training, signal.SIGCONT)
    wait_until(lambda: not node.run("squeue", "-h").strip(), 900)
    untrained.run("python", "scripts/unlock.py", "build/smoke")
    assert untrained.submitted(TRAINED).wait(1200) == 0, untrained.said()[-5000:]
    assert_as_undisturbed(untrained)
