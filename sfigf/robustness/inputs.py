"""Targets that are not what a method was made for: another scale, sensor, exposure, or more noise.

All are degraded anew from the truth, or from the coarse target, with the functions that made the sample: what comes
out is what a user with such a camera would have, its own normalisation included.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from sfigf.interface import Array, Sample, Scene
from sfigf.robustness.base import Perturbation, facts_changed, single


class Scale(Perturbation):
    """Depth: the coarse map is so many times coarser than the guide, whatever factor the method was made for.

    The truth is degraded anew with the condition's own forward model, its factor changed. The image is cut to whole
    coarse pixels, so that an x16 input may show a few pixels less than an x8 one.
    """

    name = "scale"
    title = "Another scale"
    tasks = ("depth",)
    quantity = "input"
    unit = "times coarser"
    least = 2.0
    geometric = True

    def nominal(self, sample: Sample) -> float:
        """The condition's factor."""
        return float(sample.meta["factor"])

    def fits(self, sample: Sample) -> bool:
        """Whether the factor is known."""
        return "factor" in sample.meta

    def problem(self, level: float) -> str | None:
        """Windows are cut on a grid of 32 px, on which these factors fall."""
        return None if level in (2, 4, 8, 16, 32) else "a level is a factor: 2, 4, 8, 16 or 32"

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Degrade the truth by another factor; pixels that do not count stay those of the sample."""
        assert sample.truth is not None
        disparity = sample.to_units(sample.truth).astype(np.float32)
        meta = {"unit": sample.meta.get("unit", "px")}
        scene = Scene(sample.name, "", "test", {"rgb": sample.guide, "disparity": disparity}, meta)
        made = dataclasses.replace(model, factor=int(level))(scene, rng)
        height, width = made.target.shape[1:]
        valid = None if sample.valid is None else sample.valid[:, :height, :width]
        return dataclasses.replace(made, valid=valid, meta=facts_changed(sample, **made.meta))


class TargetNoise(Perturbation):
    """Depth and pan: every coarse value errs by a share of itself, normally distributed, before it is upsampled.

    0.01 is a signal-to-noise ratio of 100. Depth: as ``DepthSuperResolution(noise=...)``, where the literature uses
    0.04; the map is normalised anew by its own, now wider, minimum and maximum, because a user knows no other.
    """

    name = "target-noise"
    title = "Noise on the target"
    tasks = ("depth", "pan")
    quantity = "standard deviation"
    unit = "of the value"

    def fits(self, sample: Sample) -> bool:
        """Whether the coarse target is known."""
        return sample.coarse is not None and "factor" in sample.meta

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Add the noise to the coarse target and bring it to size again."""
        assert sample.coarse is not None
        noise = rng.standard_normal(sample.coarse.shape, dtype=np.float32)
        coarse = sample.to_units(sample.coarse) * (1 + level * noise)
        return _bands_upsampled(sample, coarse / sample.scale) if _is_pan(sample) else _depth_upsampled(sample, coarse)


class SensorMtf(Perturbation):
    """Pan: the sensor is sharper or softer than the published MTF that the training was simulated with.

    The level multiplies the gain at Nyquist of every band: with a gain of 0.29, levels from 0.5 to 1.5 are gains from
    0.145 to 0.435. The truth is filtered and decimated anew. ``meta["gains"]`` stay the published ones: a user, and a
    method that uses them, knows no others.
    """

    name = "mtf"
    title = "Another MTF of the sensor"
    tasks = ("pan",)
    quantity = "MTF gain at Nyquist"
    unit = "times the published one"
    least = 0.05

    def nominal(self, sample: Sample) -> float:
        """The published gains themselves."""
        return 1.0

    def fits(self, sample: Sample) -> bool:
        """Whether gains and ratio are known."""
        return {"gains", "factor"} <= sample.meta.keys()

    def problem(self, level: float) -> str | None:
        """No gain of a sensor we know may reach 1."""
        return None if self.least <= level <= 2.5 else f"a level multiplies the gain and lies in [{self.least:g}, 2.5]"

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Degrade the truth with other gains."""
        from sfigf.degrade.exp import decimate
        from sfigf.degrade.mtf import filter_bands, mtf_kernels

        assert sample.truth is not None
        ratio = int(sample.meta["factor"])
        kernels = mtf_kernels([level * gain for gain in sample.meta["gains"]], ratio)
        return _bands_upsampled(sample, decimate(filter_bands(sample.truth, kernels), ratio))


class UnderExposure(Perturbation):
    """Raw: so many times less light than the sample had, amplified so many times more.

    The truth is unprocessed and read out anew with the sample's own white balance and noise, so that shot and read
    noise weigh as they would. A monochrome camera beside it has the same exposure, hence gets darker too; an oracle
    guide, taken from the truth, does not.
    """

    name = "under-exposure"
    title = "Less or more light"
    tasks = ("raw",)
    quantity = "amplification"
    unit = "times that of the image"
    least = 0.01
    geometric = True

    def nominal(self, sample: Sample) -> float:
        """The exposure of the sample."""
        return 1.0

    def fits(self, sample: Sample) -> bool:
        """Whether the noise is known: it is simulated in our samples, unknown in real captures."""
        return {"ratio", "system_gain", "read_noise", "row_noise", "white_balance"} <= sample.meta.keys()

    def changed(self, sample: Sample, level: float, rng: np.random.Generator, model: Any) -> Sample:
        """Take the photo again with another exposure."""
        from sfigf.degrade.camera import mosaic, unprocess
        from sfigf.degrade.raw import GUIDE_FACTS

        assert sample.truth is not None
        ratio, balance = sample.meta["ratio"] * level, sample.meta["white_balance"]
        camera = unprocess(sample.truth, tuple(balance))
        gains = np.array([balance[channel] for channel in (0, 1, 1, 2)]).reshape(4, 1, 1)
        changes: dict[str, Any] = {"target": _exposed(sample, mosaic(camera), ratio, gains, rng)}
        if sample.meta["guide"] == GUIDE_FACTS["mono"]:
            brightness_of_white = sum(1 / gain for gain in balance)
            light = camera.sum(axis=0, keepdims=True)
            changes["guide"] = _exposed(sample, light, ratio, 1 / brightness_of_white, rng)
        return dataclasses.replace(sample, meta=facts_changed(sample, ratio=ratio), **changes)


def _is_pan(sample: Sample) -> bool:
    return len(sample.guide) == 1


def _depth_upsampled(sample: Sample, coarse: Array) -> Sample:
    """A depth sample with another coarse map, in units; normalised by the map's own range."""
    from sfigf.degrade.resample import resize_bicubic

    coarse = single(coarse)
    offset = float(coarse.min())
    scale = float(coarse.max()) - offset or 1.0
    upsampled = resize_bicubic(coarse, *sample.target.shape[1:])
    arrays = {"target": upsampled, "coarse": coarse}
    if sample.truth is not None:
        arrays["truth"] = sample.to_units(sample.truth)
    normalised: dict[str, Any] = {
        role: single((np.asarray(a, dtype=np.float64) - offset) / scale) for role, a in arrays.items()
    }
    return dataclasses.replace(sample, scale=scale, offset=offset, **normalised)


def _bands_upsampled(sample: Sample, coarse: Array) -> Sample:
    """A pan sample with other coarse bands, on the sample's scale."""
    from sfigf.degrade.exp import interp23tap

    target = interp23tap(coarse, int(sample.meta["factor"]))
    return dataclasses.replace(sample, target=single(target), coarse=single(coarse))


def _exposed(sample: Sample, light: Array, ratio: float, gains: Array | float, rng: np.random.Generator) -> Array:
    """Read a clean plane (1,H,W) out with ``1/ratio`` of the light, and amplify it: (4,H/2,W/2)."""
    from sfigf.degrade.camera import pack
    from sfigf.degrade.raw import SensorNoise, amplify

    facts = sample.meta
    noise = SensorNoise(facts["system_gain"], facts["read_noise"], facts["row_noise"])
    full = facts["white_level"] - facts["black_level"]
    return amplify(pack(noise.read_out(light * (full / ratio), rng)), ratio, gains)
