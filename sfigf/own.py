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

    Returns:
        (C,H,W) float32 in the units of ``target`` (depth, pan), in [0,1] (focus, raw).

    Raises:
        UserError: Sizes that do not match, NaN, or weights of another task.
    """
    from sfigf.weights import load_network

    network, facts = load_network(weights, task)
    makers: dict[str, Any] = {"depth": _depth, "pan": _pan, "focus": _focus, "raw": _raw}
    extras = {"pan": (peak,), "raw": (ratio, white_balance)}.get(task, ())
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


def _raw(target: Array, guide: Array, ratio: float, white_balance: tuple[float, float, float]) -> Sample:
    mosaic, mono = to_unit(target), to_unit(guide)
    if mosaic.shape[0] != 1 or mono.shape != mosaic.shape or any(side % 2 for side in mosaic.shape[1:]):
        sizes = f"{mosaic.shape} and {mono.shape}"
        raise UserError(f"raw takes a one-band mosaic and a one-band guide of the same even size; got {sizes}")
    red, green, blue = white_balance
    gains = np.array([red, green, green, blue], dtype=np.float32)[:, None, None]
    return Sample("your image", np.clip(pack(mosaic) * ratio * gains, 0, 1), pack(mono))


def pack(mosaic: Array) -> Array:
    """Pack (1,H,W) by two: planes (0,0), (0,1), (1,0), (1,1), i.e. R, G1, G2, B of an RGGB mosaic."""
    return np.concatenate([mosaic[:, row::2, column::2] for row in (0, 1) for column in (0, 1)])
