"""Values of colour images: the range of a file's numbers, and the sRGB transfer curve both ways."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array


def unit_range(image: Array) -> Array:
    """Return an image as float32 in [0,1]: integers are divided by their type's maximum, floats are kept."""
    if np.issubdtype(image.dtype, np.integer):
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return image.astype(np.float32)


def to_linear(display: Array) -> Array:
    """Undo the sRGB transfer curve (IEC 61966-2-1): display values in [0,1] to linear light, float32."""
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_display(light: Array) -> Array:
    """Apply the sRGB transfer curve (IEC 61966-2-1): linear light to display values, float32; negative light is 0."""
    light = np.maximum(light, 0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)
