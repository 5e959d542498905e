"""Restore images of people's own: from arrays as they come from files to a restored array in the same units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sfigf.images import to_unit
from sfigf.inference import check_sample, choose_device, restore_sample
from sfigf.interface import Array, Sample, UserError


def restore(
    task: str,
    target: Array,
    guide: Array,
    weights: str | Path,
    *,
    device: str = "auto",
    peak: float | None = None,
    ratio: float = 1.0,
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0),
    guide_gain: float | None = None,
) -> Array:
    """Restore one target image with the help of its guide.

    Args:
        task: depth, pan, focus or raw.
        target: (C,h,w) as stored. depth: coarse disparity or depth; pan: coarse bands; focus: image A; raw: (1,H,W)
            mosaic, already black-subtracted and divided by its range.
        guide: (Cg,H,W) as stored; for depth and pan its size is a whole multiple of the target's.
        weights: Weight file of the task.
        device: Device name.
        peak: Pan: digital number that counts as 1; the largest value when not given.
        ratio: Raw: exposure ratio to amplify by.
        white_balance: Raw: as-shot gains of red, green, blue.
        guide_gain: Raw: factor that brings the guide to [0,1]; by default that of a monochrome sensor with the same
            exposure, which gathers the sum of the three channels: ``ratio / (1/red + 1/green + 1/blue)``.

    Returns:
        (C,H,W) float32 in the units of ``target`` (depth, pan), in [0,1] (focus, raw).

    Raises:
        UserError: Sizes that do not match, NaN, weights of another task, or trained with a guide that no camera has.
    """
    from sfigf.weights import load_network

    network, facts = load_network(weights, task)
    if facts.get("condition") == "red-oracle":
        raise UserError(
            f"{weights}: trained with a guide taken from the truth, which no camera has; name those of mono"
        )
    makers: dict[str, Any] = {"depth": _depth, "pan": _pan, "focus": _focus, "raw": _raw}
    extras = {"pan": (peak,), "raw": (ratio, white_balance, guide_gain)}.get(task, ())
    sample = makers[task](target, guide, *extras)
    _check_channels(sample, facts["signature"], weights)
    check_sample(sample)
    chosen = choose_device(device)
    restored = restore_sample(network.to(chosen), sample, chosen, facts["training"]["encoding"])
    return sample.to_units(restored).astype(np.float32)


def _check_channels(sample: Sample, signature: dict[str, int], weights: str | Path) -> None:
    for role in ("target", "guide"):
        got = getattr(sample, role).shape[0]
        if got != signature[role]:
            raise UserError(f"the {role} has {got} bands, {weights} was trained on {signature[role]}; select the bands")


def _factor(target: Array, guide: Array) -> int:
    (height, width), (guide_height, guide_width) = target.shape[1:], guide.shape[1:]
    factor = guide_height // max(1, height)
    if factor < 1 or (height * factor, width * factor) != (guide_height, guide_width):
        raise UserError(
            f"the guide is {guide_width}x{guide_height} px and the target {width}x{height} px; the guide must be a "
            "whole multiple of the target: crop or resize one of them"
        )
    return factor


def _finite(array: Array, role: str) -> None:
    bad = int(np.count_nonzero(~np.isfinite(array))) if array.dtype.kind == "f" else 0
    if bad:
        raise UserError(f"{bad} values of the {role} are NaN or infinite; fill or mask them first")


def _depth(target: Array, guide: Array) -> Sample:
    from sfigf.degrade.resample import resize_bicubic

    _finite(target, "target")
    if target.shape[0] != 1:
        raise UserError(f"a depth target has one band, this has {target.shape[0]}")
    factor = _factor(target, guide)
    coarse = target.astype(np.float32)
    low, high = float(coarse.min()), float(coarse.max())
    scale = high - low or 1.0
    upsampled = resize_bicubic((coarse - low) / scale, *guide.shape[1:])
    colour = np.repeat(to_unit(guide), 3, axis=0) if guide.shape[0] == 1 else to_unit(guide)
    return Sample("your image", upsampled, colour, scale=scale, offset=low, meta={"factor": factor})


def _pan(target: Array, guide: Array, peak: float | None) -> Sample:
    from sfigf.degrade.exp import interp23tap

    _finite(target, "target")
    factor = _factor(target, guide)
    if factor not in (2, 4):
        raise UserError(f"the guide is {factor} times finer; pan-sharpening takes 2 or 4")
    scale = float(peak or max(target.max(), guide.max()) or 1.0)
    upsampled = interp23tap(target.astype(np.float64), factor).astype(np.float32) / scale
    return Sample("your image", upsampled, guide.astype(np.float32) / scale, scale=scale, meta={"factor": factor})


def _focus(target: Array, guide: Array) -> Sample:
    return Sample("your image", to_unit(target), to_unit(guide))


def _raw(
    target: Array, guide: Array, ratio: float, white_balance: tuple[float, float, float], guide_gain: float | None
) -> Sample:
    from sfigf.degrade.camera import camera_from_srgb, pack

    mosaic, mono = to_unit(target), to_unit(guide)
    if mosaic.shape[0] != 1 or mono.shape != mosaic.shape or any(side % 2 for side in mosaic.shape[1:]):
        sizes = f"{mosaic.shape} and {mono.shape}"
        raise UserError(f"raw takes a one-band mosaic and a one-band guide of the same even size; got {sizes}")
    if not min(ratio, *white_balance, guide_gain or 1.0) > 0:
        given = f"{ratio}, {white_balance} and {guide_gain}"
        raise UserError(f"ratio, white balance and guide gain are factors above 0; got {given}")
    red, green, blue = white_balance
    gains = np.array([red, green, green, blue], dtype=np.float32)[:, None, None]
    lift = guide_gain or ratio / sum(1 / gain for gain in white_balance)
    # The camera that the training data were made for: no other one's matrix was seen by the published weights.
    meta = {"guide": "mono", "colour_matrix": np.linalg.inv(camera_from_srgb()).tolist()}
    return Sample(
        "your image", np.clip(pack(mosaic) * ratio * gains, 0, 1), np.clip(pack(mono) * lift, 0, 1), meta=meta
    )
