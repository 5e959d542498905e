"""Guided depth super-resolution: a sharp colour image and a disparity map on a coarser grid."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from PIL import Image

from sfigf.degrade.colour import unit_range
from sfigf.degrade.resample import resize_bicubic
from sfigf.interface import Array, Sample, Scene, UserError

Sampling = Literal["bicubic", "nearest-right-bottom", "nearest-centre"]


@dataclasses.dataclass(frozen=True)
class DepthSuperResolution:
    """Coarsen the disparity by ``factor`` and bring it back to size bicubically, beside the full-size colour guide.

    ``target``, ``coarse`` and ``truth`` are normalised by the minimum and maximum of the coarse map, so the same code
    runs where no truth exists; ``Sample.scale`` and ``offset`` undo it. Holes are filled for the input from the
    farther neighbour and left out of every metric through ``Sample.valid``. The map may hold disparity or depth:
    ``Scene.meta["farther"]`` says whether a farther point has the ``smaller`` (the default) or the ``larger`` value.

    Attributes:
        factor: Ratio of the two grids; the literature uses 4, 8 and 16.
        noise: Standard deviation of the coarse value's error, relative to the value; the literature uses 0 and 0.04.
        sampling: How the coarse map is taken: Pillow bicubic, or one pixel of each block (the last, or the centre).
        quantised: Take the coarse map in bytes, as Pillow does to an 8-bit picture. Only scenes in 8-bit levels have
            such a picture: those in other units stay in floating point, and their samples do not say ``quantised``.
        soft_edges: Blur the full-size map first, by a Gaussian whose standard deviation in pixels is drawn between
            these; None leaves it. For rendered scenes, whose edges no sensor and no resampling has softened.

    Source: DCTNet@5243875 ``dataset_processing/Processing_testsets_synthetic.py`` (bicubic); DJF family (nearest);
    SUFT and SGNet on Middlebury and Lu (quantised).
    """

    factor: int
    noise: float = 0.0
    sampling: Sampling = "bicubic"
    quantised: bool = False
    soft_edges: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.factor < 2 or self.noise < 0:
            raise UserError(f"depth needs a factor >= 2 and noise >= 0, got {self.factor} and {self.noise}")
        if self.quantised and self.noise > 0:
            raise UserError(f"noise {self.noise} on a quantised map would leave no whole levels; choose one of the two")
        if self.soft_edges and not 0 <= self.soft_edges[0] <= self.soft_edges[1]:
            raise UserError(
                f"soft edges from {self.soft_edges[0]} to {self.soft_edges[1]} px; least first, none below 0"
            )

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Degrade one scene with ``rgb`` and ``disparity``; ``rng`` only serves noise and soft edges.

        Raises:
            UserError: If an array is missing, too small for the factor, or the disparity is unknown everywhere.
        """
        disparity, valid = known_disparity(scene)
        height, width = (side // self.factor * self.factor for side in disparity.shape[1:])
        if min(height, width) < self.factor:
            raise UserError(
                f"{scene.name}: {disparity.shape[1:]} is too small for x{self.factor}; use a smaller factor"
            )
        disparity, valid = disparity[:, :height, :width], valid[:, :height, :width]
        filled = self._softened(fill_holes(disparity, valid, scene.meta.get("farther", "smaller")), rng)
        unit = scene.meta.get("unit", "px")
        in_bytes = self.quantised and unit == "level"
        coarse = self._coarsen(filled, rng, in_bytes)
        offset = float(coarse.min())
        scale = float(coarse.max()) - offset or 1.0
        return Sample(
            name=scene.name,
            target=_normalised(resize_bicubic(coarse, height, width), scale, offset),
            guide=unit_range(scene.arrays["rgb"])[:, :height, :width],
            truth=_normalised(filled, scale, offset),
            valid=valid,
            coarse=_normalised(coarse, scale, offset),
            scale=scale,
            offset=offset,
            meta={"unit": unit, "factor": self.factor} | ({"quantised": True} if in_bytes else {}),
        )

    def _softened(self, disparity: Array, rng: np.random.Generator) -> Array:
        if self.soft_edges is None:
            return disparity
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(disparity[0], rng.uniform(*self.soft_edges), mode="nearest")[None]

    def _coarsen(self, disparity: Array, rng: np.random.Generator, in_bytes: bool) -> Array:
        step = self.factor
        if self.sampling == "bicubic":
            resize = _resize_bytes if in_bytes else resize_bicubic
            coarse = resize(disparity, disparity.shape[1] // step, disparity.shape[2] // step)
        else:
            first = step - 1 if self.sampling == "nearest-right-bottom" else step // 2
            coarse = disparity[:, first::step, first::step]
        if self.noise > 0:
            coarse = coarse * (1 + self.noise * rng.standard_normal(coarse.shape, dtype=np.float32))
        return np.ascontiguousarray(coarse, dtype=np.float32)


def _resize_bytes(levels: Array, height: int, width: int) -> Array:
    """Pillow's bicubic on an 8-bit picture (1,H,W): it rounds after each of its two passes, so not ``rint`` of ours."""
    picture = Image.fromarray(np.clip(np.rint(levels[0]), 0, 255).astype(np.uint8))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)[None]


def _normalised(values: Array, scale: float, offset: float) -> Array:
    return ((values.astype(np.float64) - offset) / scale).astype(np.float32)


def known_disparity(scene: Scene) -> tuple[Array, Array]:
    """Return a scene's disparity (1,H,W) float32 and where it is known (1,H,W) bool: marked valid, and finite.

    Raises:
        UserError: If ``rgb`` or ``disparity`` is missing, or their sizes differ.
    """
    missing = [role for role in ("rgb", "disparity") if role not in scene.arrays]
    if missing:
        raise UserError(f"{scene.name}: no {' and no '.join(missing)}; this degradation needs colour and disparity")
    disparity = np.asarray(scene.arrays["disparity"], dtype=np.float32)
    valid = np.asarray(scene.arrays.get("valid", np.ones(disparity.shape, dtype=np.uint8))) > 0
    sizes = {array.shape[1:] for array in (scene.arrays["rgb"], disparity, valid)}
    if len(sizes) > 1:
        raise UserError(f"{scene.name}: rgb, disparity and valid differ in size: {sorted(sizes)}; prepare it again")
    return disparity, valid & np.isfinite(disparity)


def fill_holes(disparity: Array, valid: Array, farther: str = "smaller") -> Array:
    """Fill unknown pixels from the farther of the nearest known ones left and right.

    A hole next to a foreground edge is usually an occlusion, so what is seen there lies behind. Rows without a known
    pixel are filled from the rows above and below in the same way.

    Args:
        disparity: (1,H,W), any value where unknown.
        valid: (1,H,W) bool, true where known.
        farther: Whether farther points have the ``smaller`` value (disparity) or the ``larger`` one (depth).

    Returns:
        (1,H,W) float32, finite.

    Raises:
        UserError: If nothing is known, or ``farther`` is another word.
    """
    if farther not in ("smaller", "larger"):
        raise UserError(f"farther is '{farther}'; say whether farther points have the 'smaller' or the 'larger' value")
    if farther == "larger":
        return -fill_holes(-disparity, valid)
    if not valid.any():
        raise UserError("the disparity is unknown at every pixel, so no hole can be filled; leave this image out")
    if valid.all():
        return disparity.astype(np.float32)
    far = np.where(valid, disparity, np.inf)[0]
    far = _fill_rows(far)
    return _fill_rows(far.T).T[None].astype(np.float32)


def _fill_rows(values: Array) -> Array:
    """Replace infinite entries by the smaller of the nearest finite ones in their row; empty rows stay infinite."""
    before = _carried(values)
    after = _carried(values[:, ::-1])[:, ::-1]
    return np.where(np.isfinite(values), values, np.minimum(before, after))


def _carried(values: Array) -> Array:
    """Carry each finite entry rightwards over the infinite ones that follow it."""
    columns = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.take_along_axis(values, np.maximum.accumulate(columns, axis=1), axis=1)
