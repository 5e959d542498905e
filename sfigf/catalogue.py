"""Every registered method with its facts: what it is, what it costs, where it is from, what it was proven against."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping
from typing import Any

from sfigf.interface import Signature, UserError
from sfigf.registry import nearest, registered
from sfigf.training_settings import published_settings

SIGNATURES: dict[str, Signature] = {
    "depth": Signature(1, 3, 1),
    "pan": Signature(4, 1, 4),
    "focus": Signature(3, 3, 3),
    "raw": Signature(4, 4, 3, 2),
}
"""What a network of a task is counted on. Pan: four bands; with more, the first and last layers grow."""
SIDE_PX = 128
NO_NETWORK = "no network"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One method on one task.

    Attributes:
        name: What settings call it.
        task: One of its tasks.
        kind: ``image-level``, ``feature-level``, ``both`` or ``classical``.
        source: Paper and repository.
        proof: What it was proven against; empty where its card does not say.
        text: What the card says of the method, its first line first.
        options: The published options that are not our defaults.
        published: Published training settings that are not the study's, as far as they are stated.
        parameters: Of the published form, trained ones only; 0 without a network.
        multiply_adds: Per megapixel of output; None where they cannot be counted.
        uncounted: Why they cannot.
        dead: Beginnings of the names of parameters that no gradient reaches.
    """

    name: str
    task: str
    kind: str
    source: str
    proof: str
    text: str
    options: Mapping[str, Any]
    published: Mapping[str, Any]
    parameters: int | None = 0
    multiply_adds: float | None = None
    uncounted: str = NO_NETWORK
    dead: tuple[str, ...] = ()


def catalogue(task: str | None = None) -> list[Entry]:
    """Return an entry for every registered method and each of its tasks, by task and then by name.

    Raises:
        UserError: If there is no such task.
    """
    if task is not None and task not in SIGNATURES:
        raise UserError(f"no task '{task}'{nearest(task, SIGNATURES)}; there are {', '.join(SIGNATURES)}")
    chosen = SIGNATURES if task is None else [task]
    return [_entry(cls, name) for name in chosen for cls in registered("method").values() if name in cls.tasks]


@functools.cache
def _entry(cls: Any, task: str) -> Entry:
    options = getattr(cls, "published_options", {})
    facts = Entry(
        cls.name,
        task,
        cls.kind,
        cls.source,
        getattr(cls, "proof", ""),
        inspect.cleandoc(cls.__doc__ or ""),
        options,
        published_settings(cls, task) or {},
    )
    return dataclasses.replace(facts, **_counts(cls(**options), SIGNATURES[task])) if hasattr(cls, "build") else facts


def _counts(method: Any, signature: Signature) -> dict[str, Any]:
    from sfigf.nets.complexity import count_multiply_adds, count_parameters

    try:
        network = method.build(signature, "full")
    except UserError as error:
        return {"parameters": None, "uncounted": str(error)}
    counts = {"parameters": count_parameters(network), "dead": tuple(getattr(network, "dead", ()))}
    try:
        adds = count_multiply_adds(network, signature, SIDE_PX, SIDE_PX)
    except (RuntimeError, NotImplementedError, UserError) as error:
        return counts | {"uncounted": str(error).splitlines()[0]}
    return counts | {"multiply_adds": adds * 1e6 / (SIDE_PX * signature.upscale) ** 2, "uncounted": ""}
