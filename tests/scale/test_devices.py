"""GPUs are claimed by lock: real processes, made-up GPUs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfigf import devices
from sfigf.devices import SHARE, claimed, gpus, run_folder
from sfigf.interface import UserError

Start = Callable[..., subprocess.Popen[str]]
HOLDER = """
import sys, pathlib, logging, signal
from sfigf.devices import claimed
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins without
logging.basicConfig(format="%(message)s", stream=sys.stdout)
folder, who, device, count, *there = sys.argv[1:]
with claimed(device, who, int(count), there, pathlib.Path(folder)) as got:
    print("got", *got, flush=True)
    sys.stdin.readline()
print("done", flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that claims, and holds until it is told a line."""
    running: list[subprocess.Popen[str]] = []

    def begin(
        who: str, device: str = "cuda", count: int = 1, there: tuple[str, ...] = ("a",), **env: str
    ) -> subprocess.Popen[str]:
        words = [sys.executable, "-u", "-c", HOLDER, str(tmp_path), who, device, str(count), *there]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        running.append(subprocess.Popen(words, text=True, env={**os.environ, **env}, **pipes))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def release(process: subprocess.Popen[str]) -> None:
    """Tell a holder to end."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert line(process) == "done"


def test_a_second_job_waits_its_turn_and_says_for_whom(start: Start) -> None:
    first, second = start("depth seed 0"), None
    assert line(first) == "got cuda:0"
    second = start("depth seed 1")
    assert line(second) == f"sfigf: waits for cuda:0, in use by depth seed 0 (process {first.pid}, in {Path.cwd()})"
    release(first)
    assert line(second) == "got cuda:0"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_kernel_releases_what_a_killed_job_held(start: Start, number: int) -> None:
    first = start("one that is killed")
    assert line(first) == "got cuda:0"
    second = start("the next")
    assert "one that is killed" in line(second)
    first.send_signal(number)
    assert line(second) == "got cuda:0"


def test_a_worker_that_outlives_its_job_does_not_hold_on(tmp_path: Path) -> None:
    code = """
import os, pathlib, signal, sys, time
from sfigf.devices import claimed
with claimed("cuda", "parent", 1, ["a"], pathlib.Path(sys.argv[1])):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], text=True, stdout=subprocess.PIPE)
    child = int(line(parent))
    parent.wait()
    try:
        started = time.monotonic()
        with claimed("cuda", "next", 1, ["a"], tmp_path) as got:
            assert got == ["cuda:0"]
        assert time.monotonic() - started < 30  # the child sleeps twice as long
    finally:
        os.kill(child, signal.SIGKILL)


def test_jobs_spread_over_the_gpus_and_a_named_one_is_waited_for(start: Start) -> None:
    two = ("a", "b")
    first, second = start("first", there=two), None
    assert line(first) == "got cuda:0"
    second = start("second", there=two)
    assert line(second) == "got cuda:1"
    third = start("third", "cuda:1", there=two)
    assert line(third).startswith("sfigf: waits for cuda:1, in use by second")
    release(first)
    release(second)
    assert line(third) == "got cuda:1"


def test_the_same_place_is_another_gpu_in_another_job(start: Start) -> None:
    assert line(start("slurm job 1", there=("a",))) == "got cuda:0"
    assert line(start("slurm job 2", there=("b",))) == "got cuda:0"


def test_several_are_taken_at_once_or_not_at_all(start: Start) -> None:
    two = ("a", "b")
    one = start("one", there=two)
    assert line(one) == "got cuda:0"
    both = start("both", count=2, there=two)
    assert "waits for cuda:0, cuda:1" in line(both)
    other = start("other", there=two)
    assert line(other) == "got cuda:1"  # `both` holds nothing while it waits
    release(one)
    release(other)
    assert line(both) == "got cuda:0 cuda:1"


def test_a_gpu_is_shared_when_asked_to_the_empty_one_first(start: Start) -> None:
    got = []
    for number in range(4):
        got.append(line(start(f"job {number}", there=("a", "b"), **{SHARE: "2"})))
    assert got == ["got cuda:0", "got cuda:1", "got cuda:0", "got cuda:1"]
    assert line(start("fifth", there=("a", "b"), **{SHARE: "2"})).startswith("sfigf: waits for")


def test_without_a_gpu_or_on_the_cpu_nothing_is_claimed(tmp_path: Path) -> None:
    for device, there in (("auto", []), ("cpu", ["a"]), ("mps", ["a"])):
        with claimed(device, there=there, folder=tmp_path) as got:
            assert got == [device]
    assert not list(tmp_path.iterdir())


def test_a_process_does_not_get_twice_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.time, "sleep", lambda _: pytest.fail("waits"))
    with claimed("cuda", there=["a"], folder=tmp_path), pytest.raises(pytest.fail.Exception, match="waits"):
        claimed("cuda", there=["a"], folder=tmp_path).__enter__()
    with claimed("cuda", there=["a"], folder=tmp_path) as got:
        assert got == ["cuda:0"]


def test_what_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="'cuda:7': 1 GPUs are wanted and 0 of 2 fit"):
        claimed("cuda:7", there=["a", "b"], folder=tmp_path).__enter__()
    monkeypatch.setenv(SHARE, "many")
    with pytest.raises(UserError, match=f"{SHARE} is 'many'"):
        claimed("cuda", there=["a"], folder=tmp_path).__enter__()


def test_the_folder_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = run_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="not yours"):
        run_folder()


@pytest.mark.gpu
def test_the_driver_names_the_gpus_that_torch_sees() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    seen = [torch.cuda.get_device_properties(i).uuid for i in range(torch.cuda.device_count())]
    assert gpus() == [str(number).replace("-", "") for number in seen]


def test_asking_for_gpus_loads_no_torch() -> None:
    code = "import sys; from sfigf.devices import gpus; gpus(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
