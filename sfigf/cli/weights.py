"""Commands for weight files: take the authors' in, give ours away."""

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


COMMANDS = [("import-released", import_released), ("export", export)]
