"""The settings of a study, validated: an unknown key fails at once and the nearest valid key is named.

``config/default.yaml`` holds every key with a comment; other files hold only differences. Snakemake merges them and
hands the mapping to ``load_settings``; the command line reads the merged file with ``load_effective``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sfigf.files import write_text
from sfigf.interface import TASK_NAMES, TaskName, UserError
from sfigf.registry import load_plugins, lookup, nearest, registered

Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
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


class Rendering(Section):
    """Procedural RGB-D scenes: how many, how large, from which seed."""

    seed: int = Field(ge=0)
    train_scenes: int = Field(ge=1)
    validation_scenes: int = Field(ge=1)
    height_px: int = Field(ge=48)
    width_px: int = Field(ge=48)
    shards: int = Field(ge=1)


class Training(Section):
    """One loop, one step budget: optimiser, schedule and patches."""

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    patch_px: int = Field(ge=8)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(default=0.0, ge=0)
    warmup_steps: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    gradient_clip: float = Field(default=1.0, gt=0)
    loss: Literal["l1", "mse", "charbonnier"] = "l1"
    optimizer: Literal["adam", "adamw"] = "adamw"
    validate_every_steps: int = Field(ge=1)
    precision: Literal["auto", "float32"] = "auto"
    encoding: Literal["none", "detail", "develop"] = "none"


class TaskStudy(Section):
    """One task: what is trained on, what is tested on, which methods and metrics."""

    conditions: list[Slug] = Field(min_length=1)
    train: list[str] = Field(min_length=1)
    validation: list[str] = Field(min_length=1)
    test: list[str] = Field(min_length=1)
    metrics: list[Slug] = Field(min_length=1)
    crop_px: int | None = Field(default=None, ge=16)
    train_draws: int = Field(default=1, ge=1)
    training: Training
    methods: dict[Slug, dict[str, Any]] = Field(min_length=1)


class Study(Section):
    """Everything a study is: the whole settings file."""

    study: Slug
    title: str
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    weights: Literal["trained", "published"]
    plugins: list[str]
    rules: list[str]
    data_mirrors: list[str]
    rendering: Rendering
    tasks: dict[TaskName, TaskStudy] = Field(min_length=1)
    show: dict[str, Any] = Field(default_factory=dict)


def load_settings(settings: Mapping[str, Any], origin: str = "config") -> Study:
    """Validate merged settings, plug-ins and every method's own options.

    Raises:
        UserError: One line that names the key, what is wrong with it, and the nearest valid key.
    """
    study = validated(Study, settings, origin)
    load_plugins(study.plugins)
    for task, settings_of_task in study.tasks.items():
        _check_task(task, settings_of_task, f"{origin}: tasks.{task}")
    return study


def _check_task(task: str, study: TaskStudy, where: str) -> None:
    from sfigf.tasks import check_condition

    for condition in study.conditions:
        check_condition(task, condition, where)
    for metric in study.metrics:
        _check_role("metric", metric, task, f"{where}.metrics")
    for selection in [*study.train, *study.validation, *study.test]:
        lookup("dataset", selection.partition(":")[0])
    for label, options in study.methods.items():
        method_of(label, options, study.training, task, f"{where}.methods.{label}")


def _check_role(role: Literal["method", "metric"], name: str, task: str, where: str) -> Any:
    try:
        found: Any = lookup(role, name)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if task not in found.tasks:
        fitting = ", ".join(n for n, c in registered(role).items() if task in c.tasks)
        raise UserError(f"{where}: {role} '{name}' is for {', '.join(found.tasks)}, not {task}; {task} has: {fitting}")
    return found


class MethodSettings(BaseModel):
    """One line of ``methods``: the method itself, its variants, and its training."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    label: str
    method: Any
    variants: tuple[str, ...]
    learned: bool
    training: Training
    options: dict[str, Any]


_RESERVED = ("method", "variants", "training")


def method_of(label: str, line: Mapping[str, Any] | None, base: Training, task: str, where: str) -> MethodSettings:
    """Build a method from its config line; ``method:`` names the class where it differs from the label.

    Raises:
        UserError: Unknown method, wrong task, unknown option or variant.
    """
    line = dict(line or {})
    cls = _check_role("method", str(line.get("method", label)), task, where)
    options = {key: value for key, value in line.items() if key not in _RESERVED}
    method = validated(cls, options, where, also=_RESERVED)
    known = getattr(cls, "variants", ("full",))
    variants = tuple(line.get("variants", ("full",)))
    for variant in variants:
        if variant not in known:
            raise UserError(f"{where}.variants: '{variant}' is not one of {', '.join(known)}{nearest(variant, known)}")
    changed = dict(line.get("training") or {})
    training = validated(Training, {**base.model_dump(), **changed}, f"{where}.training") if changed else base
    return MethodSettings(
        label=label,
        method=method,
        variants=variants,
        learned=hasattr(cls, "build"),
        training=training,
        options=method.model_dump() | {"method": cls.name},
    )


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


def load_effective(path: str | Path) -> Study:
    """Read a complete settings file (``config/default.yaml``, or the merged ``results/config.yaml``).

    Raises:
        UserError: If the file is missing, is not YAML, or does not validate.
    """
    return load_settings(read_yaml(path), str(path))


def read_yaml(path: str | Path) -> Any:
    """Read a small YAML file safely; aliases are refused so that a nested bomb cannot expand."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        if len(text) > 1_000_000:
            raise UserError(f"{path}: {len(text):,} characters; a settings file has at most 1,000,000")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise UserError(f"{path}: YAML aliases (*name) are not allowed in settings; write the value out")
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from None


def write_effective(settings: str, output: str | Path) -> None:
    """Validate merged settings given as JSON and write them as YAML, for the later commands to read."""
    try:
        mapping = json.loads(settings)
    except ValueError as error:
        raise UserError(f"--settings is not JSON: {error}") from None
    load_settings(mapping)
    write_text(output, yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True))


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings key by key, everything else replaced."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def kept(settings: Any) -> Any:
    """Settings without the tasks and methods that a study leaves out by setting them to null."""
    if not isinstance(settings, Mapping):
        return settings
    left = {key: kept(value) for key, value in settings.items()}
    for key in {"tasks", "methods"} & {key for key in left if isinstance(left[key], dict)}:
        left[key] = {name: value for name, value in left[key].items() if value is not None}
    return left


__all__ = [
    "TASK_NAMES",
    "MethodSettings",
    "Rendering",
    "Section",
    "Study",
    "TaskStudy",
    "Training",
    "kept",
    "load_effective",
    "load_settings",
    "merged",
    "method_of",
    "read_yaml",
    "validated",
    "write_effective",
]
