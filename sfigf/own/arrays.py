"""Restore arrays that lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.interface import Array, UserError
from sfigf.own.defaults import FOLDERS, default_weights
from sfigf.own.options import Options, factor_of
from sfigf.own.restorer import Restorer, check_task
from sfigf.own.source import ArraySource
from sfigf.regions import Region


def restore(
    task: str,
    target: Array,
    guide: Array | None = None,
    weights: str | Path | None = None,
    *,
    device: str = "auto",
    tile: int | None = None,
    weights_folders: Sequence[str | Path] = FOLDERS,
    **options: Any,
) -> Array:
    """Restore one target image with the help of its guide.

    Args:
        task: depth, pan, focus or raw.
        target: (C,h,w) as stored. depth: coarse disparity or depth; pan: coarse bands; focus: image A; raw: (1,H,W)
            mosaic, already black-subtracted and divided by its range.
        guide: (Cg,H,W) as stored; for depth and pan its size is a whole multiple of the target's. None for weights
            that take none (raw-mono).
        weights: Weight file of the task; by default those that fit best below ``weights_folders``.
        device: Device name.
        tile: Side in pixels of the pieces it is done in, 256 by default: it sets the memory, not the result.
        weights_folders: Where default weights are looked for, the first that fits alike counts.
        options: See ``sfigf.own.Options``.

    Returns:
        (C,H,W) float32 in the units of ``target`` (depth, pan), in [0,1] (focus, raw).

    Raises:
        UserError: Sizes that do not match, NaN, weights of another task, or trained with a guide that no camera has.
    """
    check_task(task)
    for role, array in (("target", target), ("guide", guide)):
        if array is not None and (array.ndim != 3 or 0 in array.shape):
            raise UserError(f"the {role} has shape {array.shape}; give bands, rows, columns: (C,H,W)")
    chosen = Options(**options)
    factor = factor_of(task, target.shape, None if guide is None else guide.shape, chosen.scale)
    bands = target.shape[0] if task == "pan" else None
    weights = weights or default_weights(task, chosen.scale or factor, *weights_folders, bands=bands)
    restorer = Restorer(task, weights, device)
    windows = restorer.windows(
        restorer.inputs(ArraySource(target), None if guide is None else ArraySource(guide), chosen)
    )
    signature, (height, width) = restorer.facts["signature"], windows.inputs.size
    upscale = windows.inputs.upscale
    restored = np.empty((signature["output"], height * upscale, width * upscale), dtype=np.float32)

    def keep(region: Region, values: Array) -> None:
        region.of(restored)[:] = windows.in_units(region, values)

    restorer.restore(windows, keep, tile=tile)
    return restored
