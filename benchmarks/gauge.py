"""Gauges of one process: seconds and peak memory of a call."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
LEAST_SECONDS = 0.1


def seconds_of(run: Callable[[], Any], device: str) -> float:
    """Seconds of one call, the mean of as many as fit into a tenth of a second."""
    if device == "cuda":
        run()  # its memory was handed back after the last time
    once = seconds_once(run, device)
    count = min(100, math.ceil(LEAST_SECONDS / max(once, 1e-6)))
    seconds = once if count == 1 else _timed(run, count, device) / count
    _hand_back(device)
    return seconds


def seconds_once(run: Callable[[], Any], device: str) -> float:
    """Seconds of a single call."""
    return _timed(run, 1, device)


def _timed(run: Callable[[], Any], count: int, device: str) -> float:
    wait = _waiter(device)
    wait()
    start = time.perf_counter()
    for _ in range(count):
        run()
    wait()
    return time.perf_counter() - start


def _waiter(device: str) -> Callable[[], None]:
    import torch

    return torch.cuda.synchronize if device == "cuda" else lambda: None


def _hand_back(device: str) -> None:
    """Leave the device's memory to the processes of the other forms."""
    import torch

    if device == "cuda":
        torch.cuda.empty_cache()


def peak_of(run: Callable[[], Any], device: str) -> float:
    """Return the MB that a call needs at its peak, above what was there before it.

    Args:
        run: The call.
        device: ``cuda``: what torch allocated there. ``cpu``: what the process had resident.
    """
    gc.collect()
    if device == "cuda":
        return _peak_on_cuda(run)
    if not _can_reset():
        before = _largest_ever()
        run()
        return _largest_ever() - before
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _peak_on_cuda(run: Callable[[], Any]) -> float:
    import torch

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    peak = (torch.cuda.max_memory_allocated() - before) / 1e6
    torch.cuda.empty_cache()
    return peak


def _can_reset() -> bool:
    """Hand freed memory back, where the system can, and start the high-water mark anew."""
    with contextlib.suppress(OSError, AttributeError):  # glibc alone knows this
        ctypes.CDLL(None).malloc_trim(0)
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return _STATUS.exists()


def _status(field: str) -> float:
    found = re.search(rf"{field}:\s*(\d+) kB", _STATUS.read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _largest_ever() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
