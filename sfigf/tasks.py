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


def _depth(factor: int, **options: Any) -> Callable[[], Degradation]:
    def build() -> Degradation:
        from sfigf.degrade.depth import DepthSuperResolution

        return DepthSuperResolution(factor, **options)

    return build


def _pan() -> Degradation:
    from sfigf.degrade.pan import WaldProtocol

    return WaldProtocol(ratio=4)


def _sensor(sensor: str) -> Callable[[], Degradation]:
    def build() -> Degradation:
        from sfigf.degrade.pan_sensor import SensorProtocol

        return SensorProtocol(sensor)

    return build


def _real_pair() -> Degradation:
    from sfigf.degrade.focus_real import RealPair

    return RealPair()


def _mono_estimated() -> Degradation:
    from sfigf.degrade.raw_real import RealCapture

    return RealCapture(guide="mono-estimated")


def _focus() -> Degradation:
    from sfigf.degrade.focus import ThinLensDefocus

    return ThinLensDefocus()


def _raw(guide: Any) -> Callable[[], Degradation]:
    def build() -> Degradation:
        from sfigf.degrade.raw import LowLightRaw

        return LowLightRaw(guide=guide)

    return build


# How the coarse map is made: the field's three habits (GDSR-DCTNet and JIIF; SUFT and SGNet; the DJF family).
_DEPTH_LOWERINGS: dict[str, dict[str, Any]] = {
    "": {},
    "-uint8": {"quantised": True},
    "-nearest": {"sampling": "nearest-right-bottom"},
}

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "depth",
            "Guided depth super-resolution",
            {
                f"x{factor}{name}": _depth(factor, **options)
                for name, options in _DEPTH_LOWERINGS.items()
                for factor in (4, 8, 16)
            },
            "a low-resolution disparity map, guided by a sharp colour image",
        ),
        Task(
            "pan",
            "Pan-sharpening",
            {"x4": _pan, "worldview2": _sensor("worldview2"), "geoeye1": _sensor("geoeye1")},
            "coarse spectral bands, guided by a sharp panchromatic band",
        ),
        Task(
            "focus",
            "Multi-focus fusion",
            {"thin-lens": _focus, "real": _real_pair},
            "two photographs focused at different distances",
        ),
        Task(
            "raw",
            "Low-light raw restoration",
            {"mono": _raw("mono"), "red-oracle": _raw("red-oracle"), "mono-estimated": _mono_estimated},
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


def check_soft_edges(task: str, blur: tuple[float, float] | None, where: str) -> None:
    """Raise UserError unless there is no blur, or it is depth's and its least is not above its most."""
    if blur is not None and task != "depth":
        raise UserError(f"{where}: only depth has maps whose edges can be softened; leave it out")
    if blur is not None and blur[0] > blur[1]:
        raise UserError(f"{where}: [least, most], got [{blur[0]:g}, {blur[1]:g}]")


def degradation(task: str, condition: str, soft_edges: tuple[float, float] | None = None) -> Degradation:
    """Return the forward model of a task and condition; ``soft_edges`` is depth's, see ``DepthSuperResolution``."""
    check_condition(task, condition, f"task {task}")
    model: Any = TASKS[task].conditions[condition]()
    return dataclasses.replace(model, soft_edges=soft_edges) if soft_edges else model


def signature(task: str, sample: Sample) -> Signature:
    """Return channel counts and magnification, read off a sample."""
    target, guide = sample.target.shape[0], sample.guide.shape[0]
    return Signature(target, guide, 3, 2) if task == "raw" else Signature(target, guide, target, 1)
