"""Restore people's own images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sfigf.interface import UserError


def restore(
    task: Annotated[str, typer.Option(help="depth, pan, focus or raw.")],
    target: Annotated[str, typer.Option(help="Image to restore; or a folder or a 'pattern*' of several.")],
    output: Annotated[str, typer.Option(help="Image to write; for several a folder.")],
    guide: Annotated[
        str | None, typer.Option(help="Image that guides; pan: the panchromatic band, focus: image B; folders too.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weight file (.safetensors) of the task; else those that fit best.")
    ] = None,
    weights_folder: Annotated[
        list[Path] | None,
        typer.Option(help="Where weights are looked for; else published/standard, published/desk, results/weights."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    tile: Annotated[int | None, typer.Option(help="Side in pixels of the pieces; it sets the memory. [256]")] = None,
    preview: Annotated[
        str | None, typer.Option(help="Side-by-side picture (.png, .jpg); for several a folder.")
    ] = None,
    target_name: Annotated[str | None, typer.Option(help="Which array of a .mat or .h5 the target is.")] = None,
    guide_name: Annotated[str | None, typer.Option(help="The same of the guide.")] = None,
    suffix: Annotated[str | None, typer.Option(help="Of the files in an output folder; else the target's.")] = None,
    scale: Annotated[int | None, typer.Option(help="Depth, pan: how many times finer the guide is.")] = None,
    nodata: Annotated[float | None, typer.Option(help="Depth, pan: value that means unknown.")] = None,
    peak: Annotated[float | None, typer.Option(help="Pan: digital number that counts as 1.")] = None,
    ratio: Annotated[float, typer.Option(help="Raw: exposure ratio to amplify by.")] = 1.0,
    white_balance: Annotated[str | None, typer.Option(help="Raw: gains R,G,B; else the file's, else 1,1,1.")] = None,
    colour_matrix: Annotated[
        str | None, typer.Option(help="Raw: 9 numbers, camera RGB to sRGB; else the file's, else an A7S II's.")
    ] = None,
    guide_gain: Annotated[
        float | None, typer.Option(help="Raw: factor that brings the guide to [0,1]; else a mono sensor's.")
    ] = None,
) -> None:
    """Restore images of your own."""
    from sfigf.own.batch import restore_all
    from sfigf.own.defaults import FOLDERS
    from sfigf.own.files import Studio
    from sfigf.own.options import Options
    from sfigf.own.pairs import find_pairs

    balance, matrix = _numbers("--white-balance", white_balance, 3), _numbers("--colour-matrix", colour_matrix, 9)
    options = Options(scale, nodata, peak, ratio, balance, matrix, guide_gain)
    studio = Studio(task, weights, weights_folder or FOLDERS, device, tile, options, target_name, guide_name, _say)
    restore_all(studio, find_pairs(target, guide, output, preview, suffix))


def _say(line: str) -> None:
    print(f"sfigf: {line}", file=sys.stderr, flush=True)


def _numbers(option: str, text: str | None, count: int) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        example = "2.1,1,1.7" if count == 3 else "1.7,-0.5,-0.2,-0.1,1.3,-0.2,0,-0.4,1.4"
        raise UserError(f"{option} is '{text}'; it is {_COUNTS[count]} numbers, as in {example}")
    return numbers


_COUNTS = {3: "three", 9: "nine"}
COMMANDS = [("restore", restore)]
