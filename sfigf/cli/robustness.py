"""Commands of the robustness rules: measure, gather, draw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sfigf.cli.present import draw
from sfigf.interface import UserError

Task = Annotated[str, typer.Option(help="depth, pan, focus or raw.")]
Condition = Annotated[str, typer.Option(help="Condition of the task, e.g. x8.")]


def robustness(
    config: Annotated[Path, typer.Option(help="Effective settings, as `sfigf resolve` writes them.")],
    task: Task,
    condition: Condition,
    samples: Annotated[Path, typer.Option(help="Test samples.")],
    run: Annotated[
        list[str],
        typer.Option(help="METHOD/VARIANT/seedN, for a learned method =WEIGHTS after it; once per run."),
    ],
    output: Annotated[Path, typer.Option(help="CSV file to write.")],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
) -> None:
    """Measure what methods lose on perturbed inputs: misaligned or noisy guides, other scales, sensors, exposures."""
    from sfigf.config import load_effective
    from sfigf.devices import claimed
    from sfigf.robustness.curves import measure, write_curves
    from sfigf.score import score_sample
    from sfigf.store import SampleFile
    from sfigf.tasks import degradation

    study = load_effective(config)
    part = study.part(task, condition)
    if study.robustness is None:
        raise UserError(f"study '{study.study}' has `robustness: null`; name perturbations there, as default.yaml does")
    metrics = part.metrics[:2]
    model, stored = degradation(task, condition), SampleFile(samples)
    with claimed(_place(device, run), f"robustness of {task} {condition}") as (free,):
        runs = [_run(study, task, condition, text, free, threads) for text in run]
        rows = measure(
            study.robustness, task, model, stored, runs, lambda image, sample: score_sample(image, sample, metrics)
        )
        write_curves(output, list(rows))


def _place(device: str, runs: list[str]) -> str:
    """The device to claim: none where no run has weights."""
    if not any("=" in text for text in runs):
        return "cpu"
    from sfigf.inference import choose_device

    return str(choose_device(device))


def _run(study: Any, task: str, condition: str, text: str, device: str, threads: int) -> Any:
    """Facts and restorer of a run named METHOD/VARIANT/seedN[=WEIGHTS]."""
    from sfigf.plan import method_settings
    from sfigf.restoring import Restorer

    name, _, weights = text.partition("=")
    words = name.split("/")
    if len(words) != 3 or not words[2].removeprefix("seed").isdigit():
        raise UserError(f"--run '{text}' is not METHOD/VARIANT/seedN[=WEIGHTS], for example bicubic/full/seed0")
    line = method_settings(study, task, words[0], condition)
    if line.learned:
        import torch

        torch.set_num_threads(threads)
    facts = {"task": task, "condition": condition, "method": words[0], "variant": words[1]}
    return facts | {"seed": int(words[2].removeprefix("seed"))}, Restorer(line.method, task, weights or None, device)


def tabulate_robustness(
    task: Task,
    curves: Annotated[list[Path], typer.Option(help="What `sfigf robustness` wrote; give it once per condition.")],
    csv: Annotated[Path, typer.Option(help="All of them in one table.")],
) -> None:
    """Gather the robustness curves of a task into one table."""
    from sfigf.tables.robustness import read_curves
    from sfigf.tables.scores import write_table

    write_table(csv, read_curves(curves, task))


@draw.command("robustness")
def draw_robustness(
    task: Task,
    condition: Condition,
    curves: Annotated[Path, typer.Option(help="Robustness table of the task (CSV).")],
    output: Annotated[Path, typer.Option(help="Where the figure goes; the suffix chooses png, jpg, svg or pdf.")],
) -> None:
    """Draw the main metric against the level of each perturbation, a curve per method."""
    from sfigf.figures.robustness import draw_robustness as draw_figure

    draw_figure(task, condition, curves, output)


COMMANDS: list[tuple[str, Any]] = [("robustness", robustness), ("tabulate-robustness", tabulate_robustness)]
