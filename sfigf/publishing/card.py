"""The card of a weight file: what it is, what it was trained and tested on, and what not to expect; all from facts."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfigf.cards import Card, load_card
from sfigf.config import TaskStudy
from sfigf.plan import Run
from sfigf.protocols import PROTOCOLS
from sfigf.published import Entry, Mean
from sfigf.publishing.limits import limits
from sfigf.publishing.log import events_of
from sfigf.publishing.rounding import Rounding
from sfigf.publishing.study import FinishedStudy
from sfigf.tables.names import (
    condition_label,
    count_text,
    dataset_label,
    method_label,
    metric_label,
    number_text,
    task_label,
)
from sfigf.weights import read_facts

if TYPE_CHECKING:
    from sfigf.publishing import Publisher

_USE = {
    "depth": "--target coarse.tif --guide photo.png --output depth.tif",
    "pan": "--target bands.tif --guide pan.tif --peak 5000 --output sharp.tif",
    "focus": "--target near.jpg --guide far.jpg --output sharp.png",
    "raw": "--target frame.dng --guide mono.tif --ratio 100 --output photo.tif",
}


def card_text(study: FinishedStudy, run: Run, entry: Entry, rounding: Rounding | None, publisher: Publisher) -> str:
    """Return the card of one published file, as Markdown; equal facts give equal text."""
    facts, part = read_facts(study.weights(run)), study.settings.part(run.task, run.condition)
    sections = {
        "Use": _use(entry, publisher.folder.name),
        "Scores": _scores(entry) + _rounded(rounding, publisher.bound),
        "Protocol": "\n".join(_protocol(part)),
        "Data": "\n".join(_data(part, publisher.cards)),
        "Training": "\n".join(_training(facts, study.log(run))),
        "Limits": "\n".join(f"- {limit}" for limit in limits(study, run, facts, entry)),
        "Provenance": "\n".join(_provenance(facts, entry, publisher.commit)),
    }
    head = (
        f"# {method_label(run.method, run.variant)}, {task_label(run.task).lower()}, {condition_label(run.condition)}"
    )
    about = (
        f"Study `{study.name}` ({study.settings.title}), seed {run.seed}. {entry.parameters:,} parameters, "
        f"{entry.multiply_adds_per_megapixel / 1e9:.4g} billion multiply-adds per megapixel of output, "
        f"{entry.bytes:,} bytes of {entry.floats}. Written by `sfigf publish`; do not edit."
    )
    return "\n\n".join([head, about, *(f"## {name}\n\n{text}" for name, text in sections.items())]) + "\n"


def _use(entry: Entry, folder: str) -> str:
    if entry.condition == "red-oracle":
        return "Not on images of your own: the guide was taken from the truth, which no camera has."
    return (
        "```bash\n"
        f"sfigf restore --task {entry.task} {_USE[entry.task]} \\\n  --weights {folder}/{entry.path}\n"
        "```\n\nWhat each image must hold: `docs/restore.md`."
    )


def _scores(entry: Entry) -> str:
    """A row per metric and test set: of sets of different units no mean is taken."""
    rows = [
        f"| {dataset_label(mean.dataset)} | {mean.images} | "
        f"{metric_label(mean.metric, mean.unit, mean.higher_is_better)} | {number_text(mean.value)} |"
        for mean in entry.metrics
    ]
    return "\n".join(["| Test set | Images | Metric | Mean |", "|---|---:|---|---:|", *rows])


def _rounded(rounding: Rounding | None, bound: float) -> str:
    if rounding is None:
        return ""
    told = "; ".join(
        f"{dataset_label(one.dataset)}, {count_text(one.images)}: {_plain(one)} as trained, {_plain(other)} as stored"
        for one, other in rounding.main
    )
    return (
        f"\n\nStored in bfloat16, scored as stored. {metric_label(rounding.before[0].metric)} on {told}. The largest "
        f"loss is {max(rounding.loss, 0):.3%}, {bound:.2%} is allowed."
    )


def _plain(mean: Mean) -> str:
    unit = f" {mean.unit}" if mean.unit not in ("", "1") else ""
    return f"{mean.value:.6g}{unit}"


def _protocol(part: TaskStudy) -> Iterator[str]:
    if not part.protocols:
        yield "None of the field's: the study's own condition and metrics."
    for name in part.protocols:
        protocol = PROTOCOLS[name]
        yield f"- **{name}**, {protocol.title}. Input: {protocol.degradation}. Crop: {protocol.crop}."


def _data(part: TaskStudy, cards: Path) -> Iterator[str]:
    for role, selections in (("Trained on", part.train), ("Chosen on", part.validation), ("Tested on", part.test)):
        for selection in selections:
            yield f"- {role} `{selection}`: {_described(selection, cards)}"
    if part.soft_edges_px:
        least, most = part.soft_edges_px
        yield f"- Maps trained and chosen on were blurred first, by {least:g} to {most:g} px, as soft as real ones."


def _described(selection: str, cards: Path) -> str:
    card: Card = load_card(cards / f"{selection.partition(':')[0]}.yaml")
    return f"{card.title}. Licence: {card.licence}. {' '.join(card.citation.split())}".rstrip(". ") + "."


def _training(facts: dict[str, Any], log: Path) -> Iterator[str]:
    training = facts["training"]
    steps, batch, patch = (training[key] for key in ("steps", "batch_size", "patch_px"))
    yield f"- Budget: {steps:,} steps of {batch} patches, {patch} px wide: {steps * batch:,} patches."
    for device, seconds in _spent(log).items():
        yield f"- Time: {_duration(seconds)} on {device}."
    chosen = "; ".join(f"{name} {value:.6g}" for name, value in facts.get("validation", {}).items())
    step, part = facts.get("selected_step", steps), facts.get("selected_on", "validation")
    yield f"- Chosen: step {step:,}, on the {part} part" + (f" ({chosen})." if chosen else ".")
    options = ", ".join(f"{name} {_word(value)}" for name, value in facts["options"].items() if name != "method")
    yield f"- Network: {facts['method']}, variant {facts['variant']}" + (f"; {options}." if options else ".")
    yield f"- Settings: {', '.join(f'{name} {_word(value)}' for name, value in sorted(training.items()))}."


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_word(inner)}" for key, inner in value.items()) + ")"
    return json.dumps(value) if isinstance(value, list | bool) or value is None else str(value)


def _spent(log: Path) -> dict[str, float]:
    """Seconds of the training, by what it ran on; the last word of the log counts."""
    ended = (event for event in events_of(log) if {"device", "seconds"} <= event.keys())
    return {str(event["device"]): float(event["seconds"]) for event in ended}


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{max(1, round(seconds / 60))} min"


def _provenance(facts: dict[str, Any], entry: Entry, commit: str) -> Iterator[str]:
    digests = {"settings": facts["config_digest"], **{f"{k} data": v for k, v in facts["data_digest"].items()}}
    yield f"- sha256 of the file: `{entry.sha256}`"
    for name, value in digests.items():
        yield f"- Digest of the {name}: `{value}`"
    yield f"- Trained with {', '.join(f'{name} {version}' for name, version in sorted(facts['versions'].items()))}"
    yield f"- Published at commit `{commit}`, on {platform.system()} {platform.machine()}"
    yield f"- Seed: {facts['seed']}"
    yield f"- Licence: {facts['licence']}"
