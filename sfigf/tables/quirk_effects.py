"""What a difference from the released code is worth: pairs of trainings equal in all but one quirk, image by image."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import pandas as pd

from sfigf.config import MethodSettings, Study, method_of
from sfigf.tables.finished import Finished
from sfigf.tables.names import condition_label, count_text, dataset_label, metric_label, number_text, task_label
from sfigf.tables.render import plain_table
from sfigf.training_settings import RELEASED_COLOURS, TASKS_OF_QUIRK

_HEADS = (
    "Task",
    "Quirk",
    "Metric",
    "Images",
    "Corrected",
    "As released",
    "Difference",
    "Seeds alone",
    "Better released",
)
_IMAGE_HEADS = ("Task", "Quirk", "Metric", "Image", "Corrected", "As released", "Difference", "Seeds alone")


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two lines of a study, equal but for the quirks that ``released`` has on."""

    task: str
    condition: str
    quirks: tuple[str, ...]
    corrected: str
    released: str

    @property
    def name(self) -> str:
        """The quirks in one word."""
        return " and ".join(f"`{quirk}`" for quirk in self.quirks)


@dataclasses.dataclass(frozen=True)
class Effect:
    """The main metric of a pair on the test images.

    Attributes:
        pair: The two lines.
        metric: Name of the metric.
        unit: Its unit.
        higher_is_better: Its direction.
        values: One row per image, by data set and name: ``corrected``, ``released``, means over seeds, and ``seeds``,
            how far the seeds of the corrected line lie apart there (NaN for one seed).
        seeds_apart: How far their means over the images lie apart; NaN for one seed.
        chose: The data set whose images chose the released weights; empty for none.
    """

    pair: Pair
    metric: str
    unit: str
    higher_is_better: bool
    values: pd.DataFrame
    seeds_apart: float
    chose: str

    @property
    def difference(self) -> float:
        """Released less corrected, in the mean over the images."""
        return float((self.values["released"] - self.values["corrected"]).mean())

    @property
    def better_released(self) -> int:
        """On how many images the released training is better."""
        gain = self.values["released"] - self.values["corrected"]
        return int((gain > 0).sum() if self.higher_is_better else (gain < 0).sum())

    @property
    def sentence(self) -> str:
        """What the numbers allow one to say."""
        worse = (self.difference < 0) == self.higher_is_better
        verdict = "the same" if self.difference == 0 else f"{'worse' if worse else 'better'} by {self._amount}"
        images = f"{self.better_released} of {count_text(len(self.values))}"
        chosen = f" The images of {dataset_label(self.chose)} chose the released weights." if self.chose else ""
        return (
            f"- {task_label(self.pair.task)}, {self.pair.name} as released: {verdict} in the mean, better on {images}. "
            f"{self._yardstick}{chosen}"
        )

    @property
    def _amount(self) -> str:
        corrected = float(self.values["corrected"].mean())
        share = abs(self.difference / corrected) * 100 if corrected else math.nan
        relative = "" if self.unit == "dB" or math.isnan(share) else f" ({share:.2g} %)"
        return number_text(abs(self.difference), self.unit) + relative

    @property
    def _yardstick(self) -> str:
        if math.isnan(self.seeds_apart):
            return "One seed: the difference may be chance."
        apart = number_text(self.seeds_apart, self.unit)
        if abs(self.difference) <= self.seeds_apart:
            return f"The means of the corrected seeds lie {apart} apart, so this may be chance."
        return f"That is more than the {apart} that the means of the corrected seeds lie apart."


def pairs(study: Study) -> list[Pair]:
    """Find the lines of a study that have quirks on and a partner that is equal without them."""
    return [pair for task, condition, _ in study.parts() for pair in _pairs(study, task, condition)]


def _pairs(study: Study, task: str, condition: str) -> Iterator[Pair]:
    part = study.part(task, condition)
    lines = [method_of(label, line, part.training, task, label) for label, line in part.methods.items()]
    plain = {_without_quirks(line): line.label for line in lines if line.learned and not _quirks(line)}
    for line in lines:
        partner = plain.get(_without_quirks(line)) if line.learned else None
        if partner and _quirks(line):
            yield Pair(task, condition, _quirks(line), partner, line.label)


def _quirks(line: MethodSettings) -> tuple[str, ...]:
    return tuple(quirk for quirk in TASKS_OF_QUIRK if line.training.released(quirk))


def _without_quirks(line: MethodSettings) -> str:
    """Everything that decides a training but its quirks."""
    training = line.training.model_dump(exclude={"quirks"})
    if training["encoding"] == RELEASED_COLOURS:  # what the colour quirk makes of `none`
        training["encoding"] = "none"
    return repr((line.options, line.variants, training))


def effects(finished: Finished) -> list[Effect]:
    """Return what each pair of a finished study came to, by the task's main metric, where there are scores."""
    scores = {task: finished.scores(task) for task in finished.tasks}
    found = [_effect(finished.study, pair, scores[pair.task]) for pair in pairs(finished.study) if pair.task in scores]
    return [effect for effect in found if effect is not None]


def _effect(study: Study, pair: Pair, scores: pd.DataFrame) -> Effect | None:
    part = study.part(pair.task, pair.condition)
    metric = part.metrics[0]
    rows = scores[
        (scores["condition"] == pair.condition) & (scores["metric"] == metric) & (scores["variant"] == "full")
    ]
    images = ["dataset", "image"]
    corrected, released = (
        rows[rows["method"] == label].pivot(index=images, columns="seed", values="value")
        for label in (pair.corrected, pair.released)
    )
    values = pd.DataFrame({"corrected": corrected.mean(axis=1), "released": released.mean(axis=1)})
    values = values.assign(seeds=_apart(corrected)).dropna(subset=["corrected", "released"])
    if values.empty:
        return None
    means = corrected.loc[values.index].mean().to_frame().T
    first = rows.iloc[0]
    chose = part.test[0].partition(":")[0] if "selection" in pair.quirks else ""
    return Effect(
        pair, metric, first["unit"], bool(first["higher_is_better"]), values, float(_apart(means).iloc[0]), chose
    )


def _apart(values: pd.DataFrame) -> pd.Series:
    """Largest less smallest of each row; NaN where there is one seed."""
    spread = values.max(axis=1) - values.min(axis=1)
    return spread if len(values.columns) > 1 else spread * math.nan


def effect_table(found: list[Effect]) -> str:
    """Return one line per pair: means over the images."""
    return plain_table(_HEADS, map(_line, found))


def _line(effect: Effect) -> list[str]:
    means = effect.values[["corrected", "released"]].mean()
    texts = [*_head(effect), str(len(effect.values)), number_text(means["corrected"]), number_text(means["released"])]
    return [*texts, _signed(effect.difference), number_text(effect.seeds_apart), str(effect.better_released)]


def image_table(found: list[Effect]) -> str:
    """Return one line per pair and image."""
    return plain_table(_IMAGE_HEADS, [line for effect in found for line in _image_lines(effect)])


def _image_lines(effect: Effect) -> Iterator[list[str]]:
    for image, row in zip(effect.values.index.get_level_values("image"), effect.values.itertuples(), strict=True):
        numbers = number_text(row.corrected), number_text(row.released), _signed(row.released - row.corrected)
        yield [*_head(effect), image, *numbers, number_text(row.seeds)]


def _head(effect: Effect) -> list[str]:
    where = f"{task_label(effect.pair.task)}, {condition_label(effect.pair.condition)}"
    return [where, effect.pair.name, metric_label(effect.metric, effect.unit, effect.higher_is_better)]


def _signed(value: float) -> str:
    text = number_text(value)
    return text if text.startswith("-") or text == "n/a" or not value else f"+{text}"
