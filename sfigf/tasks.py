"""The four tasks: their conditions, degradations, signatures and names. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sfigf.interface import Degradation, Sample, Signature, TaskName, UserError
from sfigf.registry import nearest


@dataclasses.dataclass(frozen=True)
class Task:
    """What is fixed about a task, whatever the study."""

    name: TaskName
    title: str
    conditions: dict[str, Callable[[], Degradation]]
    about: str


def _depth(factor: int) -> Callable[[], Degradation]:
    def build() -> Degradation:
        from sfigf.degrade.depth import DepthSuperResolution

        return DepthSuperResolution(factor)

    return build


def _pan() -> Degradation:
    from sfigf.degrade.pan import WaldProtocol

    return WaldProtocol(ratio=4)


def _focus() -> Degradation:
    from sfigf.degrade.focus import ThinLensDefocus

    return ThinLensDefocus()


def _raw(guide: Any) -> Callable[[], Degradation]:
    def build() -> Degradation:
        from sfigf.degrade.raw import LowLightRaw

        return LowLightRaw(guide=guide)

    return build


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "depth",
            "Guided depth super-resolution",
            {"x4": _depth(4), "x8": _depth(8), "x16": _depth(16)},
            "a low-resolution disparity map, guided by a sharp colour image",
        ),
        Task("pan", "Pan-sharpening", {"x4": _pan}, "coarse spectral bands, guided by a sharp panchromatic band"),
        Task("focus", "Multi-focus fusion", {"thin-lens": _focus}, "two photographs focused at different distances"),
        Task(
            "raw",
            "Low-light raw restoration",
            {"mono": _raw("mono"), "red-oracle": _raw("red-oracle")},
            "a dark noisy Bayer raw, guided by a cleaner image of the same scene",
        ),
    )
}


def check_condition(task: str, condition: str, where: str) -> None:
    """Raise UserError unless the task has the condition."""
    known = TASKS[task].conditions
    if condition not in known:
        raise UserError(
            f"{where}: unknown condition '{condition}'{nearest(condition, known)}; {task} has {', '.join(known)}"
        )


def degradation(task: str, condition: str) -> Degradation:
    """Return the forward model of a task and condition."""
    check_condition(task, condition, f"task {task}")
    return TASKS[task].conditions[condition]()


def signature(task: str, sample: Sample) -> Signature:
    """Return channel counts and magnification, read off a sample."""
    target, guide = sample.target.shape[0], sample.guide.shape[0]
    return Signature(target, guide, 3, 2) if task == "raw" else Signature(target, guide, target, 1)
