"""A real Slurm of one node in a folder of its own: munged, slurmctld and slurmd, without root, systemd or cgroups.

``python -m tests.scale.slurm_node FOLDER start`` starts it and prints what to ``export``; ``stop`` ends it. Two cores,
one GPU that is only a name, partitions ``cpu`` and ``gpu``, no accounting. Needs Debian's `slurm-wlm` and `munge`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol")
_SYSTEM = "/usr/sbin:/sbin"
_CONTROLLER = """\
ClusterName=alone
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=15
SlurmctldTimeout=30
KillWait={grace}
MinJobAge=600
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 \
ThreadsPerCore=1 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={node} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
PartitionName=gpu Nodes={node} MaxTime=INFINITE State=UP OverSubscribe=NO
"""
# Memory and cores are promised, not enforced: the node says it has more than the machine, and cgroups are not asked.
_NODE = "node1"


class SlurmNode:
    """One node; ``with SlurmNode(folder) as node`` starts its daemons and ends them, whatever happens.

    Args:
        folder: Where all its files lie; a short path, for a socket's name may have a hundred letters only.
        grace: Seconds between the SIGTERM and the SIGKILL of a job whose time is up (Slurm's KillWait).
    """

    def __init__(self, folder: Path, grace: int = 5) -> None:
        self.folder, self.grace = folder.resolve(), grace
        self.programs = self.folder / "bin"

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to speak with this Slurm and no other."""
        path = os.pathsep.join([str(self.programs), os.environ["PATH"], _SYSTEM])
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def __enter__(self) -> SlurmNode:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Write the settings, start the daemons, and wait until the node takes jobs."""
        self._write()
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid"}
        files |= {"log-file": "munged.log", "seed-file": "munge.seed"}
        self.run("munged", "--force", *(f"--{name}={self.folder}/{file}" for name, file in files.items()))
        self.run("slurmctld", "-c")
        self.start_node()

    def start_node(self) -> None:
        """Start the daemon of the node, the first time or after it was killed."""
        self.run("slurmd", "-N", _NODE)  # not -c, which would end what outlived the last daemon
        wait_until(lambda: self.run("sinfo", "-h", "-o", "%t", check=False).split()[:1] in (["idle"], ["mix"]))

    def kill_node(self) -> None:
        """Kill the daemon of the node and all that runs on it with signal 9, as a power cut would."""
        for number in [self.pid("slurmd"), *self.of_jobs()]:
            _signal(number, signal.SIGKILL)

    def take_back(self) -> None:
        """Cancel all jobs and wait until they are gone."""
        self.run("scancel", "--user", _user(), check=False)
        wait_until(lambda: not (self.run("squeue", "-h", check=False).strip() or self.of_jobs()), 10 * self.grace)

    def stop(self) -> None:
        """Take back all jobs, end all daemons."""
        with contextlib.suppress(TimeoutError):
            self.take_back()
        for name in ("slurmd", "slurmctld", "munged"):
            number = self.pid(name)
            if number:
                _signal(number, signal.SIGTERM)
                wait_until(lambda number=number: not _lives(number))

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command of Slurm and return what it printed."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(words, env=environment, text=True, capture_output=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def pid(self, name: str) -> int:
        """Process number of a daemon; 0 if it does not run."""
        file = self.folder / f"{name}.pid"
        number = int(file.read_text() or 0) if file.is_file() else 0
        return number if number and _lives(number) else 0

    def of_jobs(self) -> list[int]:
        """Process numbers of this Slurm's jobs, and of those that watch over them."""
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self._is_of_a_job(folder)]

    def _is_of_a_job(self, folder: Path) -> bool:
        try:
            words = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            watches = (folder / "comm").read_text().strip() == "slurmstepd"
        except OSError:  # it has ended, or is somebody else's
            return False
        ours = f"SLURM_CONF={self.folder}/slurm.conf" in words
        return ours and (watches or any(word.startswith("SLURM_JOB_ID=") for word in words))

    def _write(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        key = self.folder / "munge.key"
        if not key.exists():
            key.touch(0o600)
            key.write_bytes(secrets.token_bytes(1024))
        words = {"folder": self.folder, "host": socket.gethostname().partition(".")[0], "user": _user(), "node": _NODE}
        text = _CONTROLLER.format(**words, ports=_free_ports(2), grace=self.grace)
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(f"NodeName={_NODE} Name=gpu File=/dev/null\n")
        # Snakemake's plugin takes SLURM_CONF, like all that begins with SLURM_, away before it calls srun in a job.
        srun = self.programs / "srun"
        srun.write_text(f"#!/bin/sh\nSLURM_CONF='{self.folder}/slurm.conf' exec {shutil.which('srun')} \"$@\"\n")
        srun.chmod(0o755)
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\nCgroupPlugin=cgroup/v1\n")


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Ask four times a second until it is so.

    Raises:
        TimeoutError: If it is not so after that time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"still not so after {seconds} s")
        time.sleep(0.25)


def missing() -> list[str]:
    """Programs of Slurm and munge that are not installed."""
    path = os.pathsep.join([os.environ["PATH"], _SYSTEM])
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _signal(number: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, which)


def _lives(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main() -> None:
    """Start a node and print its environment, or end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("start", "stop"))
    arguments = parser.parse_args()
    node = SlurmNode(arguments.folder)
    if arguments.what == "stop":
        node.stop()
        return
    if missing():
        raise SystemExit(f"not installed: {', '.join(missing())}; on Debian: apt-get install slurm-wlm munge")
    node.start()
    print("".join(f"export {name}='{value}'\n" for name, value in node.environment.items()), end="")


if __name__ == "__main__":
    main()
