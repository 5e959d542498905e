"""Processes that train one network together: each takes its share of every batch, and all agree on what is done.

``torchrun`` starts them, on one machine or many, or ``together`` does on this one. Every process has the same weights;
gradients are put together by PyTorch's ``DistributedDataParallel``, everything else by the few calls of ``World``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from sfigf.interface import UserError

if TYPE_CHECKING:
    import torch
    from torch import nn

_PAUSE, _GRACE = 0.2, 30.0
_LOST = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")
"""How the libraries' errors name a peer that is gone."""


@dataclasses.dataclass(frozen=True)
class World:
    """This process among those that train together; by default it is alone, and every call costs nothing.

    Attributes:
        rank: Its number, from 0; the first alone writes files.
        size: How many there are.
        place: Its number on this machine, which is that of its GPU.
    """

    rank: int = 0
    size: int = 1
    place: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and speaks."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """The part of so many things that this process does; the parts together are all of them, in order."""
        return range(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def total(self, *values: float) -> list[float]:
        """Sum of each value over all processes."""
        if self.size == 1:
            return list(values)
        import torch
        import torch.distributed

        sums = torch.tensor(values, dtype=torch.float64)
        torch.distributed.all_reduce(sums)
        return [float(value) for value in sums]

    def any(self, wish: bool) -> bool:
        """Whether one of the processes wishes it."""
        return self.total(float(wish))[0] > 0

    def all_of(self, values: Sequence[Any]) -> list[Any]:
        """The values of all processes, one after the other."""
        if self.size == 1:
            return list(values)
        import torch.distributed

        gathered: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(gathered, list(values))
        return [value for part in gathered for value in part]

    def of_first(self, value: Any) -> Any:
        """What the first process has."""
        if self.size == 1:
            return value
        import torch.distributed

        box = [value]
        torch.distributed.broadcast_object_list(box, src=0)
        return box[0]

    def one_for_all(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Let batch normalisation look at the whole batch.

        Raises:
            UserError: If it cannot, because PyTorch does it on CUDA alone.
        """
        from torch import nn

        if self.size == 1 or not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules()):
            return network
        if device.type != "cuda":
            raise UserError("this network normalises over the batch, which processes cannot share on a CPU; use one")
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def wrapped(self, module: nn.Module, device: torch.device) -> nn.Module:
        """The module, with gradients that are the mean over all processes."""
        if self.size == 1:
            return module
        from torch.nn.parallel import DistributedDataParallel

        # A hint at speed: the weights of 1x1 convolutions lie in memory in an order of their own.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        places = [device] if device.type == "cuda" else None
        return DistributedDataParallel(module, places, static_graph=True)  # every step uses the same weights


class PeerLost(UserError):
    """Another process of this training is gone."""


@contextlib.contextmanager
def peers() -> Iterator[None]:
    """Say in one line that another process is gone, whichever library noticed it.

    Raises:
        PeerLost: Then.
    """
    try:
        yield
    except RuntimeError as error:
        if not any(word in str(error) for word in _LOST):
            raise
        raise PeerLost("another process of this training has ended") from error


@contextlib.contextmanager
def together(processes: int = 1) -> Iterator[World]:
    """Train in so many processes on this machine, this one being the first; each gets one GPU.

    The others run the same command, and end with this one, whatever ends it. Under ``torchrun``, which has started all
    of them, on one machine or many, none is started.

    Raises:
        UserError: If another process ends early; what it said is in the line.
    """
    if "WORLD_SIZE" in os.environ:
        with peers(), _joined() as world:
            yield world
        return
    if processes == 1:
        yield World()
        return
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(processes)}
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(_Other(rank, shared)) for rank in range(1, processes)]
        stack.enter_context(_variables(shared | {"RANK": "0", "LOCAL_RANK": "0"}))
        try:
            with peers(), _joined(others) as world:
                yield world
        except PeerLost as error:
            raise PeerLost(f"{error}{_last_words(others)}") from error


@contextlib.contextmanager
def _joined(others: Sequence[_Other] = ()) -> Iterator[World]:
    import torch
    import torch.distributed as group

    on_gpus = torch.cuda.is_available() and group.is_nccl_available()
    with _watched(others):
        group.init_process_group("cpu:gloo,cuda:nccl" if on_gpus else "gloo")
    yield World(group.get_rank(), group.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    group.destroy_process_group()  # not after an error: it would wait for those that are gone


class _Other:
    """Another process of this command; it is ended when the context is left."""

    def __init__(self, rank: int, shared: dict[str, str]) -> None:
        self.rank = rank
        self._environment = os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}

    def __enter__(self) -> _Other:
        self.said: IO[bytes] = tempfile.TemporaryFile()
        words = [sys.executable, *sys.orig_argv[1:]]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(words, env=self._environment, stdin=quiet, stdout=quiet, stderr=self.said)
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self.process.terminate()
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()

    def last_words(self) -> str:
        """How it ended, and the last line it said."""
        status = self.process.returncode
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        self.said.seek(0)
        lines = [line for line in self.said.read().decode(errors="replace").splitlines() if line.strip()]
        return f"process {self.rank}: {how}" + (f", {lines[-1]}" if lines else "")


def _last_words(others: Sequence[_Other]) -> str:
    """Of the first that ended, which is given a moment to do so."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline and all(other.process.poll() is None for other in others):
        time.sleep(_PAUSE / 10)
    ended = [other.last_words() for other in others if other.process.poll() is not None]
    return f" ({ended[0]})" if ended else ""


@contextlib.contextmanager
def _watched(others: Sequence[_Other]) -> Iterator[None]:
    """End at once if another process does, while this one waits for all of them and can hear nothing."""
    met = threading.Event()

    def watch() -> None:
        while not met.wait(_PAUSE):
            if any(other.process.poll() is not None for other in others):
                try:
                    print(f"sfigf: the processes of this training did not meet{_last_words(others)}", file=sys.stderr)
                finally:  # nobody may be there to read it
                    for other in others:
                        other.process.kill()
                    os._exit(2)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        met.set()


@contextlib.contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
