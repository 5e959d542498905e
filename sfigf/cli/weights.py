"""Commands for weight files: take the authors' in, give ours away, say what is here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sfigf.interface import UserError


def import_released(
    file: Annotated[Path, typer.Argument(help="The authors' checkpoint (.pth, .pth.tar, .tar, .safetensors).")],
    variant: Annotated[str, typer.Option(help="depth, pan, focus, raw-red or raw-mono.")],
    output: Annotated[Path, typer.Option(help="Weight file to write (.safetensors).")],
) -> None:
    """Bring the authors' weights into our format; no code of the file is run."""
    from sfigf.released import convert

    network = convert(file, variant, output)  # type: ignore[arg-type]
    options = network.options
    print(
        f"{output}: {variant} network of width {options.width}, {options.levels} levels, "
        f"{sum(value.numel() for value in network.parameters()):,} parameters"
    )


def export(
    weights: Annotated[Path, typer.Option(help="Weight file (.safetensors).")],
    output: Annotated[Path, typer.Option(help="Model to write (.onnx).")],
    format: Annotated[str, typer.Option(help="onnx.")] = "onnx",
    opset: Annotated[int, typer.Option(help="ONNX operator set, 17 to 20.")] = 18,
) -> None:
    """Write a network for other programs, any size of image; compared with ours first."""
    from sfigf.export import export_onnx

    if format != "onnx":
        raise UserError(f"cannot export '{format}'; there is onnx")
    difference = export_onnx(weights, output, opset)
    print(f"{output}: differs from the network by {difference:.1e} of the output's range at most")


def weights(
    folder: Annotated[Path, typer.Option(help="Folder of published weights.")] = Path("published"),
    task: Annotated[str | None, typer.Option(help="depth, pan, focus or raw; all of them by default.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file; exit 1 if one is damaged.")] = False,
) -> None:
    """List the published weights: what they are, how good, and whether they are here."""
    from sfigf.published import read_index, state_of
    from sfigf.tables.weight_list import weight_list

    entries = [entry for entry in read_index(folder).values() if task in (None, entry.task)]
    if not entries:
        raise UserError(f"{folder} lists no weights" + (f" of {task}" if task else "") + "; see `sfigf publish`")
    states = {entry.path: state_of(folder, entry, verify) for entry in entries}
    print(weight_list(folder, entries, states))
    if verify and "damaged" in states.values():
        raise typer.Exit(1)


def publish(
    results: Annotated[Path, typer.Option(help="Results folder of a finished study.")],
    study: Annotated[str, typer.Option(help="Its name, as its settings say.")],
    to: Annotated[Path, typer.Option(help="Folder of published weights.")] = Path("published"),
    only: Annotated[list[str] | None, typer.Option(help="Only runs that begin so, say depth/x8/sfigf; repeat.")] = None,
    floats: Annotated[
        str | None, typer.Option("--float", help="float32 or bfloat16; else bfloat16 above 2 MB within the bound.")
    ] = None,
    bound: Annotated[float, typer.Option(help="Share by which bfloat16 may worsen the main metric.", min=0)] = 0.005,
    data: Annotated[Path | None, typer.Option(help="Its data folder; else beside the results.")] = None,
    cards: Annotated[Path, typer.Option(help="Folder of the data set cards.")] = Path("config/datasets"),
    device: Annotated[str, typer.Option(help="Restores for the comparison: auto, cpu, cuda or mps.")] = "auto",
    commit: Annotated[str | None, typer.Option(help="Commit for the cards; else git is asked.")] = None,
) -> None:
    """Publish a study's weights with a card each; bfloat16 only where the test images bear it."""
    from sfigf.publishing import Publisher
    from sfigf.publishing.study import FinishedStudy

    if floats not in (None, "float32", "bfloat16"):
        raise UserError(f"--float is '{floats}'; it is float32 or bfloat16")
    finished = FinishedStudy(results, data)
    if finished.name != study:
        raise UserError(f"{results} holds study '{finished.name}', not '{study}'")
    publisher = Publisher(to, cards, floats, bound, device, commit or _commit_here(), print)
    entries = publisher.publish(finished, only or ())
    print(f"{len(entries)} files, {sum(entry.bytes for entry in entries) / 1e6:.1f} MB")


def _commit_here() -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], capture_output=True, text=True
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


COMMANDS = [
    ("weights", weights),
    ("import-released", import_released),
    ("export", export),
    ("publish", publish),
]
