"""Named methods, data sets and metrics: one decorator registers a class, one config line uses it.

``@register`` puts a class under its ``name``. Our own modules register on first look-up; a user's plug-in module is
imported by ``load_plugins`` and registers in just the same way.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from sfigf.interface import UserError

Role = Literal["method", "dataset", "metric"]
_HOMES: dict[str, str] = {"method": "sfigf.methods", "dataset": "sfigf.datasets", "metric": "sfigf.metrics"}
_REGISTERED: dict[str, dict[str, type]] = {role: {} for role in _HOMES}
T = TypeVar("T", bound=type)


def register(role: Role) -> Callable[[T], T]:
    """Register the decorated class under its ``name`` attribute.

    Raises:
        UserError: If another class of that name is registered for the role.
    """

    def _register(cls: T) -> T:
        name = cls.name  # type: ignore[attr-defined]
        known = _REGISTERED[role].get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise UserError(f"{role} '{name}' is registered twice: {known.__module__} and {cls.__module__}; rename one")
        _REGISTERED[role][name] = cls
        return cls

    return _register


def lookup(role: Role, name: str) -> type:
    """Return the registered class, or say which names are nearest.

    Raises:
        UserError: If nothing of that name is registered.
    """
    classes = registered(role)
    if name not in classes:
        raise UserError(f"unknown {role} '{name}'{nearest(name, classes)}; `sfigf list {role}s` lists all")
    return classes[name]


def registered(role: Role) -> dict[str, Any]:
    """All classes of a role by name, ours and the plug-ins'."""
    importlib.import_module(_HOMES[role])
    return dict(sorted(_REGISTERED[role].items()))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else ""


def load_plugins(plugins: Iterable[str]) -> None:
    """Import plug-ins: dotted module names, or paths of ``.py`` files.

    Raises:
        UserError: If a plug-in cannot be found or fails while importing.
    """
    for plugin in plugins:
        try:
            if plugin.endswith(".py"):
                _import_file(Path(plugin))
            else:
                importlib.import_module(plugin)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"plug-in '{plugin}' cannot be imported: {error}") from error


def _import_file(path: Path) -> None:
    module_name = f"sfigf_plugin_{path.stem}"
    if module_name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UserError(f"plug-in '{path}' is not a Python file that exists")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
