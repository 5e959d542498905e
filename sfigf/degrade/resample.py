"""Pillow's antialiased bicubic on float maps: the resampler of the guided depth super-resolution protocols."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sfigf.interface import Array, UserError


def resize_bicubic(image: Array, height: int, width: int) -> Array:
    """Resize every channel with Pillow's BICUBIC filter in 32-bit float (mode ``F``), up or down.

    Args:
        image: (C,H,W), any range; kept in its own units, overshoot is not clipped.
        height: Rows of the result, at least 1.
        width: Columns of the result, at least 1.

    Returns:
        (C,height,width) float32.

    Raises:
        UserError: If ``image`` is not (C,H,W) or a side is below 1.

    Source: DCTNet@5243875 ``dataset_processing/Processing_testsets_synthetic.py`` (protocol). Differs from MATLAB
    ``imresize`` at the borders only; from OpenCV and from torch without ``antialias=True`` everywhere.
    """
    if image.ndim != 3 or min(image.shape) < 1 or min(height, width) < 1:
        raise UserError(
            f"cannot resize an array of shape {image.shape} to {height}x{width}: give (C,H,W) and sides >= 1"
        )
    channels = [Image.fromarray(np.ascontiguousarray(channel, dtype=np.float32)) for channel in image]
    resized = [np.asarray(channel.resize((width, height), Image.Resampling.BICUBIC)) for channel in channels]
    return np.stack(resized).astype(np.float32, copy=False)
