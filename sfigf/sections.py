"""A part of the settings that knows its keys, and errors of one line for those it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sfigf.interface import UserError
from sfigf.registry import nearest

M = TypeVar("M", bound=BaseModel)


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
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}: {path + ': ' if path else ''}{message}{_given(first)}") from None
    except ValueError as error:
        reserved = f"; also {', '.join(also)}" if also else ""
        raise UserError(f"{where}: {error}{reserved}") from None


def _given(problem: Any) -> str:
    value = problem.get("input")
    if isinstance(value, str | int | float | bool | None) and problem["type"] not in {"missing", "value_error"}:
        return f", got {value!r}"
    return ""
