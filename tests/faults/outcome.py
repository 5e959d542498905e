"""What became of an injected fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

_Case = TypeVar("_Case")


@dataclasses.dataclass(frozen=True)
class Strike:
    """A fault that was tried: whether it struck, where, and whether what it struck could still tidy up and speak."""

    struck: bool
    where: str
    tidy: bool = False
    complaints: tuple[str, ...] = ()


def struck_by(fault: Callable[[_Case], Strike], case: _Case) -> Strike:
    """Strike; what hangs has lost something, and does not end the count."""
    try:
        return fault(case)
    except TimeoutError as hang:
        return Strike(True, "", False, (f"hangs: {hang}",))


def in_time(complaints: Iterator[str]) -> Iterator[str]:
    """Complaints, and one more if looking for them hangs."""
    try:
        yield from complaints
    except TimeoutError as hang:
        yield f"hangs: {hang}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One injected fault.

    Attributes:
        subject: The command, or ``workflow``.
        fault: Kind of the fault.
        seed: What the moment was drawn from; the same seed draws it again.
        where: When it struck.
        losses: What was lost; empty if it was survived.
        left: Temporary files that are there after the same command has run again.
        seconds: Time of the whole trial.
    """

    subject: str
    fault: str
    seed: int
    where: str
    losses: tuple[str, ...]
    left: int
    seconds: float

    @property
    def line(self) -> str:
        """One line for the terminal."""
        end = f"LOST  {'; '.join(self.losses)}" if self.losses else "survived"
        return f"{self.subject:20} {self.fault:32} {self.where:34} seed {self.seed:<6} {self.seconds:5.1f} s  {end}"


def markdown(outcomes: Sequence[Outcome], about: str) -> str:
    """Tables of faults and of subjects: injected, survived, lost."""
    parts = [about]
    for title, of in (("fault", lambda o: o.fault), ("subject", lambda o: o.subject)):
        rows = [_row(name, [o for o in outcomes if of(o) == name]) for name in dict.fromkeys(map(of, outcomes))]
        head = f"| {title} | injected | survived | lost | files left | seconds |\n|---|---:|---:|---:|---:|---:|"
        parts.append("\n".join([head, *sorted(rows), _row("**all**", outcomes)]))
    lost = [
        f"- `{o.subject}`, {o.fault}, {o.where}, seed {o.seed}: {'; '.join(o.losses)}" for o in outcomes if o.losses
    ]
    return "\n\n".join([*parts, *(["Lost:\n\n" + "\n".join(lost)] if lost else [])]) + "\n"


def _row(name: str, outcomes: Iterable[Outcome]) -> str:
    chosen = list(outcomes)
    lost = sum(bool(outcome.losses) for outcome in chosen)
    left, seconds = sum(outcome.left for outcome in chosen), sum(outcome.seconds for outcome in chosen)
    return f"| {name} | {len(chosen)} | {len(chosen) - lost} | {lost} | {left} | {seconds:.0f} |"
