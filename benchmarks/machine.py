"""What the numbers were taken on, without naming the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path


def describe() -> dict[str, str]:
    """Processor, cores, memory, device and versions, in words."""
    import torch

    facts = {
        "processor": f"{_processor()}, {os.cpu_count()} cores, torch uses {torch.backends.cpu.get_cpu_capability()}",
        "memory": f"{_memory_gb():.0f} GB",
        "CUDA device": _device(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "torch": str(torch.__version__),
    }
    return facts | {name: _version(name) for name in ("numba", "triton") if _version(name)}


def _processor() -> str:
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        return asked.stdout.strip() or platform.processor()
    table = Path("/proc/cpuinfo")
    text = table.read_text() if table.exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    more = [flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if re.search(rf"\b{flag}\b", text)]
    return " with ".join([found[1].strip() if found else platform.processor()] + [", ".join(more)] * bool(more))


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
