"""The card of a protocol, and the page of all of them: written from the objects, never by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sfigf.protocols import PROTOCOLS, Case, Protocol, Trap
from sfigf.protocols import protocol as get_protocol
from sfigf.tables.names import condition_label, dataset_label, metric_label, task_label

_INTRODUCTION = """\
# Protocols

The same map, method and data set give another number under another kernel, border, unit or metric code. A *protocol*
fixes all of these. Each one is a small object in `sfigf/protocols`, this page is written from them
(`sfigf protocols --markdown docs/protocols.md`), and a study names the ones it scores under `tasks.<task>.protocols`.

Where a protocol says what plain interpolation must give, `sfigf self-test` holds a run against it before any table is
made; a difference ends the run."""

_NOT_COMPARABLE = """\
## What is not comparable

- **Two depth protocols with one another.** Kernel, crop and 8-bit rounding each move plain bicubic, by the sizes above.
  Only rows of one protocol stand side by side.
- **A mean over data sets of two units.** Levels of 8-bit disparity and centimetres have no common mean.
- **Networks trained on other data.** Our learned methods in the studies `mini` and `benchmark` are trained on rendered
  scenes and Sentinel-2, the published ones on the field's training sets. A difference speaks of both.
- **Weights chosen on the test images.** The released SFIGF code keeps the epoch that scores best on the images it then
  reports (Real-MFF, PanCollection WV3), and its SSIM is zero-padded. Such numbers are kind to themselves.
- **The released pan-sharpening networks** for WV2, WV3, WV4 and QB: trained on the authors' closed data, not on
  PanCollection.
- **A simulated panchromatic band.** Of Sentinel-2 it is a fixed mix of the bands plus noise; a network can invert that.
- **No-reference indices as a ranking.** Noise can raise HQNR; Q_Y and Q_C can be undefined for a whole image.
- **Gray and per-channel fusion metrics**, and the "PSNR" of fusion toolboxes, which is none.
- **SSIM of the DBLE and RED papers.** It is scikit-image's default or MATLAB's; ours is Wang's.
- **An oracle guide.** `red-oracle` guides with a channel of the ground truth: a bound, not a method one could use. A
  published number on SID has no guide, so it is held against `mono-estimated` alone, guided by its input."""


def card(protocol: Protocol) -> str:
    """Return the card of a protocol: one small Markdown table."""
    lines = [f"| {name} | {text} |" for name, text in _facts(protocol)]
    return "\n".join([f"| Protocol `{protocol.name}` | {protocol.title} |", "| --- | --- |", *lines])


def caption(names: Iterable[str]) -> str:
    """Return the cards of some protocols as reStructuredText, for the captions of the report; "" for none."""
    return "\n\n".join(map(_caption, dict.fromkeys(names)))


def _caption(name: str) -> str:
    chosen = get_protocol(name)
    facts = "\n".join(f":{head}: {text}" for head, text in _facts(chosen))
    return f"**Protocol {name}: {chosen.title}**\n\n{facts}"


def _facts(protocol: Protocol) -> list[tuple[str, str]]:
    facts = [
        ("Degradation", protocol.degradation),
        ("Normalisation", protocol.normalisation),
        ("Crop", protocol.crop),
        ("Unit", protocol.unit),
        ("Metrics", "; ".join(map(_case_text, protocol.cases)) or "none here"),
        ("Averaging", protocol.averaging),
        ("Source", protocol.source),
        ("Remark", protocol.remark),
    ]
    return [(head, text) for head, text in facts if text]


def protocol_page() -> str:
    """Return ``docs/protocols.md``: every protocol, every trap with its measured size, and what is not comparable."""
    parts = [_INTRODUCTION]
    for task, protocols in _by_task().items():
        parts.append(f"## {task_label(task)}")
        parts += [f"### `{protocol.name}`\n\n{card(protocol)}" for protocol in protocols]
        parts.append(f"### Traps: {task_label(task).lower()}\n\n{_trap_table(protocols)}")
    return "\n\n".join([*parts, _NOT_COMPARABLE]) + "\n"


def _by_task() -> dict[str, list[Protocol]]:
    tasks: dict[str, list[Protocol]] = {}
    for protocol in PROTOCOLS.values():
        tasks.setdefault(protocol.task, []).append(protocol)
    return tasks


def _case_text(case: Case) -> str:
    metrics, tests = ", ".join(map(metric_label, case.metrics)), ", ".join(map(_test_text, case.tests))
    return f"{metrics} on {tests} under {', '.join(map(condition_label, case.conditions))}"


def _test_text(test: str) -> str:
    name, _, part = test.partition(":")
    return dataset_label(name) + (f" ({part})" if part else "")


def _trap_table(protocols: Sequence[Protocol]) -> str:
    """Every trap once, with the protocols it threatens."""
    traps: dict[Trap, list[str]] = {}
    for protocol in protocols:
        for trap in protocol.traps:
            traps.setdefault(trap, []).append(f"`{protocol.name}`")
    who = {trap: "all" if len(names) == len(protocols) else ", ".join(names) for trap, names in traps.items()}
    lines = [f"| {trap.what} | {trap.effect} | {who[trap]} | {trap.source} |" for trap in traps]
    return "\n".join(["| Trap | Measured effect | Protocols | Source |", "| --- | --- | --- | --- |", *lines])
