"""Commands that show results: tables, the summary page, figures. None of them imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Output = Annotated[Path, typer.Option(help="Where the figure goes; the suffix chooses png, jpg, svg or pdf.")]
Task = Annotated[str, typer.Option(help="depth, pan, focus or raw.")]
Condition = Annotated[str, typer.Option(help="One condition of the task, such as x8.")]
Scores = Annotated[list[Path], typer.Option("--score", help="Score file (CSV); give it once per run.")]
Restored = Annotated[
    list[str], typer.Option("--restored", help="METHOD[/VARIANT]=FILE in the order wanted; once per run.")
]
OptionalScores = Annotated[list[Path] | None, typer.Option("--score", help="Score file (CSV); once per run.")]
Image = Annotated[
    str, typer.Option(help="Name of an image, all, or typical: of each data set the median image of the last method.")
]
Published = Annotated[
    Path | None, typer.Option(help="Published numbers (CSV); those under a protocol of the study stand beside ours.")
]
Samples = Annotated[Path, typer.Option(help="The degraded samples that were restored.")]


def tabulate(
    task: Task,
    score: Scores,
    cost: Annotated[list[Path], typer.Option("--cost", help="Cost file (JSON); give it once per run.")],
    config: Annotated[Path, typer.Option(help="The effective configuration.")],
    csv: Annotated[Path, typer.Option(help="Every score of the task, one row per image, run and metric.")],
    summary: Annotated[Path, typer.Option(help="Means and ranks (CSV).")],
    markdown: Annotated[Path, typer.Option(help="The page of the task.")],
    cost_table: Annotated[Path, typer.Option(help="What was counted: parameters, multiply-adds (CSV).")],
    timing_table: Annotated[Path, typer.Option(help="What was measured: seconds (CSV); never the same twice.")],
    latex: Annotated[Path | None, typer.Option(help="The tables of means for a paper.")] = None,
    published: Published = None,
) -> None:
    """Gather the scores and costs of a task into tables."""
    from sfigf.files import write_text
    from sfigf.tables import costs, page, protocol, render, scores
    from sfigf.tables import summary as means

    settings = protocol.read_task(config, task)
    rows = scores.read_scores(score, task)
    spent = costs.read_costs(cost, task)
    counted = costs.counted_costs(spent)
    averages = means.summarise_scores(rows, costs.groups_of(spent), protocol.metrics_named(settings))
    parts = [page.task_page(task, rows, averages, counted, settings), _beside(published, averages, task, settings)]
    for path, table in ((csv, rows), (summary, averages), (cost_table, counted)):
        scores.write_table(path, table)
    scores.write_table(timing_table, costs.measured_costs(spent))
    write_text(markdown, "\n\n".join(filter(None, parts)) + "\n")
    if latex is not None:
        write_text(latex, render.latex_page(task, averages, counted))


def _beside(published: Path | None, averages: Any, task: str, settings: Any) -> str:
    from sfigf.tables.protocol import protocols_named
    from sfigf.tables.published import published_section, read_published, stand

    if published is None:
        return ""
    standing = stand(read_published(published), averages, task, protocols_named(settings))
    return published_section(standing, averages)


def summarise(
    summary: Annotated[list[Path], typer.Option("--summary", help="Summary table of a task; once per task.")],
    per_image: Annotated[list[Path], typer.Option("--per-image", help="Per-image table of a task; once per task.")],
    markdown: Annotated[Path, typer.Option(help="The summary page.")],
    metrics: Annotated[Path, typer.Option(help="Nested JSON for `dvc metrics show`.")],
    config: Annotated[Path | None, typer.Option(help="The effective configuration; needed with --published.")] = None,
    published: Published = None,
) -> None:
    """Say on one page, in words computed from the numbers, who beats whom."""
    import json

    import pandas as pd

    from sfigf.files import write_text
    from sfigf.tables.scores import read_scores
    from sfigf.tables.summary import read_summary
    from sfigf.tables.verdicts import nested_metrics, study_page

    means = pd.concat([read_summary(path) for path in summary], ignore_index=True)
    sentence = _sentence(published, config, means)
    write_text(markdown, study_page(means, read_scores(per_image), sentence))
    write_text(metrics, json.dumps(nested_metrics(means), indent=2, sort_keys=True, allow_nan=False) + "\n")


def _sentence(published: Path | None, config: Path | None, means: Any) -> str:
    from sfigf.interface import UserError
    from sfigf.tables.protocol import protocols_named, read_task
    from sfigf.tables.published import published_sentence, read_published, stand

    if published is None:
        return ""
    if config is None:
        raise UserError("--published needs --config: the protocols of the study stand there")
    rows = read_published(published)
    named = {task: protocols_named(read_task(config, task)) for task in means["task"].unique()}
    return published_sentence([stand(rows, means, task, protocols) for task, protocols in named.items()])


draw = typer.Typer(
    help="Draw a figure: comparison, zoom, training, quality or robustness.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@draw.command("comparison")
def draw_comparison(
    task: Task,
    condition: Condition,
    samples: Samples,
    restored: Restored,
    output: Output,
    score: OptionalScores = None,
    image: Image = "typical",
) -> None:
    """Draw inputs, every method and the truth: whole, close up, and as error maps on one scale."""
    from sfigf.figures.cases import gather_cases, parse_named_files
    from sfigf.figures.comparison import draw_comparison as draw_figure

    files = parse_named_files(restored)
    draw_figure(gather_cases(task, condition, samples, files, score or (), image), output)


@draw.command("zoom")
def draw_zoom(
    task: Task,
    condition: Condition,
    samples: Samples,
    restored: Restored,
    output: Output,
    score: OptionalScores = None,
    image: Image = "typical",
) -> None:
    """Draw one close-up of every method, large, and its error."""
    from sfigf.figures.cases import gather_cases, parse_named_files
    from sfigf.figures.comparison import draw_zoom as draw_figure

    files = parse_named_files(restored)
    draw_figure(gather_cases(task, condition, samples, files, score or (), image), output)


@draw.command("training")
def draw_training(
    title: Annotated[str, typer.Option(help="Title of the figure.")],
    log: Annotated[list[str], typer.Option(help="METHOD[/VARIANT]=FILE, a JSON-lines log; once per training.")],
    output: Output,
) -> None:
    """Draw loss and validation metric against the step."""
    from sfigf.figures.cases import parse_named_files
    from sfigf.figures.training import draw_training as draw_figure

    draw_figure(title, parse_named_files(log), output)


@draw.command("quality")
def draw_quality(
    summary: Annotated[Path, typer.Option(help="Summary table of a task.")],
    cost: Annotated[list[Path], typer.Option(help="Cost table of that task (CSV).")],
    output: Output,
    timing: Annotated[list[Path] | None, typer.Option(help="Timing table of that task (CSV).")] = None,
) -> None:
    """Draw the main metric against parameters, multiply-adds and seconds."""
    from sfigf.figures.quality import draw_quality as draw_figure

    draw_figure(summary, cost, timing or (), output)


COMMANDS: list[tuple[str, Any]] = [("tabulate", tabulate), ("summarise", summarise), ("draw", draw)]
