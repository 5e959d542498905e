"""Methods side by side: the whole image, a close-up, and the error on one scale."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sfigf.figures.cases import Case
from sfigf.figures.panels import (
    DEPTH_COLOURS,
    ERROR_COLOURS,
    Painter,
    choose_window,
    crop,
    error_map,
    error_picture,
    shared_limit,
)
from sfigf.figures.style import INK, QUIET, new_figure, save, styled
from sfigf.interface import Array, Sample
from sfigf.tables.names import condition_label, metric_label, number_text, task_label

WIDTH, MARGIN, GAP, ROW_GAP, HEAD, TITLE, FOOT = 10.0, 0.28, 0.07, 0.05, 0.36, 0.42, 0.16
COMPARISON_ROWS = ("image", "close-up", "error")
ZOOM_ROWS = ("close-up", "close-up error")
_WINDOW_COLOUR = "#E69F00"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One column of panels: a name, a note, and a picture per row (None leaves a hole)."""

    name: str
    note: str
    pictures: dict[str, Array | None]
    colour: str | None = None
    best: bool = False


def draw_comparison(cases: Sequence[Case], output: str | Path) -> None:
    """Draw inputs, every method and the truth: whole, close up, and as error maps on one scale per image."""
    _draw(cases, COMPARISON_ROWS, 6, output)


def draw_zoom(cases: Sequence[Case], output: str | Path) -> None:
    """Draw the same close-up of every method, large, and its error."""
    _draw(cases, ZOOM_ROWS, 5, output)


def _draw(cases: Sequence[Case], rows: Sequence[str], columns: int, output: str | Path) -> None:
    with styled():
        blocks = [Block(case, rows, columns) for case in cases]
        height = sum(block.height for block in blocks)
        figure = new_figure(WIDTH, height)
        top = height
        for block in blocks:
            block.draw(figure, top)
            top -= block.height
        save(figure, output)


class Block:
    """The panels of one image, in bands of at most ``columns`` cells."""

    def __init__(self, case: Case, rows: Sequence[str], columns: int) -> None:
        self.case = case
        self.painter = Painter(case.task, case.sample)
        results = [result.restored for result in case.results]
        self.window = choose_window(case.sample, results)
        self.shape = results[0].shape[1:]
        has_truth = case.sample.truth is not None
        self.errors = [error_map(restored, case.sample) for restored in results] if has_truth else []
        self.limit = shared_limit(self.errors) if has_truth else 1.0
        self.rows = [row for row in rows if has_truth or "error" not in row]
        self.cells = self._cells()
        bands = math.ceil(len(self.cells) / columns)
        self.columns = math.ceil(len(self.cells) / bands)
        self.bands = math.ceil(len(self.cells) / self.columns)
        self.panel_width = (WIDTH - 2 * MARGIN - GAP * (self.columns - 1)) / self.columns
        self.panel_height = self.panel_width * self.shape[0] / self.shape[1]
        self.band_height = HEAD + len(self.rows) * (self.panel_height + ROW_GAP) + FOOT
        self.height = TITLE + self.bands * self.band_height

    def draw(self, figure: Figure, top: float) -> None:
        """Draw into ``figure`` below ``top``, in inches from its lower edge."""
        _text(figure, MARGIN, top - 0.13, self._title(), size=10.5, weight="bold")
        _text(figure, MARGIN, top - 0.31, self._subtitle(), size=8, color=QUIET)
        for index, cell in enumerate(self.cells):
            band, column = divmod(index, self.columns)
            self._draw_cell(figure, cell, self._left(column), top - TITLE - band * self.band_height)
        for band in range(self.bands):
            self._name_rows(figure, top - TITLE - band * self.band_height)
        if self.errors:
            self._draw_scales(figure, top - TITLE)

    def _cells(self) -> list[Cell]:
        painter, sample, case = self.painter, self.case.sample, self.case
        inputs = [("Target", painter.target(), _size(sample)), ("Guide", painter.guide(), "")]
        if case.task == "focus":
            inputs = [("Input A", painter.target(), ""), ("Input B", painter.guide(), "")]
        cells = [Cell(name, note, self._views(picture)) for name, picture, note in inputs]
        best = self._best()
        for index, result in enumerate(case.results):
            views = self._views(painter.result(result.restored), self.errors[index] if self.errors else None)
            note = f"{metric_label(case.metric)} {number_text(result.value, case.unit)}" if case.metric else ""
            cells.append(Cell(result.label, note, views, result.look.colour, result.value == best))
        if sample.truth is not None:
            cells.append(Cell("Truth", "", self._views(painter.truth())))
        return cells

    def _best(self) -> float:
        values = [result.value for result in self.case.results if math.isfinite(result.value)]
        if not values:
            return math.inf
        return max(values) if self.case.higher_is_better else min(values)

    def _views(self, picture: Array, error: Array | None = None) -> dict[str, Array | None]:
        views: dict[str, Array | None] = {"image": picture, "close-up": crop(picture, self.window, self.shape)}
        if error is not None:
            painted = error_picture(error, self.limit)
            views |= {"error": painted, "close-up error": crop(painted, self.window, self.shape)}
        return views

    def _draw_cell(self, figure: Figure, cell: Cell, left: float, top: float) -> None:
        weight = "bold" if cell.best else "normal"
        _text(figure, left, top - 0.09, cell.name, size=8.5, weight=weight)
        _text(figure, left, top - 0.235, cell.note, size=7.5, color=INK if cell.best else QUIET, weight=weight)
        for row, name in enumerate(self.rows):
            picture = cell.pictures.get(name)
            if picture is None:
                continue
            bottom = top - HEAD - row * (self.panel_height + ROW_GAP) - self.panel_height
            axes = _axes(figure, left, bottom, self.panel_width, self.panel_height)
            self._show(axes, picture, name, cell.colour if row == 0 else None)

    def _show(self, axes: Axes, picture: Array, row: str, colour: str | None) -> None:
        height, width = self.window[2:] if row.startswith("close") else self.shape
        smooth = "nearest" if row.startswith("close") else None
        axes.imshow(picture, extent=(0, width, height, 0), aspect="auto", interpolation=smooth)
        axes.set_axis_off()
        if row in ("image", "error"):
            top, left, window_height, window_width = self.window
            box = Rectangle(
                (left, top), window_width, window_height, fill=False, edgecolor=_WINDOW_COLOUR, linewidth=0.9
            )
            axes.add_patch(box)
        if colour is not None:
            line = Rectangle((0, 1.0), 1, 0.018 / self.panel_height, transform=axes.transAxes, clip_on=False)
            line.set(facecolor=colour, edgecolor="none")
            axes.add_patch(line)

    def _name_rows(self, figure: Figure, top: float) -> None:
        for row, name in enumerate(self.rows):
            middle = top - HEAD - row * (self.panel_height + ROW_GAP) - self.panel_height / 2
            _text(figure, MARGIN - 0.1, middle, name, size=7.5, color=QUIET, rotation=90, ha="center")

    def _draw_scales(self, figure: Figure, top: float) -> None:
        """Colour bars in the holes of the error row: errors below the inputs, depth below the truth."""
        row = next(index for index, name in enumerate(self.rows) if "error" in name)
        middle = HEAD + row * (self.panel_height + ROW_GAP) + self.panel_height / 2
        note = "grey: truth unknown" if self.case.sample.valid is not None else ""
        title = f"absolute error{self._error_unit()}, one scale for all"
        width = 2 * self.panel_width + GAP
        _colour_bar(figure, (MARGIN, top - middle, width), (0, self.limit), ERROR_COLOURS, title, note)
        if self.painter.limits is not None:
            band, column = divmod(len(self.cells) - 1, self.columns)
            place = (self._left(column), top - band * self.band_height - middle, self.panel_width)
            title = f"disparity [{self.case.sample.meta.get('unit', 'px')}]"
            _colour_bar(figure, place, tuple(self.painter.limits), DEPTH_COLOURS, title, "")

    def _left(self, column: int) -> float:
        return MARGIN + column * (self.panel_width + GAP)

    def _error_unit(self) -> str:
        known = {"depth": "px", "pan": "digital numbers", "focus": "share of full range", "raw": "share of full range"}
        return f" [{self.case.sample.meta.get('unit', known[self.case.task])}]"

    def _title(self) -> str:
        return f"{task_label(self.case.task)}, {condition_label(self.case.condition)}: {self.case.sample.name}"

    def _subtitle(self) -> str:
        case = self.case
        words = [_CONTENT[case.task]]
        if case.metric:
            direction = "higher is better" if case.higher_is_better else "lower is better"
            words.append(f"{metric_label(case.metric, case.unit, case.higher_is_better)}, {direction}, best in bold")
        words.append("close-up: where methods disagree most at edges")
        return "   ·   ".join(word for word in words if word)


_CONTENT = {
    "depth": "disparity, bright is near",
    "pan": "bands 3, 2, 1 as red, green, blue, 2 to 98 %",
    "focus": "display-referred colour",
    "raw": "target and guide: half size, camera colours",
}


def _size(sample: Sample) -> str:
    array = sample.target if sample.coarse is None else sample.coarse
    return f"{array.shape[2]} × {array.shape[1]} px"


def _colour_bar(
    figure: Figure,
    place: tuple[float, float, float],
    limits: tuple[float, float],
    colours: str,
    title: str,
    note: str,
) -> None:
    """Draw a horizontal colour bar at ``place``: left end, middle and width of its slot in inches."""
    left, middle, width = place
    axes = _axes(figure, left + 0.1 * width, middle - 0.02, 0.8 * width, 0.11)
    scale = ScalarMappable(Normalize(*limits), colours)
    extend = "max" if limits[0] == 0 else "both"
    bar = figure.colorbar(scale, cax=axes, orientation="horizontal", extend=extend, extendfrac=0.03)
    bar.outline.set_linewidth(0.5)
    bar.set_ticks(np.linspace(0, limits[1], 5).tolist() if limits[0] == 0 else MaxNLocator(4))
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_title(title, fontsize=8, color=INK, loc="center")
    axes.set_xlabel(note, fontsize=7.5, color=QUIET)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    whole_width, whole_height = figure.get_size_inches()
    return figure.add_axes((left / whole_width, bottom / whole_height, width / whole_width, height / whole_height))


def _text(figure: Figure, left: float, middle: float, text: str, **options: Any) -> None:
    width, height = figure.get_size_inches()
    options = {"ha": "left", "va": "center", "color": INK, **options}
    figure.text(left / width, middle / height, text, **options)
