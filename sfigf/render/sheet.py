"""A page of scenes to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sfigf.degrade.colour import unit_range
from sfigf.interface import Array, Scene, UserError

_GAP_PX = 4
_TITLE_PX = 14


def contact_sheet(scenes: Sequence[Scene], columns: int) -> Array:
    """Lay out every scene's colour beside its disparity, with its name.

    Args:
        scenes: With ``rgb`` and ``disparity``; sizes may differ.
        columns: Scenes per row, at least 1.

    Returns:
        (H,W,3) uint8. Disparity runs from blue (far) to red (near) between its own extremes.

    Raises:
        UserError: If there is no scene or no column.
    """
    if not scenes or columns < 1:
        raise UserError(f"a contact sheet needs scenes and columns, got {len(scenes)} and {columns}")
    tiles = [_tile(scene) for scene in scenes]
    height, width = (max(tile.shape[axis] for tile in tiles) for axis in (0, 1))
    rows = -(-len(tiles) // columns)
    page = np.full((rows * height, min(columns, len(tiles)) * width, 3), 255, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * height, place % columns * width
        page[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return page


def _tile(scene: Scene) -> Array:
    from matplotlib import colormaps
    from PIL import Image, ImageDraw

    rgb = np.rint(unit_range(scene.arrays["rgb"]).transpose(1, 2, 0) * 255).astype(np.uint8)
    disparity = np.nan_to_num(np.asarray(scene.arrays["disparity"][0], dtype=np.float64), posinf=0.0)
    low, high = disparity.min(), disparity.max()
    coloured = colormaps["turbo"]((disparity - low) / max(high - low, 1e-9), bytes=True)[..., :3]
    height, width = disparity.shape
    canvas = np.full((height + _TITLE_PX + _GAP_PX, 2 * (width + _GAP_PX), 3), 255, dtype=np.uint8)
    canvas[_TITLE_PX : _TITLE_PX + height, :width] = rgb
    canvas[_TITLE_PX : _TITLE_PX + height, width + _GAP_PX : 2 * width + _GAP_PX] = coloured
    picture = Image.fromarray(canvas)
    ImageDraw.Draw(picture).text((2, 1), f"{scene.name}   {low:.1f} to {high:.1f} px", fill=(0, 0, 0))
    return np.asarray(picture)
