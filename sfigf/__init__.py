"""Guided image restoration by simultaneous feature and image guided fusion."""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "restore"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `import sfigf` stays light.
    if name == "restore":
        return importlib.import_module("sfigf.own").restore
    raise AttributeError(f"module 'sfigf' has no attribute '{name}'")
