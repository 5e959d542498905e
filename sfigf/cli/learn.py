"""Commands of the learning rules: degrade, train, restore-set, score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sfigf.interface import UserError

Config = Annotated[Path, typer.Option(help="Effective settings, as `sfigf resolve` writes them.")]
Task = Annotated[str, typer.Option(help="depth, pan, focus or raw.")]
Condition = Annotated[str, typer.Option(help="Condition of the task, e.g. x8.")]
Method = Annotated[str, typer.Option(help="Method line of the settings.")]
Variant = Annotated[str, typer.Option(help="Variant of the method, e.g. full.")]
Seed = Annotated[int, typer.Option(help="Seed of the training.")]
Output = Annotated[Path, typer.Option(help="File to write.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]


def degrade(
    config: Config,
    task: Task,
    condition: Condition,
    part: Annotated[str, typer.Option(help="train, validation or test.")],
    prepared: Annotated[list[Path], typer.Option(help="Prepared scene files, named <dataset>.safetensors.")],
    output: Output,
) -> None:
    """Turn clean scenes into samples: the task's forward model with fixed seeds."""
    from sfigf.config import load_effective
    from sfigf.degrading import degrade_parts
    from sfigf.store import write_samples
    from sfigf.tasks import degradation

    study = load_effective(config)
    if part not in ("train", "validation", "test"):
        raise UserError(f"--part is '{part}'; it is one of train, validation, test")
    settings = study.part(task, condition)
    draws = settings.train_draws if part == "train" else 1
    files = {path.stem: path for path in prepared}
    selections = getattr(settings, part)
    soft_edges = None if part == "test" else settings.soft_edges_px
    samples = degrade_parts(files, selections, degradation(task, condition, soft_edges), draws, settings.crop_px)
    write_samples(output, samples, {"task": task, "condition": condition, "part": part, "from": selections})


def train(
    config: Config,
    task: Task,
    condition: Condition,
    method: Method,
    variant: Variant,
    seed: Seed,
    train: Annotated[Path, typer.Option(help="Training samples.")],
    validation: Annotated[
        Path,
        typer.Option(help="Samples the best weights are chosen on: validation, or test if that quirk is released."),
    ],
    checkpoints: Annotated[Path, typer.Option(help="Folder of this training's checkpoints.")],
    log: Annotated[Path, typer.Option(help="JSON-lines log to write.")],
    weights: Annotated[Path, typer.Option(help="Weight file to write (.safetensors).")],
    device: Device = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after this time with a checkpoint and exit status 75.", min=0)
    ] = None,
    processes: Annotated[
        int, typer.Option(help="Train in so many processes that share each batch, a GPU each; 0 is as 1.", min=0)
    ] = 1,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that load data; none beside a CPU, some beside a GPU.", min=0),
    ] = None,
) -> None:
    """Train one method; run the same command again to go on where it stopped, on this machine or another."""
    import torch

    from sfigf.determinism import repeatable
    from sfigf.devices import claimed_by_all
    from sfigf.inference import choose_device
    from sfigf.parallel import together
    from sfigf.selection import checked_on
    from sfigf.stopping import SLICE_ENDED
    from sfigf.store import SampleFile
    from sfigf.train import train as run_training
    from sfigf.trainer import Job

    part, settings, study = _line(config, task, condition, method)
    if not settings.learned:
        raise UserError(f"method '{method}' is classical; it has nothing to train")
    torch.set_num_threads(threads)
    repeatable(study.strict)
    samples, checks = SampleFile(train), checked_on(settings.training, part.test[0], validation)
    facts = {"task": task, "condition": condition, "label": method, "variant": variant, "seed": seed}
    facts |= _facts_of(study, part, settings, facts) | _facts_of_data(train, validation, task)
    job = Job(facts, settings.training, part.metrics[0], samples, checks)
    place = str(choose_device(device))
    with claimed_by_all(place, str(job), max(1, processes)) as devices, together(max(1, processes)) as world:
        done = run_training(job, weights, log, checkpoints, devices[world.place], seconds, world, workers)
    if not done:
        raise typer.Exit(SLICE_ENDED)


def _facts_of(study: Any, part: Any, settings: Any, run: dict[str, Any]) -> dict[str, Any]:
    """What a weight file says of the settings that made it."""
    from sfigf.plan import digest_of_run
    from sfigf.weights import LICENCE, versions

    return {
        "method": settings.method.name,
        "options": settings.options,
        "steps": settings.training.steps,
        "training": settings.training.model_dump(),
        "config_digest": digest_of_run(part, settings, run["variant"], run["seed"], strict=study.strict),
        "study": study.study,
        "licence": LICENCE,
        "versions": versions(),
    }


def _facts_of_data(train: Path, validation: Path, task: str) -> dict[str, Any]:
    """What it says of the samples."""
    import dataclasses

    from sfigf.files import sha256_of
    from sfigf.store import SampleFile
    from sfigf.tasks import signature

    return {
        "signature": dataclasses.asdict(signature(task, SampleFile(train)[0])),
        "data_digest": {"train": sha256_of(train), "validation": sha256_of(validation)},
    }


def restore_set(
    config: Config,
    task: Task,
    condition: Condition,
    method: Method,
    variant: Variant,
    seed: Seed,
    samples: Annotated[Path, typer.Option(help="Samples to restore.")],
    output: Output,
    cost: Annotated[Path, typer.Option(help="JSON file to write: seconds, parameters, multiply-adds.")],
    weights: Annotated[Path | None, typer.Option(help="Weights of a learned method.")] = None,
    device: Device = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
) -> None:
    """Restore a whole set of samples with one method."""
    from sfigf.determinism import named, repeatable
    from sfigf.devices import claimed
    from sfigf.restoring import Restorer
    from sfigf.restoring import restore_set as run

    _, settings, study = _line(config, task, condition, method)
    if settings.learned:
        import torch

        from sfigf.inference import choose_device

        torch.set_num_threads(threads)
        device = str(choose_device(device))
        if study.strict:
            repeatable(strict=True)
    facts = {"task": task, "condition": condition, "method": method, "variant": variant, "seed": seed}
    who = f"{task} {condition} {method}/{variant} seed {seed}"
    with claimed(device if settings.learned else "cpu", who) as (free,), named(who):
        run(Restorer(settings.method, task, weights, free), samples, output, cost, facts)


def score(
    config: Config,
    task: Task,
    condition: Condition,
    method: Method,
    variant: Variant,
    seed: Seed,
    samples: Annotated[Path, typer.Option(help="Samples that were restored.")],
    restored: Annotated[Path, typer.Option(help="What `restore-set` wrote.")],
    output: Output,
) -> None:
    """Score restored images: one CSV row per image and metric."""
    from sfigf.score import score_run, write_scores

    part, _, _ = _line(config, task, condition, method)
    run = {"task": task, "condition": condition, "method": method, "variant": variant, "seed": seed}
    write_scores(output, score_run(run, part.metrics, samples, restored))


def time_steps(
    config: Annotated[list[Path], typer.Option(help="Settings files, later ones change earlier ones.")],
    costs: Annotated[Path, typer.Option(help="Table of costs (CSV) to add to; `sfigf plan --costs` reads it.")],
    device: Device = "auto",
    steps: Annotated[int, typer.Option(help="Steps to time, after one that is not.", min=1)] = 3,
    only: Annotated[str, typer.Option(help="Only trainings that begin so, say raw/mono-estimated.")] = "",
    batch_size: Annotated[int | None, typer.Option(help="Patches a step, where memory is short.", min=1)] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
) -> None:
    """Time the training steps of a study on random patches; no data needed."""
    import torch

    from sfigf.planning import read_study
    from sfigf.timing import time_steps as run

    torch.set_num_threads(threads)
    run(read_study(config), costs, device, steps, only, batch_size, threads)


def _line(config: Path, task: str, condition: str, method: str) -> tuple[Any, Any, Any]:
    """Settings of the condition, the method's line, and the study."""
    from sfigf.config import load_effective
    from sfigf.plan import method_settings

    study = load_effective(config)
    return study.part(task, condition), method_settings(study, task, method, condition), study


COMMANDS = [
    ("degrade", degrade),
    ("train", train),
    ("restore-set", restore_set),
    ("score", score),
    ("time-steps", time_steps),
]
