"""Real raw captures in low light: the mosaic is amplified and packed, nothing is simulated."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np

from sfigf.degrade.camera import pack
from sfigf.degrade.colour import unit_range
from sfigf.interface import Array, Sample, Scene, UserError

RealGuide = Literal["red-oracle", "mono-estimated"]
REAL_GUIDE_FACTS: dict[str, str] = {
    "red-oracle": "red-oracle, taken from the ground truth",
    "mono-estimated": "none: the network estimates what a monochrome sensor would see from the mosaic",
}
# ITU-R BT.601, to four digits, as the authors of MCR weigh the truth where no monochrome camera stood by.
_LUMA = np.array([0.2989, 0.5870, 0.1140], dtype=np.float32).reshape(3, 1, 1)
_PASSED_ON = ("ratio", "white_balance", "exposure_s", "file")


@dataclasses.dataclass(frozen=True)
class RealCapture:
    """A short exposure as a camera recorded it (``mosaic``), held against a long one (``sharp``).

    Sample: ``target`` (4,H/2,W/2), packed R, G1, G2, B: black level taken off, divided by the range, times the ratio;
    no white balance, as in the released code. ``truth`` (3,H,W) sRGB in [0,1]. H and W are made even by cropping.

    ``red-oracle``: the target is clipped to [0,1], ``guide`` (4,H/2,W/2) is the packed red channel of the truth, which
    no camera has. ``mono-estimated``: ``guide`` (0,H/2,W/2) is empty, the target is not clipped above (its network is
    trained so), and ``mono`` (1,H,W) in [0,1] is a second truth: the scene's own, else the luma of the truth.

    ``meta``: ratio, levels, white balance and, where the camera is known, ``colour_matrix``, 3x3 from camera RGB as it
    stands in the target, before white balance, to linear sRGB.

    Raises:
        UserError: If the guide is unknown, or the scene has no RGGB mosaic with its truth, levels and ratio.

    Source: Xinyil256/SFIGF@a4dd72c RedRAW/test_red_raw_sfigf.py, Mono_RAW/train_mcr_gfnet.py (their packed order is
    R, G1, B, G2); luma, TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark@331e504 test_on_SID.py.
    """

    guide: RealGuide = "mono-estimated"

    def __post_init__(self) -> None:
        if self.guide not in REAL_GUIDE_FACTS:
            raise UserError(
                f"a real capture has no guide '{self.guide}': no frame of a monochrome sensor with the same exposure; "
                f"choose {' or '.join(REAL_GUIDE_FACTS)}"
            )

    def samples(self, scene: Scene, rng: np.random.Generator) -> list[Sample]:
        """Return one sample of a real capture, none of any other scene."""
        return [self(scene, rng)] if "mosaic" in scene.arrays else []

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Return what the network is given of a real capture; nothing is drawn."""
        mosaic, truth = _checked(scene)
        black, white, ratio = (float(scene.meta[key]) for key in ("black", "white", "ratio"))
        lit = np.maximum(mosaic.astype(np.float32) - np.float32(black), 0)
        target = pack(lit * np.float32(ratio / (white - black)))
        meta = {key: scene.meta[key] for key in _PASSED_ON if key in scene.meta} | _colour(scene.meta)
        meta |= {"guide": REAL_GUIDE_FACTS[self.guide], "black_level": black, "white_level": white}
        if self.guide == "red-oracle":
            return Sample(scene.name, np.minimum(target, 1), pack(truth[:1]), truth=truth, meta=meta)
        mono, meta["mono"] = _mono(scene, truth)
        return Sample(scene.name, target, target[:0], truth=truth, mono=mono, meta=meta)


def _checked(scene: Scene) -> tuple[Array, Array]:
    """Return the mosaic (1,H,W) and its truth (3,H,W) in [0,1], both cut to even sides."""
    missing = [key for key in ("black", "white", "ratio", "pattern") if key not in scene.meta]
    absent = [role for role in ("mosaic", "sharp") if role not in scene.arrays]
    if missing or absent:
        raise UserError(f"scene '{scene.name}': a real capture needs {', '.join(absent + missing)}; read it again")
    if scene.meta["pattern"] != "RGGB":
        raise UserError(f"scene '{scene.name}': the mosaic is {scene.meta['pattern']}; networks are trained on RGGB")
    mosaic, sharp = scene.arrays["mosaic"], scene.arrays["sharp"]
    if mosaic.shape[0] != 1 or sharp.shape != (3, *mosaic.shape[1:]) or min(mosaic.shape[1:]) < 2:
        raise UserError(
            f"scene '{scene.name}': mosaic {mosaic.shape} and truth {sharp.shape} must be (1,H,W) and (3,H,W)"
        )
    return _even(mosaic), unit_range(_even(sharp))


def _even(array: Array) -> Array:
    return array[:, : array.shape[1] // 2 * 2, : array.shape[2] // 2 * 2]


def _colour(meta: Any) -> dict[str, Any]:
    """The matrix from camera RGB before white balance to linear sRGB, where the camera is known."""
    if "colour_matrix" not in meta:
        return {}
    return {"colour_matrix": (np.asarray(meta["colour_matrix"]) * np.asarray(meta["white_balance"])).tolist()}


def _mono(scene: Scene, truth: Array) -> tuple[Array, str]:
    """Return what a monochrome sensor sees, (1,H,W) in [0,1], and where that is from."""
    mono = scene.arrays.get("mono")
    if mono is None:
        return (truth * _LUMA).sum(axis=0, keepdims=True), "luma of the truth"
    if _even(mono).shape[1:] != truth.shape[1:]:
        raise UserError(f"scene '{scene.name}': the monochrome truth is {mono.shape}, the colour one {truth.shape}")
    return unit_range(_even(mono)), "monochrome camera, long exposure"
