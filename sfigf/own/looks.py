"""How the images of a task are shown: (C,h,w), NaN where nothing is known, to (h,w,3) uint8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sfigf.interface import Array

_PERCENTILES = (1, 99)
_UNKNOWN = 225


def looks(task: str, target: Array, guide: Array | None, restored: Array, meta: Mapping[str, Any]) -> list[Array]:
    """Return the pictures of target, guide (if there is one) and restored image.

    Depth goes through the colour map viridis and pan shows its bands 3, 2, 1, target and restored image on one scale,
    that of their common percentiles 1 and 99. Focus is shown as it is, the target of raw (3,h,w) is developed.
    """
    if task == "depth":
        target, restored = (_viridis(image) for image in _stretched(target, restored))
    elif task == "pan":
        target, restored = _stretched(_three(target), _three(restored))
    elif task == "raw":
        target = _developed(target, meta)
    if guide is None:
        return [_picture(target), _picture(restored)]
    if task == "pan":
        (guide,) = _stretched(guide)
    elif task == "raw":
        guide = _developed(guide.repeat(3, axis=0), {"colour_matrix": np.eye(3)})
    return [_picture(image) for image in (target, guide, restored)]


def _three(bands: Array) -> Array:
    return bands[2::-1] if len(bands) >= 3 else bands[:1]


def _stretched(*images: Array) -> list[Array]:
    """Scale each band so that the percentiles common to all images become 0 and 1."""
    bands = len(images[0])
    together = np.concatenate([image.reshape(bands, -1) for image in images], axis=1)
    low, high = np.nanpercentile(together, _PERCENTILES, axis=1)
    span = np.where(high > low, high - low, 1)
    return [(image - low[:, None, None]) / span[:, None, None] for image in images]


def _viridis(image: Array) -> Array:
    """Colour (1,h,w) in [0,1] as (3,h,w)."""
    import matplotlib

    coloured = matplotlib.colormaps["viridis"](np.nan_to_num(image[0]))[..., :3].transpose(2, 0, 1)
    return np.where(np.isnan(image), np.nan, coloured)


def _developed(camera: Array, meta: Mapping[str, Any]) -> Array:
    """Linear camera RGB (3,h,w) to the display."""
    from sfigf.degrade.camera import show

    shown = show(np.einsum("oc,chw->ohw", np.asarray(meta["colour_matrix"]), np.nan_to_num(camera)))
    return np.where(np.isnan(camera).any(axis=0), np.nan, shown)


def _picture(image: Array) -> Array:
    """Bring (1 or 3,h,w) in [0,1] to (h,w,3) uint8; what is not known turns light grey."""
    rounded = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255)
    rounded = np.where(np.isnan(image), _UNKNOWN, rounded).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rounded, (3, *image.shape[1:])).transpose(1, 2, 0))
