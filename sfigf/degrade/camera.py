"""One fixed camera: from a photo back to its linear sensor values, and from a mosaic forward to a photo.

The camera is a Sony A7S II, the one the noise model in ``sfigf.degrade.raw`` was calibrated for. Photos are (3,H,W)
display-referred sRGB in [0,1]; mosaics are (1,H,W) RGGB; a packed mosaic is (4,H/2,W/2) in the order R, G1, G2, B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sfigf.degrade.colour import to_display, to_linear
from sfigf.interface import Array, UserError

BLACK_LEVEL = 512.0
WHITE_LEVEL = 16383.0
# Colour matrix XYZ (D65) -> camera of the ILCE-7S, x 10^4; the ILCE-7SM2 shares it (dcraw, table adobe_coeff).
_CAMERA_FROM_XYZ = np.array([[5838, -1430, -246], [-3497, 11477, 2297], [-748, 1885, 5778]]) / 1e4
# IEC 61966-2-1, linear sRGB -> XYZ.
_XYZ_FROM_SRGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_HIGHLIGHT_START = 0.9
# Malvar, He, Cutler 2004, figure 2, x 16: green at red or blue; a colour at green, its samples along the row; red at
# blue and blue at red.
_CROSS = np.array([[0, 0, -2, 0, 0], [0, 0, 4, 0, 0], [-2, 4, 8, 4, -2], [0, 0, 4, 0, 0], [0, 0, -2, 0, 0]]) / 16
_ROW = np.array([[0, 0, 1, 0, 0], [0, -2, 0, -2, 0], [-2, 8, 10, 8, -2], [0, -2, 0, -2, 0], [0, 0, 1, 0, 0]]) / 16
_CORNER = np.array([[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]]) / 16


def camera_from_srgb() -> Array:
    """Return the 3x3 matrix linear sRGB -> white-balanced camera RGB; each row sums to 1, so that white stays white."""
    matrix = _CAMERA_FROM_XYZ @ _XYZ_FROM_SRGB
    return matrix / matrix.sum(axis=1, keepdims=True)


def pack(mosaic: Array) -> Array:
    """Return (4,H/2,W/2), the 2x2 phases of a (1,H,W) plane in the order (0,0), (0,1), (1,0), (1,1)."""
    return np.concatenate([mosaic[:, row::2, column::2] for row in (0, 1) for column in (0, 1)])


def unpack(packed: Array) -> Array:
    """Return the (1,H,W) plane whose phases are the four given planes; undoes ``pack``."""
    _, height, width = packed.shape
    return packed.reshape(2, 2, height, width).transpose(2, 0, 3, 1).reshape(1, 2 * height, 2 * width)


def mosaic(camera: Array) -> Array:
    """Sample (3,H,W) camera RGB, H and W even, through an RGGB filter: (1,H,W)."""
    red, green, blue = camera
    plane = green.copy()
    plane[0::2, 0::2] = red[0::2, 0::2]
    plane[1::2, 1::2] = blue[1::2, 1::2]
    return plane[None]


def unprocess(photo: Array, white_balance: tuple[float, float, float]) -> Array:
    """Return linear camera RGB before white balance, float64 in [0,1], of a photo (3,H,W) in [0,1].

    Undoes, in this order, the tone curve (smoothstep), the sRGB curve, the colour matrix and the white balance; the
    gain of near-white pixels goes smoothly to 1, as clipped highlights of a photo were clipped on the sensor too.

    Source: Brooks et al., CVPR 2019, section 3; the colour matrix is one camera's, not a random mixture.
    """
    encoded = 0.5 - np.sin(np.arcsin(1 - 2 * np.clip(photo.astype(np.float64), 0, 1)) / 3)
    camera = np.clip(np.einsum("oc,chw->ohw", camera_from_srgb(), to_linear(encoded)), 0, 1)
    inverse_gain = 1 / np.asarray(white_balance).reshape(3, 1, 1)
    grey = camera.mean(axis=0)
    highlight = (np.maximum(grey - _HIGHLIGHT_START, 0) / (1 - _HIGHLIGHT_START)) ** 2
    return camera * np.maximum(highlight + (1 - highlight) * inverse_gain, inverse_gain)


def develop(packed: Array, meta: Mapping[str, Any]) -> Array:
    """Run the camera's own pipeline: demosaic, colour matrix, sRGB curve, tone curve.

    Args:
        packed: (4,H/2,W/2) amplified and white-balanced, about [0,1].
        meta: Facts of the sample; ``colour_matrix`` is the 3x3 matrix camera RGB -> linear sRGB.

    Returns:
        (3,H,W) float32 sRGB in [0,1].

    Raises:
        UserError: If there are not four planes, or no colour matrix.
    """
    if packed.ndim != 3 or packed.shape[0] != 4:
        raise UserError(f"developing needs a packed mosaic of shape (4, H/2, W/2); got {packed.shape}")
    if "colour_matrix" not in meta:
        raise UserError("developing needs the camera's 3x3 'colour_matrix' in the sample's meta")
    camera = demosaic(unpack(np.clip(packed.astype(np.float64), 0, 1)))
    return show(np.einsum("oc,chw->ohw", np.asarray(meta["colour_matrix"]), camera))


def develop_planes(packed: Array, meta: Mapping[str, Any]) -> Array:
    """Develop R, G1, G2, B (4,h,w) where they stand: colour matrix on each quad, then both curves; no demosaicking.

    The two greens keep their difference, so that no detail of the mosaic is lost. Clipped to [0,1].
    """
    red, first, second, blue = packed.astype(np.float64)
    green = (first + second) / 2
    matrix = np.asarray(meta["colour_matrix"])
    linear = np.einsum("oc,chw->ohw", matrix, np.stack([red, green, blue]))
    half = matrix[1, 1] * (first - second) / 2
    return show(np.stack([linear[0], linear[1] + half, linear[1] - half, linear[2]]))


def show(linear: Array) -> Array:
    """Linear light to the display: clip to [0,1], sRGB curve, tone curve (Brooks et al. 2019, 3x^2 - 2x^3)."""
    encoded = to_display(np.clip(linear, 0, 1))
    return (encoded**2 * (3 - 2 * encoded)).astype(np.float32)


def demosaic(plane: Array) -> Array:
    """Interpolate an RGGB mosaic (1,H,W), H and W even, to (3,H,W), linearly with gradient correction.

    Source: Malvar, He, Cutler, ICASSP 2004, figure 2. The border is mirrored, which keeps the colour phase.
    """
    from scipy.ndimage import correlate

    values = plane[0]
    cross, row, column, corner = (correlate(values, k, mode="mirror") for k in (_CROSS, _ROW, _ROW.T, _CORNER))
    red, green, blue = (values.copy() for _ in range(3))
    green[0::2, 0::2], green[1::2, 1::2] = cross[0::2, 0::2], cross[1::2, 1::2]
    red[0::2, 1::2], red[1::2, 0::2], red[1::2, 1::2] = row[0::2, 1::2], column[1::2, 0::2], corner[1::2, 1::2]
    blue[1::2, 0::2], blue[0::2, 1::2], blue[0::2, 0::2] = row[1::2, 0::2], column[0::2, 1::2], corner[0::2, 0::2]
    return np.stack([red, green, blue])
