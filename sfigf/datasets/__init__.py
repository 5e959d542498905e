"""Readers of the data sets; importing this package registers them."""

from sfigf.datasets import (
    depth_sets,
    focus_sets,
    middlebury,
    pan_sets,
    pancollection,
    photos,
    raw_sets,
    rendered,
    satellites,
)

__all__ = [
    "depth_sets",
    "focus_sets",
    "middlebury",
    "pan_sets",
    "pancollection",
    "photos",
    "raw_sets",
    "rendered",
    "satellites",
]
