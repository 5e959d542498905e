"""A part of the settings that knows its keys, and errors of one line for those it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from sfigf.interface import UserError
from sfigf.registry import nearest
from sfigf.small_files import check_plain, one_line

M = TypeVar("M", bound=BaseModel)
_SHOWN = 60


def _place(text: str) -> str:
    if not text or not text.isprintable() or {"{", "}"} & {*text}:
        raise ValueError("a path that is empty, or holds a brace or a control character, cannot be handed on")
    return text


Place = Annotated[str, AfterValidator(_place)]
"""A file or folder that Snakemake can hand to a command; braces mean something to it."""


class Section(BaseModel):
    """A part of the settings; refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            refuse_unknown(values, cls)
        return values


def refuse_unknown(values: Mapping[str, Any], model: type[BaseModel]) -> None:
    """Raise ValueError for the first key that ``model`` does not have, with the nearest one it has."""
    for key in values:
        if key not in model.model_fields:
            valid = ", ".join(sorted(model.model_fields)) or "none"
            raise ValueError(f"unknown key '{key}'{nearest(str(key), model.model_fields)} (valid: {valid})")


def validated(model: type[M], values: Any, where: str, also: tuple[str, ...] = ()) -> M:
    """Validate ``values`` as ``model``; turn pydantic's report into one line."""
    try:
        if not isinstance(values, Mapping):
            raise ValueError(f"expected a mapping of keys to values, got {type(values).__name__}")
        if not issubclass(model, Section):
            refuse_unknown(values, model)
        taken = model.model_validate(dict(values))
        _refuse_truths(values, taken.model_dump())
        return taken
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(one_line(f"{where}: {path + ': ' if path else ''}{message}{_given(first)}")) from None
    except ValueError as error:
        reserved = f"; also {', '.join(also)}" if also else ""
        raise UserError(one_line(f"{where}: {error}{reserved}")) from None


def _refuse_truths(given: Any, taken: Any, path: str = "") -> None:
    """Raise ValueError where true or false would be taken for the numbers 1 and 0."""
    if isinstance(given, bool) and isinstance(taken, int | float) and not isinstance(taken, bool):
        raise ValueError(f"{path}: Input should be a number, got {given}")
    if isinstance(given, Mapping) and isinstance(taken, Mapping):
        for key in given.keys() & taken.keys():
            _refuse_truths(given[key], taken[key], f"{path}.{key}".lstrip("."))
    elif isinstance(given, list | tuple) and isinstance(taken, list | tuple):
        for place, pair in enumerate(zip(given, taken, strict=False)):
            _refuse_truths(*pair, f"{path}.{place}")


def _given(problem: Any) -> str:
    value = problem.get("input")
    if isinstance(value, str | int | float | bool | None) and problem["type"] not in {"missing", "value_error"}:
        shown = repr(value)
        return f", got {shown}" if len(shown) <= _SHOWN else f", got {shown[:_SHOWN]}..."
    return ""


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings key by key, everything else replaced."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def kept(settings: Any) -> Any:
    """Settings without the tasks, methods and perturbations that a study leaves out by setting them to null.

    Raises:
        UserError: What no settings hold, as ``sections.check_plain`` says.
    """
    check_plain(settings, "config")
    return _kept(settings)


def _kept(settings: Any) -> Any:
    if not isinstance(settings, Mapping):
        return settings
    left = {key: _kept(value) for key, value in settings.items()}
    for key in {"tasks", "methods", "perturbations"} & {key for key in left if isinstance(left[key], dict)}:
        left[key] = {name: value for name, value in left[key].items() if value is not None}
    return left
