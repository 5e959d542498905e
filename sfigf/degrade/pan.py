"""Wald's protocol: make bands coarser by a known factor, so that the bands themselves are the truth.

A scene with a real PAN gives two samples. At reduced resolution PAN is brought to the bands' grid and the truth is
known; at full resolution PAN stays as it is and nobody knows the truth. A scene without PAN gets a simulated one, and
says so in ``meta["pan"]`` wherever its numbers stand. A scene that its publisher degraded is taken as published.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from sfigf.degrade.exp import decimate, interp23tap, reduce_bicubic
from sfigf.degrade.mtf import filter_bands, gains_of, mtf_kernels
from sfigf.interface import Array, Sample, Scene, UserError


@dataclasses.dataclass(frozen=True)
class WaldProtocol:
    """Degrade a pan-sharpening scene; everything is divided by ``scene.meta["peak"]``.

    Attributes:
        ratio: Fine pixels per coarse pixel, 2 or 4.
        simulated_mix: Share of each band in a simulated PAN, none negative, scaled to sum 1. Blue, green, red and near
            infrared; by default about the panchromatic band of Landsat 8 (503-676 nm: green and red, a little blue).
            A scene's own ``meta["pan_mix"]`` comes first.
        simulated_noise_dn: Standard deviation of the white noise added to a simulated PAN, in digital numbers.
            Without it a network could simply invert the band sum.

    Bands: filtered with the kernel matched to the sensor's MTF (gain 0.29 where none is published, as for Sentinel-2
    and Landsat 8), then every ``ratio``-th pixel from ``ratio//2`` on. The target is their 23-tap interpolation. A real
    PAN is reduced with antialiased bicubic interpolation, not with its MTF, as in the reference.

    ``scene.meta`` gives ``sensor``, ``peak`` and, with a real PAN, ``pan_offset_px``: the centre of the first band
    pixel in PAN pixels from the centre of the first PAN pixel, both ways; without it the outer edges coincide.

    Source: Wald et al., PE&RS 63(6), 1997; liangjiandeng/DLPan-Toolbox@a34f884 Tools/resize_images.m.
    """

    ratio: int = 4
    simulated_mix: tuple[float, ...] = (0.1, 0.5, 0.4, 0.0)
    simulated_noise_dn: float = 10.0

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Return the sample that has a truth."""
        return self.samples(scene, rng)[0]

    def samples(self, scene: Scene, rng: np.random.Generator) -> list[Sample]:
        """Return ``<scene>-reduced`` and ``<scene>-full`` for a scene with PAN, else one sample named as the scene.

        Raises:
            UserError: If ``peak`` is missing, PAN is not finer by a whole factor that divides ``ratio``, or the
                simulated mix does not fit the bands.
        """
        if "peak" not in scene.meta:
            raise UserError(f"scene '{scene.name}' gives no peak value; add 'peak' to its facts")
        if "upsampled" in scene.arrays:
            return [self._published(scene)]
        if "pan" not in scene.arrays:
            return [self._simulated(scene, rng)]
        return [self._reduced(scene), self._full(scene)]

    def _simulated(self, scene: Scene, rng: np.random.Generator) -> Sample:
        truth = _whole(scene.arrays["multispectral"], self.ratio)
        shares = tuple(scene.meta.get("pan_mix", self.simulated_mix))
        mix = np.array(shares, dtype=np.float64)
        if mix.size != len(truth) or mix.min() < 0 or mix.sum() <= 0:
            raise UserError(f"PAN mix {shares} does not fit {len(truth)} bands: one share >= 0 for each")
        guide = np.tensordot(mix / mix.sum(), truth, axes=1)[None]
        guide += self.simulated_noise_dn * rng.standard_normal(guide.shape)
        coarse = self._coarsen(scene, truth, self.ratio)
        facts = {"pan": "simulated", "pan_mix": list(shares), "pan_noise_dn": self.simulated_noise_dn}
        return self._sample(scene, scene.name, coarse, guide, truth, facts)

    def _reduced(self, scene: Scene) -> Sample:
        native, offset = self._grids(scene)
        guide = reduce_bicubic(_whole(scene.arrays["pan"], native), native, offset - (native - 1) / 2)
        bands = scene.arrays["multispectral"]
        height, width = np.minimum(guide.shape[1:], bands.shape[1:]) // self.ratio * self.ratio
        truth = np.asarray(bands[:, :height, :width], dtype=np.float64)
        coarse = self._coarsen(scene, truth, self.ratio)
        return self._sample(scene, f"{scene.name}-reduced", coarse, guide[:, :height, :width], truth, {"pan": "real"})

    def _full(self, scene: Scene) -> Sample:
        native, offset = self._grids(scene)
        extra = self.ratio // native
        # Whole PAN pixels to drop so that coarse pixel k lies on PAN pixel ratio*k + ratio//2, where EXP puts it.
        drop = max(0, int(offset + native * (extra // 2) - self.ratio // 2))
        guide = scene.arrays["pan"][:, drop:, drop:]
        coarse = self._coarsen(scene, _whole(scene.arrays["multispectral"], extra), extra)
        height, width = np.minimum(coarse.shape[1:], np.array(guide.shape[1:]) // self.ratio)
        coarse, guide = coarse[:, :height, :width], guide[:, : height * self.ratio, : width * self.ratio]
        return self._sample(scene, f"{scene.name}-full", coarse, guide, None, {"pan": "real"})

    def _published(self, scene: Scene) -> Sample:
        coarse, upsampled, guide = (scene.arrays[role] for role in ("coarse", "upsampled", "pan"))
        if any(fine != self.ratio * low for fine, low in zip(guide.shape[1:], coarse.shape[1:], strict=True)):
            raise UserError(
                f"scene '{scene.name}': PAN {guide.shape[1:]} is not {self.ratio} times the published coarse bands "
                f"{coarse.shape[1:]}; this condition has ratio {self.ratio}"
            )
        truth = scene.arrays.get("multispectral")
        return self._sample(scene, scene.name, coarse, guide, truth, {"pan": "real"}, upsampled)

    def _grids(self, scene: Scene) -> tuple[int, float]:
        """Return how much finer PAN is than the bands, and where the first band pixel lies in it."""
        pan, bands = scene.arrays["pan"].shape, scene.arrays["multispectral"].shape
        native = round(pan[1] / bands[1])
        if native < 1 or self.ratio % native or round(pan[2] / bands[2]) != native:
            raise UserError(
                f"scene '{scene.name}': PAN {pan[1:]} is not finer than the bands {bands[1:]} by a factor of "
                f"{self.ratio}; crop them to the same ground"
            )
        return native, float(scene.meta.get("pan_offset_px", (native - 1) / 2))

    def _coarsen(self, scene: Scene, bands: Array, ratio: int) -> Array:
        if ratio == 1:
            return bands
        return decimate(filter_bands(bands, mtf_kernels(gains_of(scene.meta["sensor"], len(bands)), ratio)), ratio)

    def _sample(
        self,
        scene: Scene,
        name: str,
        coarse: Array,
        guide: Array,
        truth: Array | None,
        facts: dict[str, Any],
        upsampled: Array | None = None,
    ) -> Sample:
        peak = float(scene.meta["peak"])
        sensor = scene.meta["sensor"]
        facts |= {"factor": self.ratio, "sensor": sensor, "gains": list(gains_of(sensor, len(coarse)))}
        facts["resolution"] = "full" if truth is None else "reduced"
        bright = [interp23tap(coarse, self.ratio) if upsampled is None else upsampled, guide, coarse]
        target, guide, coarse = ((array / peak).astype(np.float32) for array in bright)
        truth = None if truth is None else (truth / peak).astype(np.float32)
        return Sample(name, target, guide, truth, coarse=coarse, scale=peak, meta=facts)


def _whole(image: Array, ratio: int) -> Array:
    """Crop (C, H, W) at the bottom right to whole coarse pixels, in float64."""
    height, width = (size // ratio * ratio for size in image.shape[1:])
    return np.asarray(image[:, :height, :width], dtype=np.float64)
