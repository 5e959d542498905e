"""From settings to runs: what is restored by what, and the digest of everything that changes its result."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sfigf.config import MethodSettings, Study, TaskStudy, method_of
from sfigf.interface import UserError
from sfigf.registry import nearest


@dataclasses.dataclass(frozen=True)
class Run:
    """One method, in one variant, on one condition of one task, from one seed."""

    task: str
    condition: str
    method: str
    variant: str
    seed: int
    learned: bool
    digest: str

    @property
    def path(self) -> str:
        """``depth/x8/sfigf/full/seed0``: reads as a sentence, names every file of the run."""
        return f"{self.task}/{self.condition}/{self.method}/{self.variant}/seed{self.seed}"


def runs(study: Study) -> list[Run]:
    """All runs of a study; a method without weights runs once, whatever the seeds."""
    made_by = functools.partial(digest_of_run, strict=study.strict)
    return [
        Run(task, condition, label, variant, seed, line.learned, made_by(part, line, variant, seed))
        for task, condition, part in study.parts()
        for label in part.methods
        for line in [_line(part, task, label)]
        for variant in line.variants
        for seed in (study.seeds if line.learned else [0])
    ]


def method_settings(study: Study, task: str, label: str, condition: str | None = None) -> MethodSettings:
    """Return the validated line of one method under one condition; None where all conditions are alike.

    Raises:
        UserError: If the study has no such task, condition or method line.
    """
    part = study.part(task, condition)
    if label not in part.methods:
        raise UserError(f"study '{study.study}' has no method '{label}' for {task}{nearest(label, part.methods)}")
    return _line(part, task, label)


def _line(part: TaskStudy, task: str, label: str) -> MethodSettings:
    return method_of(label, part.methods[label], part.training, task, f"tasks.{task}.methods.{label}")


def digest_of_run(part: TaskStudy, settings: MethodSettings, variant: str, seed: int, *, strict: bool = False) -> str:
    """Digest of the settings that change a run's result; display keys and other tasks are left out.

    Args:
        part: ``study.part(task, condition)``.
        settings: The method's line.
        variant: Variant of the method.
        seed: Seed of the training.
        strict: Whether only deterministic algorithms may be used.
    """
    facts: dict[str, Any] = {"options": settings.options, "variant": variant}
    if settings.learned:
        facts |= {"training": settings.training.model_dump(), "seed": seed, "metric": part.metrics[0]}
        if settings.training.released("selection"):
            facts |= {"selected_on": part.test[0]}
        if strict:
            facts |= {"strict": True}
    return digest(facts)


def digest_of_data(study: Study, task: str, part: str, condition: str | None = None) -> str:
    """Digest of the settings that change a degraded set (``part``: train, validation or test)."""
    settings = study.part(task, condition)
    draws = settings.train_draws if part == "train" else 1
    facts: dict[str, Any] = {"select": getattr(settings, part), "crop_px": settings.crop_px, "draws": draws}
    if part != "test" and settings.soft_edges_px:
        facts |= {"soft_edges_px": settings.soft_edges_px}
    return digest(facts)


def digest(facts: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of the sha256 of canonical JSON."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
