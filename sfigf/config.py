"""The settings of a study, validated: an unknown key fails at once and the nearest valid key is named.

``config/default.yaml`` holds every key with a comment; other files hold only differences. Snakemake merges them and
hands the mapping to ``load_settings``; the command line reads the merged file with ``load_effective``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sfigf.files import write_text
from sfigf.interface import TASK_NAMES, TaskName, UserError
from sfigf.mirrors import folders_only
from sfigf.registry import load_plugins, lookup, nearest, registered
from sfigf.robustness.settings import Robustness
from sfigf.sections import Place, Section, kept, merged, validated
from sfigf.small_files import check_plain, one_line, read_strict_yaml, read_yaml
from sfigf.tasks import check_condition, check_soft_edges
from sfigf.training_settings import Training, check_loss, preset_settings, settled

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Px = Annotated[float, Field(ge=0, le=4)]
Dotted = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]


class Rendering(Section):
    """Procedural RGB-D scenes: how many, how large, from which seed."""

    seed: int = Field(ge=0)
    train_scenes: int = Field(ge=1)
    validation_scenes: int = Field(ge=1)
    height_px: int = Field(ge=48)
    width_px: int = Field(ge=48)
    shards: int = Field(ge=1)
    textures: Slug | None = None


class ConditionStudy(Section):
    """What one condition of a task does otherwise: given lists and methods take the place of the task's.

    ``training`` holds changes only.
    """

    train: list[str] | None = Field(default=None, min_length=1)
    validation: list[str] | None = Field(default=None, min_length=1)
    test: list[str] | None = Field(default=None, min_length=1)
    metrics: list[Slug] | None = Field(default=None, min_length=1)
    protocols: list[Dotted] | None = None
    crop_px: int | None = Field(default=None, ge=16)
    train_draws: int | None = Field(default=None, ge=1)
    soft_edges_px: tuple[_Px, _Px] | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    methods: dict[Slug, dict[str, Any]] | None = Field(default=None, min_length=1)


class TaskStudy(Section):
    """One task: what is trained on, what is tested on, which methods and metrics."""

    conditions: list[Slug] = Field(min_length=1)
    train: list[str] = Field(min_length=1)
    validation: list[str] = Field(min_length=1)
    test: list[str] = Field(min_length=1)
    metrics: list[Slug] = Field(min_length=1)
    protocols: list[Dotted] = Field(default_factory=list)
    crop_px: int | None = Field(default=None, ge=16)
    train_draws: int = Field(default=1, ge=1)
    soft_edges_px: tuple[_Px, _Px] | None = None
    training: Training
    methods: dict[Slug, dict[str, Any]] = Field(min_length=1)
    per_condition: dict[Slug, ConditionStudy] = Field(default_factory=dict)

    def part(self, condition: str, where: str) -> TaskStudy:
        """The settings under one condition: those of the task, changed by ``per_condition``."""
        if condition not in self.per_condition:
            return self
        given = self.per_condition[condition].model_dump(exclude_unset=True)
        changes = {k: value for k, value in given.items() if value is not None or k in ("crop_px", "soft_edges_px")}
        changed = merged(self.training.model_dump(), changes.pop("training", {}))
        training = validated(Training, changed, f"{where}.per_condition.{condition}.training")
        return self.model_copy(update={**changes, "training": training})


class Study(Section):
    """Everything a study is: the whole settings file."""

    study: Slug
    title: str
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    weights: Literal["trained", "published"]
    plugins: list[Place]
    rules: list[Place]
    data_mirrors: Annotated[list[Place], BeforeValidator(folders_only)]
    strict: bool = False
    rendering: Rendering
    tasks: dict[TaskName, TaskStudy] = Field(min_length=1)
    robustness: Robustness | None = None
    show: dict[str, Any] = Field(default_factory=dict)

    def part(self, task: str, condition: str | None = None) -> TaskStudy:
        """Data, metrics, training and methods of a task under one condition; None where all conditions are alike.

        Raises:
            UserError: If the study has no such task or condition, or the conditions differ and none is named.
        """
        if task not in self.tasks:
            raise UserError(f"study '{self.study}' has no task '{task}'; it has {', '.join(self.tasks)}")
        study = self.tasks[task]  # type: ignore[index]
        if condition is None and not study.per_condition:
            return study
        if condition not in study.conditions:
            raise UserError(f"study '{self.study}' has no {task} {condition}; it has {', '.join(study.conditions)}")
        return study.part(condition, f"tasks.{task}")

    def parts(self) -> Iterator[tuple[TaskName, str, TaskStudy]]:
        """Every task and condition with its settings."""
        for task, study in self.tasks.items():
            for condition in study.conditions:
                yield task, condition, self.part(task, condition)


def load_settings(settings: Mapping[str, Any], origin: str = "config") -> Study:
    """Validate merged settings, plug-ins and every method's own options.

    Raises:
        UserError: One line that names the key, what is wrong with it, and the nearest valid key.
    """
    check_plain(settings, origin)
    study = validated(Study, settings, origin)
    load_plugins(study.plugins)
    try:
        _check_study(study, origin)
    except UserError as error:  # it may quote what the settings say
        raise UserError(one_line(str(error))) from None
    return study


def _check_study(study: Study, origin: str) -> None:
    _check_once(study.seeds, f"{origin}: seeds")
    if study.rendering.textures is not None:
        lookup("dataset", study.rendering.textures)
    for task, settings_of_task in study.tasks.items():
        _check_task(task, settings_of_task, f"{origin}: tasks.{task}")


def _check_once(values: Sequence[Any], where: str) -> None:
    """Refuse a value that is listed twice: it would be run, averaged or written twice."""
    seen: list[Any] = []
    for value in values:
        if value in seen:
            raise UserError(f"{where}: '{value}' is listed twice; name it once")
        seen.append(value)


def _check_task(task: str, study: TaskStudy, where: str) -> None:
    for condition in study.per_condition:
        if condition not in study.conditions:
            known = f"{nearest(condition, study.conditions)}; conditions are {', '.join(study.conditions)}"
            raise UserError(f"{where}.per_condition: '{condition}' is not run{known}")
    _check_once(study.conditions, f"{where}.conditions")
    for condition in study.conditions:
        check_condition(task, condition, where)
    alike = [condition for condition in study.conditions if condition not in study.per_condition]
    if alike:
        _check_part(task, study, alike, where)
    for condition in study.per_condition:
        _check_part(task, study.part(condition, where), [condition], f"{where}.per_condition.{condition}")


def _check_part(task: str, part: TaskStudy, conditions: list[str], where: str) -> None:
    from sfigf.protocols import check_protocols

    for name in ("train", "validation", "test", "metrics", "protocols"):
        _check_once(getattr(part, name), f"{where}.{name}")
    for metric in part.metrics:
        _check_role("metric", metric, task, f"{where}.metrics")
    for selection in [*part.train, *part.validation, *part.test]:
        lookup("dataset", selection.partition(":")[0])
    check_protocols(task, part.protocols, conditions, part.test, part.metrics, f"{where}.protocols")
    check_soft_edges(task, part.soft_edges_px, f"{where}.soft_edges_px")
    settled(part.training, task, f"{where}.training")
    for label, options in part.methods.items():
        method_of(label, options, part.training, task, f"{where}.methods.{label}")


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


_RESERVED = ("method", "variants", "preset", "training")


def method_of(label: str, line: Mapping[str, Any] | None, base: Training, task: str, where: str) -> MethodSettings:
    """Build a method from its config line; ``method:`` names the class where it differs from the label.

    ``preset: as-published`` takes the training that the method's card states over the task's; single keys of the line's
    own ``training`` come on top.

    Raises:
        UserError: Unknown method, wrong task, unknown option, variant or preset, or a loss that cannot train it.
    """
    if line is not None and not isinstance(line, Mapping):
        raise UserError(f"{where}: expected a mapping of options to values, got {type(line).__name__}")
    line = dict(line or {})
    cls = _check_role("method", str(line.get("method", label)), task, where)
    options = {key: value for key, value in line.items() if key not in _RESERVED}
    method = validated(cls, options, where, also=_RESERVED)
    start = preset_settings(cls, line.get("preset", "common"), base, task, where)
    changes = line.get("training")
    if changes is not None and not isinstance(changes, Mapping):
        raise UserError(f"{where}.training: expected a mapping of keys to values, got {type(changes).__name__}")
    training = settled(
        validated(Training, merged(start, changes or {}), f"{where}.training"), task, f"{where}.training"
    )
    check_loss(cls, training, f"{where}.training")
    return MethodSettings(
        label=label,
        method=method,
        variants=_variants(line.get("variants", ["full"]), cls, f"{where}.variants"),
        learned=hasattr(cls, "build"),
        training=training,
        options=method.model_dump() | {"method": cls.name},
    )


def _variants(given: Any, method: Any, where: str) -> tuple[str, ...]:
    known = getattr(method, "variants", ("full",))
    if not isinstance(given, list | tuple) or not given:
        raise UserError(f"{where}: expected a list of one or more of {', '.join(known)}, got {given!r}")
    for variant in given:
        if variant not in known:
            raise UserError(f"{where}: '{variant}' is not one of {', '.join(known)}{nearest(str(variant), known)}")
    _check_once(given, where)
    return tuple(given)


def load_effective(path: str | Path) -> Study:
    """Read a complete settings file (``config/default.yaml``, or the merged ``results/config.yaml``).

    Raises:
        UserError: If the file is missing, is not YAML, or does not validate.
    """
    return load_settings(read_strict_yaml(path), str(path))


def write_effective(settings: str, output: str | Path) -> None:
    """Validate merged settings given as JSON and write them as YAML, for the later commands to read."""
    try:
        mapping = json.loads(settings)
    except (ValueError, RecursionError) as error:
        raise UserError(one_line(f"--settings is not JSON: {error}")) from None
    load_settings(mapping)
    write_text(output, yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True))


__all__ = [
    "TASK_NAMES",
    "ConditionStudy",
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
    "read_strict_yaml",
    "read_yaml",
    "validated",
    "write_effective",
]
