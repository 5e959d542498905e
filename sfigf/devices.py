"""A GPU for one job at a time, where no scheduler deals them out: jobs take turns by a lock. Loads no torch.

A job holds a lock on a small file named after the GPU, in a folder of the user's own; the kernel takes it back when the
job ends, however it ends. Two runs of the study on one machine, or two by hand, so never train on one GPU at once. A
GPU is known by its own number, not by its place: on a cluster each job may see another one as ``cuda:0``.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import fcntl
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sfigf.interface import UserError

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 1.0
_TOLD = "SFIGF_DEVICES"
SHARE = "SFIGF_JOBS_PER_GPU"
"""Environment variable: how many jobs may use a GPU at once; 1 unless it says otherwise."""


@contextlib.contextmanager
def claimed(
    device: str = "auto",
    who: str = "",
    count: int = 1,
    there: Sequence[str] | None = None,
    folder: Path | None = None,
) -> Iterator[list[str]]:
    """Hold GPUs while the context lasts; wait where they are taken, and say for whom.

    Several are taken at once or not at all, so that jobs never wait for each other in a circle.

    Args:
        device: ``cuda`` or ``auto``: any that is free; ``cuda:1``: that one; ``cpu`` and others need no claim.
        who: What those who wait are told, say ``depth x8 sfigf/full seed 0``.
        count: How many GPUs.
        there: Numbers of the GPUs that this process sees as ``cuda:0``, ``cuda:1``, ...; None asks the driver.
        folder: Where the locks lie; None is the user's own below the folder for temporary files.

    Yields:
        The devices to use: ``["cuda:1"]``; ``[device]`` as it came where nothing has to be claimed.

    Raises:
        UserError: If more are wanted than there are, or the folder is somebody else's.
    """
    kind, _, place = device.partition(":")
    seen = (gpus() if there is None else there) if kind in ("auto", "cuda") else ()
    if not seen:
        yield [device]
        return
    wanted = {f"cuda:{i}": gpu for i, gpu in enumerate(seen) if not place or place == str(i)}
    if len(wanted) < count:
        raise UserError(f"device '{device}': {count} GPUs are wanted and {len(wanted)} of {len(seen)} fit")
    with contextlib.ExitStack() as held:
        yield _wait(held, wanted, count, who, run_folder() if folder is None else folder)


@contextlib.contextmanager
def claimed_by_all(device: str, who: str, processes: int) -> Iterator[list[str]]:
    """Hold a GPU for each of the processes that train one network on this machine; yields their devices, by place.

    The first process claims them all, before there are others, and tells those. Under ``torchrun``, whose user or
    scheduler deals the GPUs out, nothing is claimed, and each process has the one of its place.

    Args:
        device: As ``claimed`` takes it, ``auto`` chosen already.
        who: What those who wait are told.
        processes: How many.

    Raises:
        UserError: As ``claimed`` does.
    """
    if _TOLD in os.environ:
        yield os.environ[_TOLD].split(",")
    elif "WORLD_SIZE" in os.environ:
        places = range(int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"])))
        yield [f"cuda:{place}" if device == "cuda" else device for place in places]
    else:
        with claimed(device, who, processes) as free:
            devices = free if len(free) == processes else free * processes
            os.environ[_TOLD] = ",".join(devices)
            try:
                yield devices
            finally:
                del os.environ[_TOLD]


def gpus() -> list[str]:
    """Numbers (UUID) of the GPUs that CUDA shows this process, in its order; nothing is put on them.

    Source: CUDA Driver API, cuDeviceGetUuid_v2: a slice of a GPU (MIG) has its own.
    """
    with contextlib.suppress(OSError, AttributeError):
        cuda = ctypes.CDLL("libcuda.so.1")
        count, device, number = ctypes.c_int(), ctypes.c_int(), (ctypes.c_ubyte * 16)()
        if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
            return []
        found = []
        for place in range(count.value):
            if cuda.cuDeviceGet(ctypes.byref(device), place) or cuda.cuDeviceGetUuid_v2(number, device):
                return []
            found.append(bytes(number).hex())
        return found
    return []


def run_folder() -> Path:
    """The user's folder of locks, made if need be.

    Raises:
        UserError: If somebody else made it.
    """
    # Not /run/user: it goes when the user logs out, and takes the locks of what runs on with it.
    folder = Path(tempfile.gettempdir()) / f"sfigf-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder} is not yours; remove it, or set TMPDIR to a folder of your own")
    return folder


def _wait(held: contextlib.ExitStack, wanted: dict[str, str], count: int, who: str, folder: Path) -> list[str]:
    """Try until all are held; say once for whom it waits."""
    told = False
    while True:
        with contextlib.ExitStack() as attempt:
            taken = _take(attempt, wanted, count, who, folder)
            if len(taken) == count:
                held.enter_context(attempt.pop_all())
                return taken
        if not told:
            _LOG.warning("sfigf: waits for %s, in use by %s", _words(wanted, count), _holders(wanted, folder))
            told = True
        time.sleep(_EVERY_SECONDS)


def _take(held: contextlib.ExitStack, wanted: dict[str, str], count: int, who: str, folder: Path) -> list[str]:
    """Those that are free, ``count`` at most; a GPU that nobody uses comes before one that is shared."""
    taken: list[str] = []
    for slot in range(_jobs_per_gpu()):
        for name, gpu in wanted.items():
            if len(taken) < count and name not in taken and held.enter_context(_lock(folder / f"{gpu}.{slot}", who)):
                taken.append(name)
    return taken


@contextlib.contextmanager
def _lock(file: Path, who: str) -> Iterator[bool]:
    """Lock a file if it is free, and write into it who holds it; yields whether it was."""
    if file in _OWN:
        yield False
        return
    with open(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+") as stream:
        try:
            # Of the process and not of the open file: a worker that was forked from it does not hold it on.
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if sys.platform == "linux":  # tells systemd's sweeper of old temporary files to leave it
                fcntl.flock(stream, fcntl.LOCK_SH)
        except (BlockingIOError, PermissionError):  # POSIX lets a system choose
            yield False
            return
        stream.truncate(0)
        stream.write(f"{who or 'a job'} (process {os.getpid()}, in {Path.cwd()})")
        stream.flush()
        _OWN.add(file)
        try:
            yield True
        finally:
            _OWN.discard(file)


_OWN: set[Path] = set()
"""What this process holds: a second lock by the same process would be granted, and closing it would end the first."""


def _holders(wanted: dict[str, str], folder: Path) -> str:
    files = [folder / f"{gpu}.{slot}" for slot in range(_jobs_per_gpu()) for gpu in wanted.values()]
    # A file of our own is not opened: closing it would end the lock.
    said = ["this process" if file in _OWN else file.read_text(errors="replace") for file in files if file.exists()]
    return "; ".join(text for text in said if text) or "another job"


def _words(wanted: dict[str, str], count: int) -> str:
    return f"{count} of {', '.join(wanted)}" if len(wanted) > count else ", ".join(wanted)


def _jobs_per_gpu() -> int:
    text = os.environ.get(SHARE, "1")
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"{SHARE} is '{text}'; it is a number of jobs, 1 or more")
    return int(text)
