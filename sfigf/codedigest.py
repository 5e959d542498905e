"""A digest of the code a job runs, so that an edit redoes what it must and nothing else.

Snakemake does not see inside the package. ``code_digest("sfigf.train:train")`` starts from that definition and follows
every name it mentions to our definition of it, reading files and importing nothing. Comments, layout, docstrings, help
texts and the wording of errors are left out, and so is whatever differs between Python 3.11 and 3.13.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sfigf.interface import UserError

Place = tuple[str, str]
"""Module and top-level name. ``*`` is the whole module, ``""`` the statements that run when it is imported."""
_FOR_PEOPLE = {"help", "description"}
_NOT_MEANING = {"ctx", "kind", "type_comment", "type_ignores"}
_IMPORTS = ast.Import | ast.ImportFrom


def code_digest(*entries: str, stop: Iterable[str] = ()) -> str:
    """Digest the code that the entries reach.

    Args:
        entries: ``"package.module:name"`` for one top-level definition, ``"package.module"`` for a whole module.
        stop: Entries of the same form that are not followed: code that cannot change the result.

    Returns:
        Sixteen hexadecimal digits, the same on every Python from 3.11 to 3.13.

    Raises:
        UserError: If an entry does not exist.
    """
    return hashlib.sha256("\n".join(_covered(entries, stop).values()).encode()).hexdigest()[:16]


def covered(*entries: str, stop: Iterable[str] = ()) -> list[str]:
    """List what ``code_digest`` of the same arguments covers, as ``module:name``."""
    return list(_covered(entries, stop))


def entry_of(definition: Any) -> str:
    """Return the entry of a class or function, say a registered method."""
    return f"{definition.__module__}:{definition.__qualname__}"


def _covered(entries: Iterable[str], stop: Iterable[str]) -> dict[str, str]:
    first, stops = [_place(entry) for entry in entries], {_place(entry) for entry in stop}
    code = _code(frozenset({"sfigf"} | {module.partition(".")[0] for module, _ in first}))
    for place in first:
        if code.resolve(place) is None:
            raise UserError(f"no '{place[1]}' in module '{place[0]}' to take a code digest of; was it renamed?")
    places = code.reach(first, stops)
    return {f"{module}:{name}": code.text((module, name)) for module, name in sorted(places)}


def _place(entry: str) -> Place:
    module, _, name = entry.partition(":")
    return module, name or "*"


@functools.cache
def _code(roots: frozenset[str]) -> _Code:
    return _Code(roots)


@dataclasses.dataclass(frozen=True)
class _Module:
    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, Place]


class _Code:
    """The modules under some top-level packages, read when asked for."""

    def __init__(self, roots: frozenset[str]) -> None:
        self.roots = roots
        self.modules: dict[str, _Module | None] = {}
        self.mentions = functools.cache(self._mentions_of)
        self.text = functools.cache(self._text_of)

    def reach(self, places: Iterable[Place], stops: set[Place]) -> set[Place]:
        """Follow mentions until nothing new is found."""
        waiting, seen = [self.resolve(place) for place in places], set()
        while waiting:
            place = waiting.pop()
            if place is None or place in seen or place in stops or (place[0], "*") in stops:
                continue
            seen.add(place)
            waiting += [(place[0], ""), *(self.resolve(mention) for mention in self.mentions(place))]
        return seen

    def resolve(self, place: Place) -> Place | None:
        """Trace a name through imports to where it is defined; None if that is not ours."""
        module, name = self.module(place[0]), place[1]
        if module is None:
            return None
        if name == "*" or name in module.definitions:
            return place
        # A package that imports its own submodule by name says so of itself.
        if name in module.imports and module.imports[name] != place:
            return self.resolve(module.imports[name])
        submodule = f"{place[0]}.{name}"
        return (submodule, "*") if self.module(submodule) else None

    def _mentions_of(self, place: Place) -> set[Place]:
        """The names that a definition mentions, as seen from its module."""
        return {found for statement in self.statements(place) for found in self._mentions(statement, place[0])}

    def _mentions(self, node: ast.AST, module: str) -> Iterator[Place]:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            base = self.resolve((module, node.value.id))
            if base is not None and base[1] == "*":
                yield (base[0], node.attr) if self.resolve((base[0], node.attr)) else base
                return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield module, node.id
        if isinstance(node, _IMPORTS):
            yield from _imported(node, self._package(module)).values()
        for _, value in _fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self._mentions(child, module)

    def statements(self, place: Place) -> list[ast.stmt]:
        """Return the statements that make a definition; for ``*`` those of the whole module."""
        module = self.module(place[0])
        assert module is not None
        if place[1] == "*":
            return [statement for statements in module.definitions.values() for statement in statements]
        return module.definitions.get(place[1], [])

    def _text_of(self, place: Place) -> str:
        """The canonical text of a definition."""
        return f"{place[0]}:{place[1]}={_canonical(self.statements(place))}"

    def module(self, name: str) -> _Module | None:
        """Read a module of ours; None for any other."""
        if name not in self.modules:
            path = self._path(name)
            self.modules[name] = _read(path, self._package(name)) if path else None
        return self.modules[name]

    def _path(self, name: str) -> Path | None:
        top, *inner = name.split(".")
        file = getattr(sys.modules.get(top), "__file__", None) if top in self.roots else None
        if file is None or not inner:
            return Path(file) if file else None
        path = Path(file).parent.joinpath(*inner)
        choices = (path / "__init__.py", path.with_name(path.name + ".py"))
        return next((choice for choice in choices if choice.is_file()), None)

    def _package(self, name: str) -> str:
        path = self._path(name)
        return name if path and path.name == "__init__.py" else name.rpartition(".")[0]


def _read(path: Path, package: str) -> _Module:
    definitions: dict[str, list[ast.stmt]] = {}
    imports: dict[str, Place] = {}
    for statement in ast.parse(path.read_bytes(), str(path)).body:
        nested = [node for node in ast.walk(statement) if isinstance(node, _IMPORTS)]
        plain = isinstance(statement, ast.If | ast.Try | ast.With | _IMPORTS)
        for node in nested if plain else ():
            imports |= _imported(node, package)
        if not (isinstance(statement, _IMPORTS) or _is_import_guard(statement) or _is_words(statement)):
            for name in _defined(statement):
                definitions.setdefault(name, []).append(statement)
    return _Module(definitions, imports)


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, Place]:
    if isinstance(node, ast.Import):
        return {(alias.asname or alias.name.partition(".")[0]): (alias.name, "*") for alias in node.names}
    module = importlib.util.resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
    return {(alias.asname or alias.name): (module or "", alias.name) for alias in node.names}


def _is_import_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and all(isinstance(s, _IMPORTS) for s in [*statement.body, *statement.orelse])


def _is_words(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _defined(statement: ast.stmt) -> list[str]:
    """Names a top-level statement defines; ``""`` for one that is run for its effect."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        nodes = [inner for target in targets for inner in (target.elts if isinstance(target, ast.Tuple) else [target])]
        if all(isinstance(node, ast.Name) for node in nodes):
            return [node.id for node in nodes if isinstance(node, ast.Name)]
    return [""]


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Yield the fields that carry meaning: no docstrings, help texts or wording of errors."""
    for field, value in ast.iter_fields(node):
        if field == "body" and isinstance(value, list):
            value = [statement for statement in value if not _is_words(statement)]
        elif field == "keywords":
            value = [keyword for keyword in value if keyword.arg not in _FOR_PEOPLE]
        elif field == "exc" and isinstance(value, ast.Call):
            value = value.func
        if field not in _NOT_MEANING and value is not None and value != []:
            yield field, value


def _canonical(value: Any) -> str:
    if isinstance(value, ast.AST):
        return f"{type(value).__name__}({','.join(f'{field}={_canonical(part)}' for field, part in _fields(value))})"
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    return ascii(value)
