"""A side-by-side picture of target, guide and restored image, gathered window by window at a small size."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.files import replacing
from sfigf.interface import Array, UserError
from sfigf.own.looks import looks
from sfigf.own.windows import Windows
from sfigf.regions import Region, regions

WIDTH_PX, _HEIGHT_PX = 1600, 1200
_GAP_PX, _LABEL_PX = 12, 30
_PAPER, _INK = (255, 255, 255), (26, 26, 26)
_WINDOW_PX = 1024


class Preview:
    """What is to be seen of one restoration.

    Args:
        path: Picture to write, .png or .jpg.
        task: depth, pan, focus or raw.
        windows: What the network is given.
        bands: Bands of the restored image.

    Raises:
        UserError: If the suffix is not one that pictures have.
    """

    def __init__(self, path: str | Path, task: str, windows: Windows, bands: int) -> None:
        self.path, self.task, self.windows = Path(path), task, windows
        check_picture(self.path)
        self._panel_count = panels = len(windows.inputs.seen(Region(0, 0, 1, 1))) + 1
        self._room = (WIDTH_PX - (panels + 1) * _GAP_PX) // panels
        height, width = windows.inputs.size
        # Gathered at up to twice the size that is shown, so that the last step to it can be a smooth one.
        least = windows.inputs.quad
        self._step = max(1, max(width // self._room, height // _HEIGHT_PX) // least) * least
        upscale = windows.inputs.upscale
        self._restored = Reduced(bands, height * upscale, width * upscale, self._step * upscale)

    def add(self, region: Region, restored: Array) -> None:
        """Take in a region of the output, on the scale of the target."""
        unknown = self.windows.inputs.unknown(region)
        self._restored.add(region, restored if unknown is None else np.where(unknown, np.nan, restored))

    def save(self) -> None:
        """Walk over the inputs and write the picture, atomically."""
        from PIL import Image, ImageDraw, ImageFont

        panels = [self._fitted(panel) for panel in self._panels()]
        width, height = panels[0].size
        size = (len(panels) * (width + _GAP_PX) + _GAP_PX, height + _LABEL_PX + _GAP_PX)
        sheet = Image.new("RGB", size, _PAPER)
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
        for place, (panel, label) in enumerate(zip(panels, self._labels(), strict=True)):
            left = _GAP_PX + place * (width + _GAP_PX)
            sheet.paste(panel, (left, _LABEL_PX))
            draw.text((left, _LABEL_PX // 2), label, fill=_INK, font=font, anchor="lm")
        with replacing(self.path) as temporary:
            sheet.save(temporary)

    def _panels(self) -> list[Array]:
        """Return (h,w,3) uint8 of each image."""
        inputs = self.windows.inputs
        corner = inputs.seen(Region(0, 0, 1, 1))
        seen = [Reduced(len(image), *inputs.size, self._step) for image in corner]
        for region in regions(*inputs.size, _WINDOW_PX):
            for reduced, image in zip(seen, inputs.seen(region), strict=True):
                reduced.add(region, image)
        target, *guide = (reduced.mean() for reduced in seen)
        return looks(self.task, target, guide[0] if guide else None, self._restored.mean(), inputs.meta)

    def _fitted(self, panel: Array) -> Any:
        """Make a panel as large as there is room: smoothly smaller, or larger by a whole number: pixels show."""
        from PIL import Image

        height, width = panel.shape[:2]
        share = min(self._room / width, _HEIGHT_PX / height)
        smooth = Image.Resampling.LANCZOS if share < 1 else Image.Resampling.NEAREST
        share = share if share < 1 else int(share)
        size = (max(1, round(width * share)), max(1, round(height * share)))
        return Image.fromarray(panel).resize(size, smooth)

    def _labels(self) -> list[str]:
        height, width = (side * self.windows.inputs.upscale for side in self.windows.inputs.size)
        names = ["target, upsampled" if self.task in ("depth", "pan") else "target", "guide"]
        return [*names[: self._panel_count - 1], f"restored, {width} x {height} px"]


class Reduced:
    """Means of square blocks of an image (C,H,W), NaN left out."""

    def __init__(self, bands: int, height: int, width: int, step: int) -> None:
        self.step = step
        self._sums = np.zeros((bands, -(-height // step), -(-width // step)))
        self._counts = np.zeros_like(self._sums)

    def add(self, region: Region, values: Array) -> None:
        """Take in the values (C,h,w) of a region."""
        known = np.isfinite(values)
        place = region.over(self.step)
        place.of(self._sums)[:] += self._blocks(region, np.where(known, values, 0))
        place.of(self._counts)[:] += self._blocks(region, known)

    def mean(self) -> Array:
        """Return (C,h,w) float32, NaN where no value was known."""
        known = self._counts > 0
        return np.where(known, self._sums / np.where(known, self._counts, 1), np.nan).astype(np.float32)

    def _blocks(self, region: Region, values: Array) -> Array:
        """Sum a region's values by the blocks they fall in."""
        summed = values.astype(np.float64)
        for axis, (start, stop) in enumerate(((region.top, region.bottom), (region.left, region.right)), start=1):
            first = (start // self.step + 1) * self.step
            edges = itertools.chain([0], range(first - start, stop - start, self.step))
            summed = np.add.reduceat(summed, list(edges), axis=axis)
        return summed


def check_picture(path: Path) -> None:
    """Raise UserError unless the suffix is one that a preview can have."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UserError(f"{path}: a preview is a .png or .jpg, not a '{path.suffix}'")
