"""Verbs that make the procedural RGB-D scenes: ``render`` a shard, ``gather`` the shards, ``sheet`` to look at them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from sfigf.interface import UserError


def render(
    output: Annotated[Path, typer.Option(help="Scene file to write.")],
    textures: Annotated[
        Path | None,
        typer.Option(help="Scene file whose photos of the same part are painted on surfaces; else patterns."),
    ] = None,
    part: Annotated[str, typer.Option(help="train or validation.")] = "train",
    scenes: Annotated[int, typer.Option(min=1, help="How many scenes the part has, over all shards.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of the whole set.")] = 0,
    shard: Annotated[int, typer.Option(min=0, help="Render scenes shard, shard + shards, ...")] = 0,
    shards: Annotated[int, typer.Option(min=1, help="Into how many files the part is cut.")] = 1,
    height: Annotated[int, typer.Option(min=16, help="Pixels.")] = 240,
    width: Annotated[int, typer.Option(min=16, help="Pixels.")] = 320,
) -> None:
    """Render one shard of procedural rooms with exact depth."""
    from sfigf.render.scene import render_scene
    from sfigf.store import read_scenes, write_scenes

    indices = range(shard, scenes, shards)
    if not indices:
        raise UserError(f"shard {shard} of {shards} holds none of {scenes} scenes; use fewer shards than scenes")
    painted = read_scenes(textures) if textures else ()
    photos = [scene.arrays["rgb"] for scene in painted if scene.part == part and "rgb" in scene.arrays]
    if textures and not photos:
        raise UserError(f"{textures}: no photo of part '{part}' to paint with; name a set that has some")
    rooms = (render_scene(seed, part, index, height, width, photos) for index in indices)
    write_scenes(output, rooms, {"dataset": "rendered", "seed": seed})


def gather(
    input: Annotated[list[Path], typer.Option(help="Scene file; give it once per file.")],
    output: Annotated[Path, typer.Option(help="Scene file to write, sorted by name.")],
) -> None:
    """Merge scene files into one."""
    from sfigf.store import RecordFile, write_records

    files = [RecordFile(path) for path in input]
    places = sorted((name, file, index) for file, one in enumerate(files) for index, name in enumerate(one.names))
    write_records(output, (files[file][index] for _, file, index in places), files[0].about)


def sheet(
    scenes: Annotated[Path, typer.Option(help="Scene file with rgb and disparity.")],
    output: Annotated[Path, typer.Option(help="PNG or JPEG to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many scenes, spread evenly over the file.")] = 24,
    columns: Annotated[int, typer.Option(min=1, help="Scenes per row.")] = 4,
) -> None:
    """Lay out scenes, colour beside disparity, on one page."""
    from PIL import Image

    from sfigf.files import replacing
    from sfigf.render.sheet import contact_sheet
    from sfigf.store import RecordFile, read_scenes

    file = RecordFile(scenes)
    known = [index for index in range(len(file)) if {"rgb", "disparity"} <= {*file.fields(index)}]
    if not known:
        raise UserError(f"{scenes}: no scene with rgb and disparity to draw")
    chosen = {*known} if len(known) <= count else {known[i * len(known) // count] for i in range(count)}
    shown = [scene for index, scene in enumerate(read_scenes(scenes)) if index in chosen]
    with replacing(output) as temporary:
        Image.fromarray(contact_sheet(shown, columns)).save(temporary, quality=84)


COMMANDS: list[tuple[str, Callable[..., Any]]] = [("render", render), ("gather", gather), ("sheet", sheet)]
