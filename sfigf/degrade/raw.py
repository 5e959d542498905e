"""Low light on a raw sensor: a photo unprocessed to a mosaic, under-exposed by a known ratio, read out with noise."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, cast

import numpy as np

from sfigf.degrade.camera import BLACK_LEVEL, WHITE_LEVEL, camera_from_srgb, mosaic, pack, unprocess
from sfigf.degrade.colour import unit_range
from sfigf.degrade.raw_real import REAL_GUIDE_FACTS, RealCapture, RealGuide
from sfigf.interface import Array, Sample, Scene, UserError

RawGuide = Literal["mono", "red-oracle"]
GUIDE_FACTS: dict[str, str] = {
    "mono": "monochrome sensor beside the camera: the channel sum, same exposure, same noise law",
    "red-oracle": REAL_GUIDE_FACTS["red-oracle"],
}
_RANGE = WHITE_LEVEL - BLACK_LEVEL
_SMALLEST_GAIN, _LARGEST_GAIN = 0.0939, 6.011
_RED_GAINS, _BLUE_GAINS = (1.9, 2.4), (1.5, 1.9)


@dataclasses.dataclass(frozen=True)
class SensorNoise:
    """Noise of one exposure, in digital numbers (DN).

    Attributes:
        system_gain: K, DN per electron.
        read_noise: Standard deviation of the read noise, DN.
        row_noise: Standard deviation of the offset each row shares, DN.

    Source: Wei, Fu, Yang, Huang, "A physics-based noise formation model", CVPR 2020 (ELD), Sony A7S II.
    """

    system_gain: float
    read_noise: float
    row_noise: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> SensorNoise:
        """Draw log K uniformly, and the two standard deviations from their regressions on it."""
        log_gain = rng.uniform(math.log(_SMALLEST_GAIN), math.log(_LARGEST_GAIN))
        log_read = 0.5407 * log_gain + 1.2182 + 0.2675 * rng.standard_normal()
        log_row = 0.5275 * log_gain - 0.5917 + 0.2943 * rng.standard_normal()
        return cls(math.exp(log_gain), math.exp(log_read), math.exp(log_row))

    def read_out(self, signal: Array, rng: np.random.Generator) -> Array:
        """Return the digital numbers, float64 whole numbers in [0, 16383], of a clean ``signal`` (1,H,W) in DN.

        Mean ``signal + 512``; variance ``K * signal + read_noise^2 + row_noise^2 + 1/12`` (rounding), but for clipping.
        """
        electrons = rng.poisson(signal / self.system_gain)
        read = rng.normal(0, self.read_noise, signal.shape)
        row = rng.normal(0, self.row_noise, (*signal.shape[:-1], 1))
        return np.clip(np.rint(self.system_gain * electrons + read + row + BLACK_LEVEL), 0, WHITE_LEVEL)


@dataclasses.dataclass(frozen=True)
class LowLightRaw:
    """A photo taken with ``1/ratio`` of the light, next to a guide.

    The photo (``rgb`` of the scene, uint8 or float in [0,1]) is what the camera shows of a long exposure: it is the
    truth. Unprocessed to linear sensor values it is divided by the ratio, read out with noise, amplified again.

    Sample: ``target`` (4,H/2,W/2), packed R, G1, G2, B, black level taken off, amplified by the ratio, times the
    as-shot white balance, clipped to [0,1]; ``guide`` (4,H/2,W/2), packed in the same order, in [0,1]; ``truth``
    (3,H,W). H and W are made even by cropping. ``meta``: ratio, noise, white balance, colour matrix, levels.

    A scene with a ``mosaic`` is a real capture: nothing is simulated, see ``sfigf.degrade.raw_real.RealCapture``.

    Args:
        guide: ``mono`` is a monochrome sensor with the same exposure and noise: without a colour filter it gathers the
            sum of the three channels, about three times the photons. ``red-oracle`` is the red channel of the truth,
            which no camera has; it is what the released SFIGF code trains and tests on.
        ratios: Under-exposures to draw from.

    Raises:
        UserError: If the guide is unknown, a ratio is below 1, or the scene has no colour photo of 2x2 px or more.

    Source: unprocessing, Brooks et al., CVPR 2019; noise, see ``SensorNoise``; levels and ratios, SID, CVPR 2018.
    """

    guide: RawGuide = "mono"
    ratios: tuple[float, ...] = (100, 250, 300)

    def __post_init__(self) -> None:
        if self.guide not in GUIDE_FACTS:
            raise UserError(f"raw guide '{self.guide}' is unknown; choose {' or '.join(GUIDE_FACTS)}")
        if not self.ratios or min(self.ratios) < 1:
            raise UserError(f"raw ratios must be one or more numbers >= 1; got {list(self.ratios)}")

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Return what the camera saw of a scene in low light."""
        if "mosaic" in scene.arrays:
            return RealCapture(cast(RealGuide, self.guide))(scene, rng)
        photo = even_photo(scene)
        ratio = float(rng.choice(self.ratios))
        white_balance = (float(rng.uniform(*_RED_GAINS)), 1.0, float(rng.uniform(*_BLUE_GAINS)))
        noise = SensorNoise.draw(rng)
        camera = unprocess(photo, white_balance)
        numbers = noise.read_out(mosaic(camera) * (_RANGE / ratio), rng)
        gains = np.array([white_balance[channel] for channel in (0, 1, 1, 2)]).reshape(4, 1, 1)
        target = amplify(pack(numbers), ratio, gains)
        if self.guide == "mono":
            numbers = noise.read_out(camera.sum(axis=0, keepdims=True) * (_RANGE / ratio), rng)
            brightness_of_white = sum(1 / gain for gain in white_balance)
            guide = amplify(pack(numbers), ratio, 1 / brightness_of_white)
        else:
            guide = pack(photo[:1])
        meta = {
            "guide": GUIDE_FACTS[self.guide],
            "ratio": ratio,
            **dataclasses.asdict(noise),
            "white_balance": list(white_balance),
            "colour_matrix": np.linalg.inv(camera_from_srgb()).tolist(),
            "black_level": BLACK_LEVEL,
            "white_level": WHITE_LEVEL,
        }
        return Sample(scene.name, target, guide, truth=photo, meta=meta)


def even_photo(scene: Scene) -> Array:
    """Return the photo of a scene, (3,H,W) float32 in [0,1], H and W even."""
    rgb = scene.arrays.get("rgb")
    if rgb is None or rgb.ndim != 3 or rgb.shape[0] != 3 or min(rgb.shape[1:]) < 2:
        found = "none" if rgb is None else f"shape {rgb.shape}"
        raise UserError(f"scene '{scene.name}': raw needs an 'rgb' array (3, H, W) of 2x2 px or more; got {found}")
    photo = unit_range(rgb)
    return np.ascontiguousarray(photo[:, : photo.shape[1] // 2 * 2, : photo.shape[2] // 2 * 2])


def amplify(numbers: Array, ratio: float, gains: Array | float) -> Array:
    """Return ``(numbers - black) / (white - black) * ratio * gains``, clipped to [0,1], as float32."""
    return np.clip((numbers - BLACK_LEVEL) / _RANGE * ratio * gains, 0, 1).astype(np.float32)
