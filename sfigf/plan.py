"""From settings to runs: what is restored by what, and the digest of everything that changes its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sfigf.config import MethodSettings, Study, method_of
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
    return [
        Run(task, condition, label, variant, seed, line.learned, digest_of_run(study, task, line, variant, seed))
        for task, condition, label, line in _lines(study)
        for variant in line.variants
        for seed in (study.seeds if line.learned else [0])
    ]


def _lines(study: Study) -> list[tuple[str, str, str, MethodSettings]]:
    return [
        (task, condition, label, method_settings(study, task, label))
        for task, part in study.tasks.items()
        for condition in part.conditions
        for label in part.methods
    ]


def method_settings(study: Study, task: str, label: str) -> MethodSettings:
    """Return the validated line of one method.

    Raises:
        UserError: If the study has no such task or method line.
    """
    if task not in study.tasks:
        raise UserError(f"study '{study.study}' has no task '{task}'; it has {', '.join(study.tasks)}")
    part = study.tasks[task]  # type: ignore[index]
    if label not in part.methods:
        raise UserError(f"study '{study.study}' has no method '{label}' for {task}{nearest(label, part.methods)}")
    return method_of(label, part.methods[label], part.training, task, f"tasks.{task}.methods.{label}")


def digest_of_run(study: Study, task: str, settings: MethodSettings, variant: str, seed: int) -> str:
    """Digest of the settings that change a run's result; display keys and other tasks are left out."""
    facts: dict[str, Any] = {"options": settings.options, "variant": variant}
    if settings.learned:
        facts |= {"training": settings.training.model_dump(), "seed": seed}
        facts |= {"metric": study.tasks[task].metrics[0]}  # type: ignore[index]
    return digest(facts)


def digest_of_data(study: Study, task: str, part: str) -> str:
    """Digest of the settings that change a degraded set (``part``: train, validation or test)."""
    settings = study.tasks[task]  # type: ignore[index]
    draws = settings.train_draws if part == "train" else 1
    return digest({"select": getattr(settings, part), "crop_px": settings.crop_px, "draws": draws})


def digest(facts: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of the sha256 of canonical JSON."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
