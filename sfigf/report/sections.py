"""The part of the page that is about one task, and its parts that are about one condition."""

from __future__ import annotations

import dataclasses

import pandas as pd
from markupsafe import Markup

from sfigf.protocols import protocol
from sfigf.report import grids
from sfigf.report.failures import hardest
from sfigf.report.files import FigureFile, figure
from sfigf.report.folder import Folder, TaskResults
from sfigf.report.grids import Table
from sfigf.report.markup import blocks, inline, rows_of
from sfigf.report.strips import Strips, gains, intervals
from sfigf.report.viewers import Viewer, viewers
from sfigf.tables.names import condition_label, count_text, method_label, metric_label, number_text, task_label
from sfigf.tables.protocol import protocol_line, seed_warning
from sfigf.tables.protocol_page import card
from sfigf.tables.published import published_section, stand
from sfigf.tables.render import Cell, mean_tables
from sfigf.tables.robustness import mean_curves
from sfigf.tables.summary import ALL, main_tables
from sfigf.tables.verdicts import OURS, sentences
from sfigf.tasks import TASKS

MAX_IMAGES = 400


@dataclasses.dataclass(frozen=True)
class ConditionSection:
    """One condition of a task."""

    name: str
    label: str
    words: Markup
    rivals: Markup
    means: list[Table]
    strips: list[Strips]
    viewers: list[Viewer]
    images: list[Table]
    statistics: list[Table]
    ablations: list[Table]
    robustness: list[Table]
    robustness_figure: FigureFile | None
    training: FigureFile | None
    cost: Table
    protocols: Markup


@dataclasses.dataclass(frozen=True)
class TaskSection:
    """One task."""

    name: str
    label: str
    about: str
    words: list[Markup]
    conditions: list[ConditionSection]
    quality: FigureFile | None
    published: Markup
    published_tables: list[Table]


def task_section(folder: Folder, task: TaskResults, published: pd.DataFrame | None) -> TaskSection:
    """Gather what there is of a task."""
    said, tables = _published(task, published)
    return TaskSection(
        name=task.name,
        label=task_label(task.name),
        about=TASKS[task.name].about if task.name in TASKS else "",
        words=[inline(str(text)) for text in task.words.get("paragraphs") or []],
        conditions=[_condition(folder, task, condition) for condition in task.conditions],
        quality=figure(
            folder,
            f"{task.name}-quality.png",
            _quality_alt(task),
            "Quality against parameters, multiply-adds and seconds.",
        ),
        published=said,
        published_tables=tables,
    )


def _condition(folder: Folder, task: TaskResults, condition: str) -> ConditionSection:
    rows, name = task.of(condition), f"{task.name}-{condition}"
    main = main_tables(rows)
    said, rivals = _words(task, condition)
    runs = list(dict.fromkeys(rows[["method", "variant"]].itertuples(index=False, name=None)))
    statistics = task.statistics[task.statistics["condition"] == condition]
    return ConditionSection(
        name=name,
        label=condition_label(condition),
        words=said,
        rivals=rivals,
        means=[
            dataclasses.replace(grids.means(f"{name}-{dataset}", part, task.counted), note=_counts(part))
            for dataset, part in mean_tables(rows)
        ],
        strips=[each for part in main if (each := gains(part, task.scores))] + _intervals(statistics, main),
        viewers=list(viewers(folder, task, condition, hardest(task, condition))),
        images=_images(name, rows, task.scores),
        statistics=_statistics(name, statistics),
        ablations=_ablations(name, main, task),
        robustness=_robustness(name, task, condition, runs),
        robustness_figure=figure(folder, f"{name}-robustness.png", _robustness_alt(task, condition), _ROBUSTNESS),
        training=figure(folder, f"{name}-training.png", _training_alt(folder, task, condition), _TRAINING),
        cost=grids.costs(f"{name}-cost", condition, task.counted, task.timing, runs),
        protocols=_protocols(task, condition),
    )


_ROBUSTNESS = "The main metric where inputs are not what the methods were made for; dotted: the ordinary input."
_TRAINING = "Left: training loss. Right: the metric on validation images; a ring marks the weights that were kept."


def _words(task: TaskResults, condition: str) -> tuple[Markup, Markup]:
    """A summary, and rival by rival: those of the statistics where they are there, else who beats whom."""
    said = (task.words.get("conditions") or {}).get(condition)
    if said:
        return blocks(str(said.get("text") or "")), blocks(
            "\n".join(f"- {text}" for text in said.get("sentences") or [])
        )
    told = [sentences(main, task.scores) for main in main_tables(task.of(condition))]
    return blocks("\n\n".join(each[0] for each in told)), blocks("\n\n".join("\n".join(each[1:]) for each in told))


def _counts(part: pd.DataFrame) -> str:
    counts = part.groupby("metric", sort=False)["images"].max()
    phrases = [
        f"{', '.join(map(metric_label, counts.index[counts == count]))}: mean of {count_text(int(count))}"
        for count in counts.unique()
    ]
    lost = int(part["undefined"].sum())
    undefined = f" {lost} single values are undefined; their means are left out (n/a)." if lost else ""
    return f"{'; '.join(phrases)}.{undefined} {seed_warning(int(part['seeds'].max()))}"


def _images(name: str, rows: pd.DataFrame, scores: pd.DataFrame) -> list[Table]:
    """A table for each metric, pooled where there is a pooled mean."""
    tables = []
    for metric in dict.fromkeys(rows["metric"]):
        means = rows[rows["metric"] == metric]
        pooled = means[means["dataset"] == ALL]
        for part in [pooled] if len(pooled) else [part for _, part in means.groupby("dataset", sort=False)]:
            if part["images"].max() <= MAX_IMAGES:
                tables.append(grids.images(f"{name}-{metric}-{part['dataset'].iloc[0]}-images", part, scores))
    return tables


def _statistics(name: str, rows: pd.DataFrame) -> list[Table]:
    groups = rows.groupby(["metric", "dataset"], sort=False)
    return [grids.statistics(f"{name}-{metric}-{dataset}-statistics", part) for (metric, dataset), part in groups]


def _intervals(rows: pd.DataFrame, main: list[pd.DataFrame]) -> list[Strips]:
    """Intervals of SFIGF against every other run, under the main metric."""
    found = []
    for part in main:
        first = part.iloc[0]
        mine = rows[(rows["metric"] == first["metric"]) & (rows["dataset"] == first["dataset"])]
        mine = mine[(mine["method"] == OURS[0]) & (mine["variant"] == OURS[1])]
        if len(mine) and (strips := intervals(mine)):
            found.append(strips)
    return found


def _ablations(name: str, main: list[pd.DataFrame], task: TaskResults) -> list[Table]:
    found = (
        grids.ablations(f"{name}-ablations-{part['dataset'].iloc[0]}", part, task.scores, task.counted) for part in main
    )
    return [table for table in found if table]


def _curves(task: TaskResults, condition: str) -> tuple[str, pd.DataFrame]:
    """The foremost metric of the robustness curves of a condition, and their means."""
    rows = task.robustness[task.robustness["condition"] == condition]
    if rows.empty:
        return "", rows
    metric = next((each for each in task.metrics if each in set(rows["metric"])), str(rows["metric"].iloc[0]))
    return metric, mean_curves(rows, metric)


def _robustness(name: str, task: TaskResults, condition: str, runs: list[tuple[str, str]]) -> list[Table]:
    metric, curves = _curves(task, condition)
    if curves.empty:
        return []
    groups = curves.groupby(["perturbation", "dataset"], sort=False)
    return [
        grids.robustness(f"{name}-{what}-{dataset}-robustness", condition, metric, part, runs)
        for (what, dataset), part in groups
    ]


def _robustness_alt(task: TaskResults, condition: str) -> str:
    """What SFIGF loses from the ordinary input to the level furthest from it."""
    metric, curves = _curves(task, condition)
    phrases = []
    for (what, _), part in curves[_ours(curves)].groupby(["perturbation", "dataset"], sort=False) if metric else ():
        ordinary, others = part[part["nominal"]], part[~part["nominal"]]
        if len(ordinary) and len(others):
            at = ordinary.iloc[0]
            far = others.loc[(others["level"] - at["level"]).abs().idxmax()]
            values = f"{number_text(at['mean'], at['unit'])} to {number_text(far['mean'], at['unit'])}"
            phrases.append(f"{str(what).replace('-', ' ')} {far['level']:g} {at['level_unit']}: {values}")
    told = f" SFIGF goes, with {'; '.join(phrases)}." if phrases else ""
    return f"{metric_label(metric)} of every method by level of disturbance, {condition_label(condition)}.{told}"


def _protocols(task: TaskResults, condition: str) -> Markup:
    named = [protocol(name) for name in task.protocols.get(condition, ())]
    cards = [card(each) for each in named if condition in each.conditions]
    return blocks("\n\n".join([protocol_line(task.settings, task.name, condition), *cards]))


def _published(task: TaskResults, published: pd.DataFrame | None) -> tuple[Markup, list[Table]]:
    """The section of the task's page, its table made one of ours."""
    if published is None:
        return Markup(""), []
    text = published_section(stand(published, task.summary, task.name, task.protocols), task.summary)
    lines = text.splitlines()
    table = [line for line in lines if line.startswith("|")]
    rest = "\n".join(line for line in lines if not line.startswith("|"))
    grid = [[Cell(cell) for cell in row] for row in rows_of(table)]
    return blocks(rest), [Table(f"{task.name}-published", "Ours beside published", grid)] if grid else []


def _quality_alt(task: TaskResults) -> str:
    """The best and SFIGF with their sizes, for each condition."""
    phrases = []
    for condition in task.conditions:
        for main in main_tables(task.of(condition)):
            ranked = main[main["rank"] > 0].sort_values("rank", kind="stable")
            chosen = [*ranked.head(1).to_dict("records"), *ranked[_ours(ranked)].to_dict("records")]
            texts = dict.fromkeys(
                f"{method_label(row['method'], row['variant'])} {number_text(row['mean'], row['unit'])}"
                for row in chosen
            )
            phrases.append(f"{condition_label(condition)}: best and SFIGF {', '.join(texts)}")
    return f"Main metric of {task_label(task.name).lower()} against cost. {'; '.join(phrases)}."


def _ours(rows: pd.DataFrame) -> pd.Series:
    return (rows["method"] == OURS[0]) & (rows["variant"] == OURS[1])


def _training_alt(folder: Folder, task: TaskResults, condition: str) -> str:
    """Which methods were trained, and the validation value that each kept."""
    from sfigf.weights import read_facts

    phrases = []
    for method, variant, seed in task.runs(condition):
        path = folder.weight_file(f"{task.name}/{condition}/{method}/{variant}/seed{seed}")
        kept = (read_facts(path).get("validation") or {}) if path else {}
        values = ", ".join(f"{metric_label(metric)} {number_text(value)}" for metric, value in kept.items())
        if values:
            phrases.append(f"{method_label(method, variant)} {values}")
    kept_text = f" Validation values kept: {'; '.join(phrases)}." if phrases else ""
    return f"Training curves, {task_label(task.name).lower()}, {condition_label(condition)}.{kept_text}"
