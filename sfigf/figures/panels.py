"""Arrays into pictures: what each task looks like, how far a method is off, and where to look closely.

Pictures are (H,W,3) uint8; error maps are (H,W) in the units of the sample.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from sfigf.interface import Array, Sample
from sfigf.metrics.checks import truth_of

DEPTH_COLOURS, ERROR_COLOURS = "viridis", "magma"
UNKNOWN = (158, 158, 158)
_BANDS = (2, 1, 0)


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Per-band limits that come out black and white; shared by every panel of a figure."""

    low: Array
    high: Array

    def __call__(self, values: Array) -> Array:
        """Map (C,H,W) to [0,1]."""
        span = np.maximum(self.high - self.low, 1e-9)
        return np.clip((values - self.low[:, None, None]) / span[:, None, None], 0, 1)


def stretch_of(values: Array, low: float = 2, high: float = 98) -> Stretch:
    """Return the percentiles of each band of (C,H,W) as limits."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    return Stretch(np.percentile(flat, low, axis=1), np.percentile(flat, high, axis=1))


class Painter:
    """Turns the arrays of one sample into pictures on shared limits, taken from the truth where there is one.

    ``limits`` are those of the depth colours, in units of the sample; None for the other tasks.
    """

    def __init__(self, task: str, sample: Sample) -> None:
        self.task, self.sample = task, sample
        self.limits: Array | None = None
        reference = sample.target if sample.truth is None else sample.truth
        if task == "depth":
            seen = reference[:, known_pixels(sample)]
            self._stretch = stretch_of(seen[..., None], 0.5, 99.5)
            self.limits = sample.to_units(np.array([self._stretch.low[0], self._stretch.high[0]]))
        elif task == "pan":
            self._stretch = stretch_of(reference[list(_BANDS[: len(reference)])])

    def result(self, restored: Array) -> Array:
        """Picture of a restored image or of the truth, (Co,H,W) on the normalised scale."""
        if self.task == "depth":
            return _coloured(self._stretch(restored)[0], DEPTH_COLOURS)
        if self.task == "pan":
            return _rgb(self._stretch(restored[list(_BANDS[: len(restored)])]))
        return _rgb(np.clip(restored, 0, 1))

    def truth(self) -> Array:
        """Picture of the truth; unknown pixels are grey."""
        picture = self.result(truth_of(self.sample))
        picture[~known_pixels(self.sample)] = UNKNOWN
        return picture

    def target(self) -> Array:
        """Picture of the degraded target: the coarse image where the task has one."""
        sample = self.sample
        if self.task == "raw":
            red, greens, blue = sample.target[0], sample.target[1:3], sample.target[3]
            return _rgb(_encoded(np.stack([red, greens.mean(axis=0), blue])))
        return self.result(sample.target if sample.coarse is None else sample.coarse)

    def guide(self) -> Array:
        """Picture of the guide."""
        guide = self.sample.guide
        if self.task == "pan":
            return _rgb(stretch_of(guide)(guide))
        if self.task == "raw":
            return _rgb(_encoded(guide.mean(axis=0, keepdims=True)))
        return _rgb(np.clip(guide, 0, 1))


def known_pixels(sample: Sample) -> Array:
    """Return (H',W') bool: pixels with a known truth."""
    reference = sample.target if sample.truth is None else sample.truth
    return np.ones(reference.shape[1:], bool) if sample.valid is None else np.asarray(sample.valid[0], bool)


def error_map(restored: Array, sample: Sample) -> Array:
    """Return the absolute difference to the truth, mean over channels, (H,W) in units; unknown pixels are NaN."""
    difference = np.abs(restored.astype(np.float64) - truth_of(sample)) * abs(sample.scale)
    return np.where(known_pixels(sample), difference.mean(axis=0), np.nan)


def shared_limit(errors: Sequence[Array]) -> float:
    """Return the upper end of one scale for all error maps: the median of their 98th percentiles, rounded up.

    The median keeps one poor method from darkening the maps of the others; a quarter of the limit is a short number.
    """
    top = max(float(np.median([np.nanpercentile(error, 98) for error in errors])), 1e-6)
    power = 10.0 ** np.floor(np.log10(top))
    steps = np.array([1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10])
    return float(f"{steps[np.searchsorted(steps, top / power * 0.999)] * power:.6g}")


def error_picture(error: Array, limit: float) -> Array:
    """Picture of an error map on the scale 0 to ``limit``; unknown pixels are grey."""
    picture = _coloured(np.clip(np.nan_to_num(error) / limit, 0, 1), ERROR_COLOURS)
    picture[np.isnan(error)] = UNKNOWN
    return picture


def choose_window(sample: Sample, restored: Sequence[Array], fraction: float = 0.22) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the window where edges of the truth and disagreement of methods meet.

    The score of a pixel is the gradient magnitude of the truth (of the mean result where there is none) times the
    standard deviation over the methods; unknown pixels and their neighbours score nothing.
    """
    reference = np.mean(restored, axis=0) if sample.truth is None else sample.truth
    down, right = np.gradient(reference.astype(np.float64), axis=(1, 2))
    score = np.hypot(down, right).mean(axis=0)
    if len(restored) > 1:
        score *= sum(np.std([result[band] for result in restored], axis=0) for band in range(len(reference)))
    score[_near_unknown(known_pixels(sample))] = 0
    height, width = (max(8, round(side * fraction)) for side in score.shape)
    sums = np.pad(score, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    boxes = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(np.argmax(boxes), boxes.shape)
    return int(top), int(left), height, width


def _near_unknown(known: Array, reach: int = 2) -> Array:
    unknown = np.pad(~known, reach)
    rows, columns = known.shape
    shifts = range(2 * reach + 1)
    return np.any([unknown[i : i + rows, j : j + columns] for i in shifts for j in shifts], axis=0)


def crop(picture: Array, window: tuple[int, int, int, int], shape: tuple[int, int]) -> Array:
    """Cut ``window``, given on a grid of ``shape``, out of a picture of any resolution."""
    top, left, height, width = window
    down, right = picture.shape[0] / shape[0], picture.shape[1] / shape[1]
    rows = slice(int(top * down), max(int(top * down) + 1, round((top + height) * down)))
    columns = slice(int(left * right), max(int(left * right) + 1, round((left + width) * right)))
    return picture[rows, columns]


def _rgb(values: Array) -> Array:
    """(C,H,W) in [0,1] with one, two or three channels to a picture."""
    if len(values) != 3:
        values = np.repeat(values[:1], 3, axis=0)
    return np.rint(255 * values.transpose(1, 2, 0)).astype(np.uint8)


def _encoded(linear: Array) -> Array:
    """Linear light to sRGB for the eye (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _coloured(values: Array, colours: str) -> Array:
    import matplotlib

    return matplotlib.colormaps[colours](values, bytes=True)[..., :3]
