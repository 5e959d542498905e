"""Protocols as code: how the field degrades, normalises, crops, scores and averages, one small object each."""

from __future__ import annotations

from collections.abc import Sequence

from sfigf.interface import UserError
from sfigf.protocols import depth, focus, pan, raw
from sfigf.protocols.model import Case, Protocol, Trap
from sfigf.registry import nearest

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol for protocol in (*depth.PROTOCOLS, *pan.PROTOCOLS, *focus.PROTOCOLS, *raw.PROTOCOLS)
}


def protocol(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises:
        UserError: If there is none of that name.
    """
    if name not in PROTOCOLS:
        raise UserError(f"unknown protocol '{name}'{nearest(name, PROTOCOLS)}; `sfigf protocols` lists all")
    return PROTOCOLS[name]


def check_protocols(
    task: str,
    names: Sequence[str],
    conditions: Sequence[str],
    tests: Sequence[str],
    metrics: Sequence[str],
    where: str,
) -> None:
    """Hold the protocols a study names against what it tests.

    Args:
        task: Task of the study.
        names: Protocols it names.
        conditions: Conditions it names them for.
        tests: Its test sets there, ``name`` or ``name:part``.
        metrics: Its metrics there.
        where: Place in the settings, for the message.

    Raises:
        UserError: Unknown protocol, one of another task, one that scores nothing the study tests, or a metric of it
            that the study does not compute.
    """
    for name in names:
        _check_reach(_of_task(name, task, where), conditions, tests, metrics, where)


def _of_task(name: str, task: str, where: str) -> Protocol:
    try:
        chosen = protocol(name)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if chosen.task != task:
        fitting = ", ".join(other.name for other in PROTOCOLS.values() if other.task == task)
        raise UserError(f"{where}: protocol '{name}' is for {chosen.task}, not {task}; {task} has: {fitting}")
    return chosen


def _check_reach(
    chosen: Protocol, conditions: Sequence[str], tests: Sequence[str], metrics: Sequence[str], where: str
) -> None:
    if not chosen.cases:
        raise UserError(f"{where}: protocol '{chosen.name}' cannot be scored here: {chosen.remark}")
    cases = [case for case in chosen.cases if set(case.conditions) & set(conditions) and case.tested_by(tests)]
    if not cases:
        needed = ", ".join(dict.fromkeys(test for case in chosen.cases for test in case.tests))
        raise UserError(
            f"{where}: protocol '{chosen.name}' scores nothing of this study; it needs a test set of {needed} "
            f"(of one with a part, no other part) under a condition of {', '.join(chosen.conditions)}"
        )
    missing = dict.fromkeys(metric for case in cases for metric in case.metrics if metric not in metrics)
    if missing:
        raise UserError(f"{where}: protocol '{chosen.name}' needs the metric {', '.join(missing)}; add it to metrics")


__all__ = ["PROTOCOLS", "Case", "Protocol", "Trap", "check_protocols", "protocol"]
