"""What the numbers say, in sentences computed from them: one page, and a nested JSON for ``dvc metrics``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sfigf.tables.names import (
    condition_label,
    count_text,
    dataset_label,
    method_label,
    metric_label,
    number_text,
    run_name,
    task_label,
)
from sfigf.tables.protocol import seed_warning
from sfigf.tables.render import Cell, markdown
from sfigf.tables.scores import six_digits
from sfigf.tables.summary import ALL, main_tables, per_image

OURS = ("sfigf", "full")
_GROUPS = {
    "Classical": ("classical",),
    "Learned baselines": ("image-level", "feature-level", "both"),
    "Ablations": ("ablation",),
}
_HEADS = ("Task", "Condition", "Metric", "Images", "Best classical", "Best learned baseline")
_INTRODUCTION = (
    "One row per task and condition: the mean of the main metric over the test images, which no method has seen in "
    "training. Best **bold**, second best <u>underlined</u>. Every sentence below is computed from the per-image "
    "values, which stand in the tables beside this page."
)


def main_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the main metric of one task and condition: pooled, or of the first data set."""
    return main_tables(summary)[0]


def nested_metrics(summary: pd.DataFrame) -> dict[str, Any]:
    """Return ``{task: {condition: {run: {metric: mean}}}}``; undefined means are None.

    A metric without a pooled mean stands there by data set, as ``metric-dataset``.
    """
    keys = ["task", "condition", "metric"]
    pooled = {tuple(row) for row in summary.loc[summary["dataset"] == ALL, keys].itertuples(index=False)}
    nested: dict[str, Any] = {}
    for row in summary.itertuples():
        whole = (row.task, row.condition, row.metric) in pooled
        if whole and row.dataset != ALL:
            continue
        runs = nested.setdefault(row.task, {}).setdefault(row.condition, {})
        metric = row.metric if whole else f"{row.metric}-{row.dataset}"
        run = run_name(row.method, row.variant).replace("/", "-")
        runs.setdefault(run, {})[metric] = row.mean if math.isfinite(row.mean) else None
    return nested


def study_page(summary: pd.DataFrame, scores: pd.DataFrame, published: str = "") -> str:
    """Return the summary page: one headline table, then sentences per task and condition.

    Args:
        summary: What ``summarise_scores`` returned, of every task.
        scores: Per-image scores of the same study.
        published: One sentence about published numbers, or nothing.
    """
    headlines, details = [], []
    for (task, _), rows in summary.groupby(["task", "condition"], sort=False):
        for main in main_tables(rows):
            headlines.append(_headline(main))
            details += [f"## {task_label(str(task))}, {_where(main)}", *sentences(main, scores)]
    heads = [*_HEADS, "SFIGF image-only", "SFIGF feature-only", "SFIGF"]
    table = markdown([[Cell(head) for head in heads], *headlines])
    warning = seed_warning(int(summary["seeds"].max()))
    opening = ["# Summary of the study", _INTRODUCTION, table, warning, *([published] if published else [])]
    return "\n\n".join([*opening, *details]) + "\n"


def _where(main: pd.DataFrame) -> str:
    """Condition, and the data set where there is no mean over all."""
    first = main.iloc[0]
    label = condition_label(first["condition"])
    return label if first["dataset"] == ALL else f"{label}, {dataset_label(first['dataset'])}"


def sentences(main: pd.DataFrame, scores: pd.DataFrame) -> list[str]:
    """Say whether SFIGF beats each rival, in the mean and on how many images.

    Args:
        main: What ``main_rows`` returned.
        scores: Per-image scores of the same study.
    """
    chosen = (main["method"] == OURS[0]) & (main["variant"] == OURS[1])
    if not chosen.any():
        return ["SFIGF (full) was not part of this study, so nothing is claimed about it here."]
    ours = main[chosen].iloc[0]
    duels = [_duel(ours, rival, _image_values(main, scores)) for rival in main[~chosen].to_dict("records")]
    parts = [_group_part(words, groups, duels) for words, groups in _GROUPS.items()]
    return [_opening(ours, len(main)), "\n".join(parts)]


@dataclasses.dataclass(frozen=True)
class _Duel:
    """SFIGF against one rival: gains are positive where SFIGF is better; an undefined value is no win."""

    rival: str
    group: str
    mean: str
    unit: str
    mean_gain: float
    image_gains: list[float]

    @property
    def wins(self) -> int:
        return sum(gain > 0 for gain in self.image_gains)

    @property
    def line(self) -> str:
        images = len(self.image_gains)
        ties = sum(gain == 0 for gain in self.image_gains)
        equal = f", equal on {ties}" if ties else ""
        outcome = f"better on {self.wins} of {count_text(images)}{equal}; {self._in_the_mean}"
        return f"  - {self.rival}, {self.mean}: SFIGF {outcome}."

    @property
    def _in_the_mean(self) -> str:
        if math.isnan(self.mean_gain):
            return "the means cannot be compared"
        if self.mean_gain == 0:
            return "the means are equal"
        return (
            f"its mean {'better' if self.mean_gain > 0 else 'worse'} by {number_text(abs(self.mean_gain), self.unit)}"
        )


def _duel(ours: pd.Series, rival: Mapping[str, Any], values: pd.DataFrame) -> _Duel:
    sign = 1 if ours["higher_is_better"] else -1
    gains = sign * (values[OURS] - values[(rival["method"], rival["variant"])])
    return _Duel(
        rival=method_label(rival["method"], rival["variant"]),
        group=rival["group"],
        mean=number_text(rival["mean"], rival["unit"]),
        unit=rival["unit"],
        mean_gain=sign * (ours["mean"] - rival["mean"]),
        image_gains=gains.tolist(),
    )


def _image_values(main: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Images by runs, at the six digits the tables show."""
    case = ["task", "condition", "metric"] + (["dataset"] if main["dataset"].iloc[0] != ALL else [])
    values = per_image(scores[(scores[case] == main.iloc[0][case]).all(axis=1)])
    return values.pivot(index=["dataset", "image"], columns=["method", "variant"], values="value").map(six_digits)


def _opening(ours: pd.Series, methods: int) -> str:
    direction = "higher" if ours["higher_is_better"] else "lower"
    name = metric_label(ours["metric"])
    mean = number_text(ours["mean"], ours["unit"])
    place = f"place {ours['rank']} of {methods} methods" if ours["rank"] else "no place, its mean is undefined"
    return f"SFIGF: {name} {mean} in the mean over {count_text(ours['images'])} ({direction} is better), {place}."


def _group_part(words: str, groups: tuple[str, ...], duels: list[_Duel]) -> str:
    rivals = [duel for duel in duels if duel.group in groups]
    if not rivals:
        return f"- **{words}**: none was run."
    means = [duel.rival for duel in rivals if not duel.mean_gain > 0]
    images = [duel.rival for duel in rivals if duel.wins < len(duel.image_gains)]
    verdict = f"SFIGF beats {_all_but(means, len(rivals))} in the mean, {_all_but(images, len(rivals))} on every image."
    return "\n".join([f"- **{words}**: {verdict}", *(duel.line for duel in rivals)])


def _all_but(exceptions: list[str], total: int) -> str:
    if not exceptions:
        return f"all {total}" if total > 1 else "it"
    return "none" if len(exceptions) == total else f"all but {', '.join(exceptions)}"


def _headline(main: pd.DataFrame) -> list[Cell]:
    first = main.iloc[0]
    head = [task_label(first["task"]), _where(main)]
    head += [metric_label(first["metric"], first["unit"], bool(first["higher_is_better"])), str(first["images"])]
    learned = main["group"].isin(_GROUPS["Learned baselines"]) & (main["method"] != OURS[0])
    best = [_best(main[main["group"] == "classical"], named=True), _best(main[learned], named=True)]
    runs = [("sfigf", "image-only"), ("sfigf", "feature-only"), OURS]
    own = [_best(main[(main["method"] == method) & (main["variant"] == variant)]) for method, variant in runs]
    return [*map(Cell, head), *best, *own]


def _best(rows: pd.DataFrame, named: bool = False) -> Cell:
    ranked = rows[rows["rank"] > 0]
    if ranked.empty:
        return Cell("n/a")
    row = ranked.sort_values("rank", kind="stable").iloc[0]
    name = f" ({method_label(row['method'], row['variant'])})" if named else ""
    return Cell(number_text(row["mean"]) + name, int(row["rank"]))
