"""Change the grid of a band: 23-tap interpolation ("EXP"), decimation and antialiased bicubic reduction.

The pan-sharpening field agreed on these three, borders and phases included. With an even ratio ``r`` the coarse pixel
``i`` lies on the fine pixel ``r*i + r//2``.
"""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, UserError

# Twice the taps at distance 1, 3, ... 11 of the 23-tap half-band filter; the centre is 1, the even ones are 0.
_ODD_TAPS = 2 * np.array(
    [0.305334091185, -0.072698593239, 0.021809577942, -0.005192756653, 0.000807762146, -0.000060081482]
)


def interp23tap(coarse: Array, ratio: int) -> Array:
    """Upsample by 2 or 4 with the 23-tap half-band filter and a circular border ("EXP").

    Args:
        coarse: (..., h, w), any unit.
        ratio: 1, 2 or 4: the reference's rule for the phase is right for these only.

    Returns:
        (..., ratio*h, ratio*w) float64; coarse pixel ``i`` is kept at ``ratio*i + ratio//2``.

    Raises:
        UserError: If the ratio is another.

    Source: Aiazzi et al., IEEE TGRS 40(10), 2002; phase and border as in liangjiandeng/DLPan-Toolbox@a34f884
    Tools/interp23tap.m.
    """
    if ratio not in (1, 2, 4):
        raise UserError(f"23-tap upsampling is defined for ratios 1, 2 and 4, not {ratio}; choose one of these")
    fine = np.asarray(coarse, dtype=np.float64)
    for stage in range(ratio // 2):
        phase = 1 if stage == 0 else 0
        fine = _double(_double(fine, phase, axis=-1), phase, axis=-2)
    return fine


def _double(values: Array, phase: int, axis: int) -> Array:
    """Insert a half-band interpolated sample beside each sample; the given ones sit at ``2*i + phase``."""
    between = np.zeros_like(values)
    for step, tap in enumerate(_ODD_TAPS):
        between += tap * (np.roll(values, step + phase, axis) + np.roll(values, phase - 1 - step, axis))
    pair = [between, values] if phase else [values, between]
    axis = values.ndim + axis
    shape = [size * (2 if index == axis else 1) for index, size in enumerate(values.shape)]
    return np.stack(pair, axis=axis + 1).reshape(shape)


def decimate(fine: Array, ratio: int) -> Array:
    """Keep every ``ratio``-th pixel of (..., H, W), the first at ``ratio//2``: where MATLAB's nearest resize looks."""
    return fine[..., ratio // 2 :: ratio, ratio // 2 :: ratio]


def reduce_bicubic(fine: Array, ratio: int, shift_px: float = 0.0) -> Array:
    """Reduce (..., H, W) by an integer with antialiased bicubic interpolation and a mirrored border.

    Args:
        fine: (..., H, W), any unit; sides divisible by ``ratio``.
        ratio: Reduction; the kernel is stretched by it and its weights are normalised.
        shift_px: Moves the sampling points, in fine pixels towards the bottom right. 0 puts coarse pixel ``i`` on
            ``ratio*i + (ratio-1)/2``, as MATLAB does; at most ``ratio`` either way.

    Returns:
        (..., H/ratio, W/ratio) float64.

    Raises:
        UserError: If a side is not divisible by ``ratio``.

    Source: the algorithm of MATLAB ``imresize(image, 1/ratio)``, bicubic (a = -0.5); differs from Pillow at the border.
    """
    values = np.asarray(fine, dtype=np.float64)
    if any(size % ratio for size in values.shape[-2:]):
        raise UserError(f"sides {values.shape[-2:]} are not divisible by {ratio}; crop the image first")
    reach = np.arange(-3 * ratio, 4 * ratio)
    weights = _cubic((reach - (ratio - 1) / 2 - shift_px) / ratio)
    taps = [(offset, weight) for offset, weight in zip(reach, weights / weights.sum(), strict=True) if weight]
    for axis in (-2, -1):
        size = values.shape[axis]
        centres = np.arange(0, size, ratio)
        values = sum(weight * np.take(values, _mirrored(centres + offset, size), axis) for offset, weight in taps)
    return values


def _cubic(distance: Array) -> Array:
    """Keys' cubic, a = -0.5."""
    x = np.abs(distance)
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))


def _mirrored(positions: Array, size: int) -> Array:
    """Fold positions back inside, edge pixel repeated."""
    folded = positions % (2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)
