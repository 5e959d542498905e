"""The environment that made a result: one line at the end of a job's log, and what reads it again.

It stays out of the results, so that equal input gives equal bytes. It is the last thing a command does: only then it is
known which libraries it used, and nothing is loaded to ask for a version.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sfigf

MAKERS = frozenset({
    "fetch", "collect", "verify", "prepare", "render", "gather", "sheet", "audit", "degrade", "train", "restore-set",
    "score", "self-test", "robustness", "tabulate-robustness", "tabulate", "summarise", "compare", "draw", "report",
})  # fmt: skip
"""The commands of the rules."""
LIBRARIES = {
    "numpy": "numpy", "torch": "torch", "scipy": "scipy", "skimage": "scikit-image", "pandas": "pandas",
    "PIL": "pillow", "tifffile": "tifffile", "rasterio": "rasterio", "h5py": "h5py", "rawpy": "rawpy",
    "embreex": "embreex", "numba": "numba", "safetensors": "safetensors", "matplotlib": "matplotlib",
    "seaborn": "seaborn", "jinja2": "jinja2", "onnx": "onnx", "onnxruntime": "onnxruntime",
}  # fmt: skip
"""Modules whose version can change a result, and the packages they belong to."""
SWITCHES = (
    "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "MKL_CBWR", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES",
    "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS",
)  # fmt: skip
"""Variables that choose other arithmetic, told where they are set."""
_BEGINNING = "environment: "
_TAIL = 1 << 16
"""Bytes at the end of a log that are searched for the line."""


def tell(verb: str) -> None:
    """Write the line that ends a job's log; nothing for other commands, and nothing to a person at a terminal."""
    if verb in MAKERS and sys.stderr is not None and not sys.stderr.isatty():
        with contextlib.suppress(OSError):  # a result that is whole is not lost for a full disk's log
            print(_BEGINNING + json.dumps(environment()), file=sys.stderr, flush=True)


def told_in(log: str | Path) -> dict[str, Any]:
    """Return what ``tell`` wrote into a log last; empty where it did not, or the log cannot be read."""
    try:
        with Path(log).open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL))
            lines = stream.read(_TAIL).decode(errors="replace").splitlines()
        found = next(line for line in reversed(lines) if line.startswith(_BEGINNING))
        facts = json.loads(found.removeprefix(_BEGINNING))
    except (OSError, StopIteration, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) and isinstance(facts.get("versions"), dict) else {}


def environment() -> dict[str, Any]:
    """Return ``versions`` of what this process has loaded, ``commit``, ``device``, ``machine`` and ``arithmetic``."""
    return {
        "versions": dict(_versions()),
        "commit": _commit(Path(sfigf.__file__).resolve().parent.parent / ".git")[:12],
        "device": ", ".join(_device()),
        "machine": ", ".join(_machine()),
        "arithmetic": ", ".join(_arithmetic()),
    }


def _versions() -> Iterator[tuple[str, str]]:
    yield "sfigf", sfigf.__version__
    yield "Python", platform.python_version()
    for module, package in LIBRARIES.items():
        if version := _version(module, package):
            yield package, version
    if _on_cuda():
        yield "cuDNN", str(sys.modules["torch"].backends.cudnn.version())


def _version(module: str, package: str) -> str:
    if module not in sys.modules:
        return ""
    if said := getattr(sys.modules[module], "__version__", None):
        return str(said)
    from importlib.metadata import PackageNotFoundError, version

    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return "?"


def _commit(git: Path) -> str:
    """The commit that is checked out where the package lies in its repository; starts no git."""
    try:
        if git.is_file():  # a work tree beside the repository
            git = git.parent / git.read_text().partition(":")[2].strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name, common = head.removeprefix("ref: "), git / "commondir"
        git = git / common.read_text().strip() if common.is_file() else git
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (line.split() for line in (git / "packed-refs").read_text().splitlines())
        return next((words[0] for words in packed if words[1:] == [name]), "")
    except (OSError, UnicodeDecodeError):
        return ""


def _device() -> Iterator[str]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield "cpu"
        return
    on_metal = torch.backends.mps.is_available() and torch.mps.driver_allocated_memory() > 0
    yield f"cuda {torch.cuda.get_device_name()}" if _on_cuda() else "mps" if on_metal else "cpu"
    threads = torch.get_num_threads()
    yield f"{threads} thread{'' if threads == 1 else 's'}"
    if torch.are_deterministic_algorithms_enabled() and not torch.is_deterministic_algorithms_warn_only_enabled():
        yield "deterministic algorithms"


def _on_cuda() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()


def _machine() -> Iterator[str]:
    yield f"{platform.system()} {platform.machine()}"
    yield " ".join(platform.libc_ver()).strip() or f"macOS {platform.mac_ver()[0]}"
    if name := _processor():
        yield name


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open() as facts:
        for _, line in zip(range(20), facts, strict=False):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return ""


def _arithmetic() -> Iterator[str]:
    """The widest instructions that numpy and torch find, and the switches that are set: they change last digits."""
    core: Any = sys.modules.get("numpy._core._multiarray_umath")
    found = getattr(core, "__cpu_features__", {})
    yield from [f"numpy {name}" for name in getattr(core, "__cpu_dispatch__", ()) if found.get(name)][-1:]
    if (torch := sys.modules.get("torch")) is not None:
        yield f"torch {torch.backends.cpu.get_cpu_capability()}"
    yield from (f"{name}={os.environ[name]}" for name in SWITCHES if os.environ.get(name))
