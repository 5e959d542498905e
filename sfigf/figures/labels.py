"""Names beside markers where there are many: no label covers another, a marker or the frame; far ones get a leader."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation

from sfigf.figures.style import INK, QUIET
from sfigf.interface import Array

_MARKER_PX = 15.0
_LINE_PX = 4.0
_NEAR_PX = 17.0
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_REACHES = np.array([2.0, 6, 11, 17, 24, 32, 42, 54, 68, 84, 102])
_ROUNDS = 4
_PILE, _LIST_PX = 3, 18.0
# What a square pixel of overlap costs against a pixel of distance.
_COVERS, _CROSSES, _OUTSIDE, _FAR, _BLURS, _MISLEADS = 1.0, 0.15, 4.0, 0.9, 25.0, 30.0


def place_labels(
    axes: Axes, labels: Sequence[str], points: Sequence[tuple[float, float]], bold: Sequence[bool], line: Array
) -> None:
    """Write each label near its marker, all of them apart.

    Args:
        axes: Limits and scales are final.
        labels: Text per marker.
        points: Data coordinates of the markers.
        bold: Which labels are set in bold.
        line: Corners (n,2), in data coordinates, of a line of horizontal and vertical pieces that labels keep off.
    """
    axes.figure.canvas.draw()
    centres = axes.transData.transform(np.array(points, dtype=np.float64).reshape(-1, 2))
    texts = [_text(axes, *row) for row in zip(labels, points, bold, strict=True)]
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([(extent.width + 2, extent.height + 1) for extent in extents]).reshape(-1, 2)
    pieces = _boxes_of_line(axes.transData.transform(np.asarray(line, dtype=np.float64).reshape(-1, 2)))
    frame = np.array(axes.get_window_extent().extents)
    places = _arranged(centres, sizes, pieces, frame)
    for text, centre, place, size in zip(texts, centres, places, sizes, strict=True):
        text.set_position(tuple(place - centre))
        _lead(axes, centre, place, size)


def _text(axes: Axes, label: str, point: tuple[float, float], bold: bool) -> Annotation:
    return axes.annotate(
        label,
        point,
        (0, 0),
        textcoords="offset pixels",
        fontsize=7.5,
        fontweight="bold" if bold else "normal",
        color=INK,
        ha="center",
        va="center",
        zorder=9,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )


def _arranged(centres: Array, sizes: Array, pieces: Array, frame: Array) -> Array:
    """Return the centre (n,2) of each label: a pile's first, then one after the other to its best place, repeatedly."""
    markers = _boxes(centres, np.full((len(centres), 2), _MARKER_PX))
    places, placed = _listed(centres, sizes, frame)
    free = sorted(np.flatnonzero(~placed), key=lambda index: (centres[index][1], centres[index][0]))
    for _ in range(_ROUNDS):
        for index in free:
            others = np.arange(len(centres)) != index
            names = _boxes(places, sizes)[placed & others]
            places[index] = _best(centres[index], sizes[index], markers[others], names, pieces, frame)
            placed[index] = True
    return places


def _listed(centres: Array, sizes: Array, frame: Array) -> tuple[Array, Array]:
    """Write the names of markers piled on one vertical as a list beside it, in their order; say which those are."""
    places, listed = centres.copy(), np.zeros(len(centres), dtype=bool)
    for across in np.unique(centres[:, 0].round(1)):
        pile = np.flatnonzero(np.abs(centres[:, 0] - across) < 1)
        pile = pile[np.argsort(centres[pile, 1], kind="stable")]
        height = sizes[pile, 1].max()
        if len(pile) < _PILE or np.diff(centres[pile, 1]).min() > height:
            continue
        steps = height * np.arange(len(pile))
        bottom = np.clip((centres[pile, 1] - steps).mean(), frame[1] + height, frame[3] - steps[-1] - height)
        places[pile, 1] = bottom + steps
        places[pile, 0] = across + _MARKER_PX / 2 + _LIST_PX + sizes[pile, 0] / 2
        listed[pile] = True
    return places, listed


def _best(centre: Array, size: Array, markers: Array, names: Array, pieces: Array, frame: Array) -> Array:
    """Return the cheapest centre for a label, given the boxes of the other markers and of the other labels."""
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    # From the middle to the edge of the label, whichever side faces the marker.
    inner = (size / 2 + _MARKER_PX / 2) * np.clip(1.3 * directions, -1, 1)
    reach = np.repeat(_REACHES, len(directions))
    candidates = centre + np.tile(inner, (len(_REACHES), 1)) + reach[:, None] * np.tile(directions, (len(_REACHES), 1))
    boxes = _boxes(candidates, np.broadcast_to(size, candidates.shape))
    own = _boxes(centre[None], np.full((1, 2), _MARKER_PX))
    taken = np.concatenate([markers, names])
    cost = _COVERS * _shared(boxes, np.concatenate([taken, own])) + _CROSSES * _shared(boxes, pieces)
    cost = cost + _OUTSIDE * (size.prod() - _shared(boxes, frame[None])) + _FAR * reach
    ends = np.clip(centre, boxes[:, :2], boxes[:, 2:])
    led = np.hypot(*(ends - centre).T) > _NEAR_PX
    for share in (0.4, 0.6, 0.8):  # a leader across another label reads as that label's
        cost = cost + _BLURS * led * _hits(centre + share * (ends - centre), taken)
    return candidates[int(np.argmin(cost + _MISLEADS * ~led * _nearer(boxes, centre, markers)))]


def _nearer(boxes: Array, centre: Array, markers: Array) -> Array:
    """Count the markers that are about as near to each box as its own."""
    middles = np.concatenate([centre[None], (markers[:, :2] + markers[:, 2:]) / 2])
    ends = np.clip(middles[None], boxes[:, None, :2], boxes[:, None, 2:])
    distances = np.hypot(*np.moveaxis(ends - middles, -1, 0))
    return (distances[:, 1:] < distances[:, :1] + 4).sum(axis=1)


def _boxes(centres: Array, sizes: Array) -> Array:
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


def _boxes_of_line(corners: Array) -> Array:
    if len(corners) < 2:
        return np.empty((0, 4))
    ends = np.stack([corners[:-1], corners[1:]])
    return np.concatenate([ends.min(axis=0) - _LINE_PX / 2, ends.max(axis=0) + _LINE_PX / 2], axis=1)


def _shared(boxes: Array, others: Array) -> Array:
    """Return the area that each box (n,4) shares with all others (m,4)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=2).sum(axis=1)


def _hits(spots: Array, boxes: Array) -> Array:
    inside = (spots[:, None] > boxes[None, :, :2]) & (spots[:, None] < boxes[None, :, 2:])
    return inside.all(axis=2).sum(axis=1)


def _lead(axes: Axes, centre: Array, place: Array, size: Array) -> None:
    """Join a label to its marker where it is not plain whose it is."""
    low, high = place - size / 2, place + size / 2
    beside = low[0] - centre[0] > _MARKER_PX
    end = np.array([low[0], place[1]]) if beside else np.clip(centre, low, high)
    distance = float(np.hypot(*(end - centre)))
    if distance <= _NEAR_PX:
        return
    start = centre + (end - centre) * (_MARKER_PX / 2) / distance
    ends = axes.transData.inverted().transform([start, end])
    axes.plot(*ends.T, color=QUIET, linewidth=0.5, zorder=1.8, scalex=False, scaley=False)
