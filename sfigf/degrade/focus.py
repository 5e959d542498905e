"""Multi-focus pairs: one sharp colour image with its disparity, photographed twice through a thin lens."""

from __future__ import annotations

import dataclasses

import numpy as np

from sfigf.degrade.colour import to_display, to_linear, unit_range
from sfigf.degrade.depth import fill_holes, known_disparity
from sfigf.degrade.focus_real import is_pair, pair_sample
from sfigf.interface import Array, Sample, Scene, UserError

FOCUS_QUANTILES = (0.1, 0.9)


@dataclasses.dataclass(frozen=True)
class ThinLensDefocus:
    """Refocus a sharp scene on its near and on its far part; the sharp image is the truth.

    In linear light. The circle of confusion of a thin lens has the diameter c = A |1/z - 1/z_f|; disparity is 1/z up
    to scale and offset, and both drop out, so c = A' |d - d_f|. The scene is cut into layers at quantiles of the
    disparity; each is spread by its disc and laid over the ones behind it with its equally blurred matte. Light is
    divided by the coverage at the end, so that neighbouring layers leave no dark seam.

    Attributes:
        blur_px: Range from which the largest diameter of both images is drawn, in pixels.
        layers: How many depth layers.

    Source: thin-lens model, Hecht, Optics, section 5.2; layered compositing after Porter and Duff, SIGGRAPH 1984.
    """

    blur_px: tuple[float, float] = (4.0, 10.0)
    layers: int = 24

    def __post_init__(self) -> None:
        if not 0 <= self.blur_px[0] <= self.blur_px[1] or self.layers < 1:
            raise UserError(f"focus needs 0 <= low <= high blur_px and layers >= 1, got {self.blur_px}, {self.layers}")

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Defocus one scene twice; a real ``focus-a``/``focus-b`` pair passes through, with its truth if it has one.

        Raises:
            UserError: If the scene has neither a pair nor colour with disparity.
        """
        if is_pair(scene) and "disparity" not in scene.arrays:
            return pair_sample(scene)
        disparity = fill_holes(*known_disparity(scene))[0]
        sharp = unit_range(scene.arrays["rgb"])
        blur = float(rng.uniform(*self.blur_px))
        planes = [float(plane) for plane in np.quantile(disparity, rng.permutation(FOCUS_QUANTILES))]
        widest = max(float(np.abs(disparity - plane).max()) for plane in planes)
        strength = blur / widest if widest > 0 else 0.0
        labels, centres = depth_layers(disparity, self.layers)
        light = to_linear(sharp)
        first, second = (
            to_display(defocused(light, labels, strength * np.abs(centres - plane))).clip(0, 1) for plane in planes
        )
        meta = {"blur_px": blur, "focus_disparity": planes}
        return Sample(scene.name, target=first, guide=second, truth=sharp, meta=meta)


def depth_layers(disparity: Array, count: int) -> tuple[Array, Array]:
    """Cut a disparity map (H,W) at its quantiles.

    Returns:
        Labels (H,W), 0 the farthest, and the median disparity of each layer; equal quantiles merge.
    """
    edges = np.unique(np.quantile(disparity, np.arange(1, count) / count).astype(disparity.dtype))
    labels = np.searchsorted(edges, disparity, side="left")
    present, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(disparity.shape)
    return labels, np.array([np.median(disparity[labels == layer]) for layer in range(len(present))])


def defocused(light: Array, labels: Array, diameters: Array) -> Array:
    """Lay the blurred layers over each other, farthest first.

    Args:
        light: (C,H,W) linear light.
        labels: (H,W) layer of each pixel, 0 the farthest.
        diameters: Circle of confusion of each layer, in pixels.

    Returns:
        (C,H,W) float32; a constant image stays constant.
    """
    reach = int(np.ceil(float(np.max(diameters)) / 2)) + 1
    margin = 2 * reach
    labels = np.pad(np.pad(labels, reach, mode="edge"), reach, constant_values=-1)
    light = np.pad(light, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    seen = np.concatenate([light, np.ones_like(light[:1])]).reshape(len(light) + 1, -1)
    picture = np.zeros_like(seen)
    for layer, diameter in enumerate(diameters):
        touched, spread = splat(seen, np.flatnonzero(labels == layer), disc(float(diameter)), labels.shape[1])
        picture[:, touched] = picture[:, touched] * (1 - spread[-1]) + spread
    picture = picture.reshape(-1, *labels.shape)[:, margin:-margin, margin:-margin]
    return picture[:-1] / picture[-1]


def splat(seen: Array, pixels: Array, kernel: Array, width: int) -> tuple[Array, Array]:
    """Spread the chosen pixels of (C, H*W) by a kernel; the others count as empty.

    Returns:
        The indices of the pixels reached (n,), and what arrived there (C,n) float32.
    """
    rows, columns = np.nonzero(kernel)
    radius = kernel.shape[0] // 2
    steps = (rows - radius) * width + columns - radius
    where = (pixels + steps[:, None]).ravel()
    reached = np.zeros(seen.shape[1], dtype=bool)
    reached[where] = True
    touched = np.flatnonzero(reached)
    # Summing over the touched pixels alone, and not over the image once per layer, halves the time.
    rank = np.empty(seen.shape[1], dtype=np.int32)
    rank[touched] = np.arange(len(touched), dtype=np.int32)
    where = rank[where]
    weights = kernel[rows, columns][:, None]
    arrived = [np.bincount(where, (weights * channel[pixels]).ravel(), len(touched)) for channel in seen]
    return touched, np.stack(arrived).astype(np.float32)


def disc(diameter: float) -> Array:
    """Return a normalised disc, each pixel weighted by how much of it is covered; 1x1 up to one pixel."""
    radius = max(diameter / 2, 0.5)
    half = int(np.ceil(radius - 0.5))
    side, parts = 2 * half + 1, 16
    fine = (np.arange(side * parts) + 0.5) / parts - side / 2
    inside = np.hypot(*np.meshgrid(fine, fine)) <= radius
    kernel = inside.reshape(side, parts, side, parts).mean((1, 3))
    return (kernel / kernel.sum()).astype(np.float32)
