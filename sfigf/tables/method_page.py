"""The list of all methods, for the terminal and as a page: written from the cards, never by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sfigf.catalogue import NO_NETWORK, SIDE_PX, Entry
from sfigf.tables.names import method_label, method_place, task_label

_KINDS = ("classical", "image-level", "feature-level", "both")
_INTRODUCTION = f"""\
# Methods

Every registered method; this page is written from their cards (`sfigf methods --markdown docs/methods.md`). A line
under `tasks.<task>.methods` of a settings file brings one into a study, `preset: as-published` in it trains as
published, where that is stated.

*Kinds.* Classical: nothing is trained. Image-level: the guide enters the image itself, by a kernel or a linear function
that is predicted for each place. Feature-level: features of both are fused. Both: SFIGF does the one and the other.

*Parameters* are those that training may change, *multiply-adds* those of convolutions, matrix products and attention,
per megapixel of output, counted on an image of {SIDE_PX}x{SIDE_PX} px at the published options. Sampling, sorting,
Fourier transforms and what is done pixel by pixel are not counted. Pan-sharpening is counted on four bands.

*Proven against*: what the tests hold the method against; where that is a released network, our output on the same input
is within 1e-5 of its range. The values themselves are not part of this repository."""


def method_list(entries: Iterable[Entry]) -> str:
    """Return the methods as text for a terminal: three lines each, those of a task under its title."""
    blocks = []
    for task, chosen in groupby(entries, lambda entry: entry.task):
        lines = [f"{task_label(task)}{'':4}(multiply-adds per megapixel{', four bands' if task == 'pan' else ''})"]
        for entry in in_order(chosen):
            lines += ["", f"  {entry.name:22} {entry.kind:14} {_costs(entry)}"]
            lines += [f"      source: {entry.source}", f"      proven against: {entry.proof or 'not stated'}"]
        blocks.append("\n".join(lines))
    return "\n\n\n".join(blocks)


def method_page(entries: Iterable[Entry]) -> str:
    """Return ``docs/methods.md``: per task a table of costs, then what there is to know of each method."""
    entries = list(entries)
    parts, told = [_INTRODUCTION], set[str]()
    for task, chosen in groupby(entries, lambda entry: entry.task):
        ordered = in_order(chosen)
        parts += [f"## {task_label(task)}", _table(ordered)]
        untold = [entry.name for entry in ordered if entry.name not in told]
        parts += [_section([entry for entry in entries if entry.name == name]) for name in untold]
        told.update(untold)
    return "\n\n".join(parts) + "\n"


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Classical ones first, SFIGF last, each kind from plain to elaborate."""
    return sorted(entries, key=lambda entry: (_KINDS.index(entry.kind), method_place(entry.name)))


def _table(entries: Sequence[Entry]) -> str:
    head = ["| Method | Name | Kind | Parameters | Multiply-adds per megapixel |", "| --- | --- | --- | ---: | ---: |"]
    rows = [
        f"| [{method_label(entry.name)}](#{entry.name}) | `{entry.name}` | {entry.kind} "
        f"| {_parameters(entry)} | {_multiply_adds(entry)} |"
        for entry in entries
    ]
    return "\n".join([*head, *rows])


def _section(entries: Sequence[Entry]) -> str:
    """What there is to know of one method, given its entries of all tasks."""
    entry = entries[0]
    facts = {
        "Source": entry.source,
        "Proven against": entry.proof or "not stated",
        "Published options": _settings(entry.options),
    }
    for each in entries:
        where = f" ({task_label(each.task).lower()})" if len(entries) > 1 else ""
        facts[f"Published training{where}"] = _settings(each.published)
    if entry.dead:
        facts["Dead"] = f"no gradient reaches {_names(entry.dead)}; kept as published"
    # The anchor is the name in settings, whatever a page makes of a heading.
    head = f'### <a id="{entry.name}"></a>{method_label(entry.name)}'
    listed = "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)
    return f"{head}\n\n{_plain(entry.text)}\n\n{listed}"


def _plain(text: str) -> str:
    """A docstring as Markdown: code between single ticks, attributes as a list, no source line."""
    text = re.sub(r"\n\nSource: .*", "", text, flags=re.DOTALL).replace("``", "`")
    text, _, attributes = text.partition("\n\nAttributes:\n")
    listed = "\n".join(f"- `{name}`: {what}" for name, what in re.findall(r"^ +(\w+): (.*)$", attributes, re.MULTILINE))
    return f"{text}\n\n{listed}" if listed else text


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}: {_value(value)}`" for name, value in settings.items())


def _value(value: Any) -> str:
    """As it stands in a settings file."""
    return value if isinstance(value, str) else json.dumps(value)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _parameters(entry: Entry) -> str:
    return "n/a" if entry.parameters is None else f"{entry.parameters:,}"


def _multiply_adds(entry: Entry) -> str:
    if entry.multiply_adds is not None:
        return f"{entry.multiply_adds / 1e9:,.1f} G"
    return "–" if entry.uncounted == NO_NETWORK else f"n/a ({entry.uncounted})"


def _costs(entry: Entry) -> str:
    if entry.uncounted == NO_NETWORK:
        return NO_NETWORK
    return f"{_parameters(entry):>12} parameters {_multiply_adds(entry):>12}"
