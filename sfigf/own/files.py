"""Restore images that lie in files, one pair at a time, without ever holding a whole one."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.images import create_image, open_image
from sfigf.interface import Array
from sfigf.own.defaults import FOLDERS, default_weights
from sfigf.own.options import Options, factor_of
from sfigf.own.pairs import Pair
from sfigf.own.preview import Preview
from sfigf.own.restorer import Restorer, check_task
from sfigf.own.source import Source
from sfigf.own.windows import Windows
from sfigf.regions import Region

_SCRATCH_FROM_PIXELS = 4_000_000


@dataclasses.dataclass
class Studio:
    """Restores files; a network is loaded once, whatever the number of images.

    Attributes:
        task: depth, pan, focus or raw.
        weights: Weight file; None for those that fit the factor of each image best.
        weights_folders: Where those are looked for, in order.
        device: Device name.
        tile: Side in pixels of the pieces; None for the default.
        options: What is said about the images.
        target_name: Which array of a .mat or .h5 the target is.
        guide_name: The same of the guide.
        say: Gets a line when weights are taken that nobody named.

    Raises:
        UserError: Unknown task, or weights that are missing or of another task.
    """

    task: str
    weights: Path | None = None
    weights_folders: Sequence[str | Path] = FOLDERS
    device: str = "auto"
    tile: int | None = None
    options: Options = dataclasses.field(default_factory=Options)
    target_name: str | None = None
    guide_name: str | None = None
    say: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        check_task(self.task)
        self._loaded: dict[Path, Restorer] = {}
        if self.weights is None:
            default_weights(self.task, self.options.scale or 1, *self.weights_folders)
        else:
            self._restorer(1)

    def restore(self, pair: Pair, progress: Callable[[float], None] = lambda share: None) -> None:
        """Restore one image and write it, with its preview; both appear whole or not at all.

        Raises:
            UserError: One line that says what does not fit, with both sides' numbers.
        """
        with contextlib.ExitStack() as files:
            target = files.enter_context(open_image(pair.target, name=self.target_name))
            guide = None
            if pair.guide is not None:
                guide = files.enter_context(open_image(pair.guide, name=self.guide_name))
            factor = factor_of(self.task, target.shape, None if guide is None else guide.shape, self.options.scale)
            restorer = self._restorer(self.options.scale or factor, target.shape[0])
            windows = restorer.windows(restorer.inputs(target, guide, self.options))
            _Job(pair, restorer, windows, self._output(pair, target, guide, factor)).run(self.tile, progress)

    def _restorer(self, factor: int, bands: int | None = None) -> Restorer:
        bands = bands if self.task == "pan" else None
        path = self.weights or default_weights(self.task, factor, *self.weights_folders, bands=bands)
        if path not in self._loaded:
            self._loaded[path] = Restorer(self.task, path, self.device)
            if self.weights is None:
                self.say(f"weights: {path}")
        return self._loaded[path]

    def _output(self, pair: Pair, target: Source, guide: Source | None, factor: int) -> dict[str, Any]:
        """Return type and place on the ground of the image to write."""
        place = None if guide is None else guide.georeference
        if place is None and target.georeference is not None:
            place = target.georeference.scaled(factor)
        photo = np.uint8 if pair.output.suffix.lower() == ".png" else np.float32
        return {"dtype": target.dtype if self.task in ("depth", "pan") else np.dtype(photo), "georeference": place}


@dataclasses.dataclass(frozen=True)
class _Job:
    pair: Pair
    restorer: Restorer
    windows: Windows
    output: dict[str, Any]

    def run(self, tile: int | None, progress: Callable[[float], None]) -> None:
        inputs = self.windows.inputs
        height, width = (side * inputs.upscale for side in inputs.size)
        bands = self.restorer.facts["signature"]["output"]
        preview = self.pair.preview and Preview(self.pair.preview, self.restorer.task, self.windows, bands)
        large = tile is not None or height * width > _SCRATCH_FROM_PIXELS
        with (
            create_image(self.pair.output, (bands, height, width), nodata=inputs.nodata, **self.output) as writer,
            _scratch(self.pair.output, large) as scratch,
        ):

            def write(region: Region, restored: Array) -> None:
                if preview:
                    preview.add(region, restored)
                writer.write(region, self._stored(region, restored))

            self.restorer.restore(self.windows, write, tile=tile, scratch=scratch, progress=progress)
            if preview:
                preview.save()

    def _stored(self, region: Region, restored: Array) -> Array:
        """Return the values as the file holds them: photographs in 8 bits count from 0 to 255."""
        dtype = self.output["dtype"]
        if self.restorer.task in ("focus", "raw") and dtype == np.uint8:
            return np.clip(restored, 0, 1) * 255
        return self.windows.in_units(region, restored, dtype)


@contextlib.contextmanager
def _scratch(output: Path, wanted: bool) -> Iterator[Path | None]:
    """Yield a folder beside the output that goes again whatever happens, or None."""
    if not wanted:
        yield None
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.stem}-", dir=output.parent) as folder:
        yield Path(folder)
