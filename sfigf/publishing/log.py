"""A training log small enough to travel: the curve stays, single steps go."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from sfigf.interface import UserError

MOST_LINES = 400


def events_of(log: str | Path) -> list[dict[str, Any]]:
    """Read the events of a training log.

    Raises:
        UserError: If it is no file of JSON objects, or a step has no loss.
    """
    try:
        if not Path(log).is_file():
            raise OSError("no such file")
        events = [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines() if line.strip()]
        if not all(isinstance(event, dict) for event in events):
            raise ValueError("a line is no JSON object")
        losses = [event["loss"] for event in events if event.get("event") == "train"]
        if odd := [loss for loss in losses if not isinstance(loss, float | int)]:
            raise ValueError(f"a loss is {odd[0]!r:.50}, no number")
        math.fsum(losses)
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise UserError(f"{log}: not a readable training log ({error}); train again") from None
    return events


def thinned(log: str | Path, most: int = MOST_LINES) -> str:
    """Return a JSON-lines log in which at most ``most`` lines speak of training steps, each with the mean of its group.

    The last step of a group stands for it; every other event stays as it is.
    """
    events = events_of(log)
    steps = sum(event.get("event") == "train" for event in events)
    size = max(1, math.ceil(steps / most))
    kept: list[dict[str, Any]] = []
    group: list[float] = []
    for event in events:
        if event.get("event") != "train":
            kept.append(event)
            continue
        group.append(event["loss"])
        steps -= 1
        if len(group) == size or steps == 0:
            kept.append(event | {"loss": math.fsum(group) / len(group)})
            group = []
    return "".join(json.dumps(event) + "\n" for event in kept)
