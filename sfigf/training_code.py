"""Digest of the code that a command runs, and what a training's checkpoints are called. Loads no torch."""

from __future__ import annotations

import functools
from typing import Any

from sfigf.codedigest import code_digest, entry_of
from sfigf.config import Study
from sfigf.plan import Run, method_settings
from sfigf.registry import lookup

NO_RESULT = (
    "sfigf:__version__",
    "sfigf.cards",
    "sfigf.config",
    "sfigf.devices",
    "sfigf.interface",
    "sfigf.plan",
    "sfigf.progress",
    "sfigf.registry",
    "sfigf.sections",
    "sfigf.tasks:TASKS",
    "sfigf.training_settings",
)
"""Code that cannot change a result: what it decides is in the settings digests, or is only shown."""


@functools.cache
def code_of(command: str, *definitions: Any) -> str:
    """Digest of the code of one command.

    Args:
        command: ``module:function`` below ``sfigf.cli``.
        definitions: The classes it looks up by name.
    """
    return code_digest(f"sfigf.cli.{command}", *map(entry_of, definitions), stop=NO_RESULT)


def training_code(study: Study, run: Run) -> str:
    """Digest of the code of one training: the loop, the method's own network, the metric that selects."""
    method: type = type(method_settings(study, run.task, run.method, run.condition).method)
    return code_of("learn:train", method, lookup("metric", study.part(run.task, run.condition).metrics[0]))


def checkpoint_name(run: Run, code: str) -> str:
    """Name of the folder of one training's checkpoints; other settings or other code begin in another one."""
    return f"{run.path.replace('/', '-')}-{run.digest}-{code}"
