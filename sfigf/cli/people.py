"""Commands for people: restore an image, list what there is, check and print settings, plan a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sfigf.interface import UserError


def restore(
    task: Annotated[str, typer.Option(help="depth, pan, focus or raw.")],
    target: Annotated[Path, typer.Option(help="Image to restore (.png, .jpg, .tif, .npy).")],
    guide: Annotated[Path, typer.Option(help="Image that guides; pan: the panchromatic band, focus: image B.")],
    weights: Annotated[Path, typer.Option(help="Weight file (.safetensors) of the task.")],
    output: Annotated[Path, typer.Option(help="Image to write (.png, .tif, .npy).")],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    peak: Annotated[float | None, typer.Option(help="Pan: digital number that counts as 1.")] = None,
    ratio: Annotated[float, typer.Option(help="Raw: exposure ratio to amplify by.")] = 1.0,
) -> None:
    """Restore an image of your own."""
    import numpy as np

    from sfigf.images import read_image, write_image
    from sfigf.own import restore as restore_arrays
    from sfigf.tasks import TASKS

    if task not in TASKS:
        raise UserError(f"unknown task '{task}'; there are {', '.join(TASKS)}")
    given = read_image(target)
    restored = restore_arrays(task, given, read_image(guide), weights, device=device, peak=peak, ratio=ratio)
    like = given.dtype
    if task in ("focus", "raw") and output.suffix.lower() == ".png":
        like, restored = np.dtype(np.uint8), np.clip(restored, 0, 1) * 255
    elif task in ("focus", "raw"):
        like = np.dtype(np.float32)
    write_image(output, restored, like)


def resolve(
    settings: Annotated[str, typer.Option(help="Merged settings as JSON.")],
    output: Annotated[Path, typer.Option(help="YAML file to write.")],
) -> None:
    """Validate merged settings and write them as one file."""
    from sfigf.config import write_effective

    write_effective(settings, output)


def show(
    config: Annotated[list[Path], typer.Option(help="Settings files, later ones change earlier ones.")],
) -> None:
    """Check settings files and print the result, every key."""
    import yaml

    from sfigf.config import load_settings, merged, read_yaml

    settings: dict = {}
    for path in config:
        settings = merged(settings, read_yaml(path) or {})
    load_settings(settings, str(config[-1]))
    print(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), end="")


def listing(
    what: Annotated[str, typer.Argument(help="methods, metrics, datasets or tasks.")],
    plugin: Annotated[list[str] | None, typer.Option(help="Plug-in to load first.")] = None,
) -> None:
    """List what there is, one line each."""
    from sfigf.registry import load_plugins, registered
    from sfigf.tasks import TASKS

    load_plugins(plugin or [])
    if what == "tasks":
        for task in TASKS.values():
            print(f"{task.name:8} {task.title}: {task.about}; conditions {', '.join(task.conditions)}")
        return
    if what not in ("methods", "metrics", "datasets"):
        raise UserError(f"cannot list '{what}'; there are methods, metrics, datasets, tasks")
    for name, cls in registered(what.removesuffix("s")).items():  # type: ignore[arg-type]
        facts = [", ".join(getattr(cls, "tasks", ())), str(getattr(cls, "kind", getattr(cls, "unit", "")))]
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        print(f"{name:24} {facts[0]:24} {facts[1]:14} {summary}")


COMMANDS = [("restore", restore), ("list", listing), ("show", show), ("resolve", resolve)]
