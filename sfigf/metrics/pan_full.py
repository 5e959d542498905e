"""Full-resolution pan-sharpening metrics: no truth, only agreement with what the sensors saw.

Arrays in digital numbers: ``restored`` (C, H, W), ``upsampled`` (C, H, W) the bands brought to the PAN grid with the
23-tap filter, ``pan`` (1, H, W). These indices do not rank by themselves: noise can raise them.
"""

from __future__ import annotations

import itertools

import numpy as np

from sfigf.degrade.exp import interp23tap, reduce_bicubic
from sfigf.degrade.mtf import filter_bands
from sfigf.interface import Array, UserError
from sfigf.metrics.hypercomplex import q2n


def block_quality(first: Array, second: Array, block_px: int = 32) -> float:
    """Universal quality index of two (H, W) images, mean over disjoint blocks with (N-1) statistics.

    A block flat in both is judged by its means (0/0, hence NaN, in the reference); a partial block is left out.

    Raises:
        UserError: If no whole block fits.

    Source: Wang & Bovik 2002; liangjiandeng/DLPan-Toolbox@a34f884 Quality_Indices/D_s.m, uqi.
    """
    x, y = _blocks(first, block_px), _blocks(second, block_px)
    mean_x, mean_y = x.mean(axis=-1), y.mean(axis=-1)
    covariance = ((x - mean_x[:, None]) * (y - mean_y[:, None])).mean(axis=-1)
    spread, squares = x.var(axis=-1) + y.var(axis=-1), mean_x**2 + mean_y**2
    bias = np.divide(2 * mean_x * mean_y, squares, out=np.ones_like(squares), where=squares != 0)
    contrast = np.divide(2 * covariance, spread, out=np.ones_like(spread), where=spread != 0)
    return float((bias * contrast).mean())


def _blocks(image: Array, block: int) -> Array:
    rows, columns = image.shape[0] // block, image.shape[1] // block
    if not rows * columns:
        raise UserError(
            f"image is {image.shape[0]}x{image.shape[1]} px, smaller than one {block} px block; take larger"
        )
    whole = np.asarray(image[: rows * block, : columns * block], dtype=np.float64)
    return whole.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows * columns, block * block)


def d_lambda(restored: Array, upsampled: Array) -> float:
    """Spectral distortion, 0 at best: mean change of ``block_quality`` over the pairs of bands.

    Source: Alparone et al., PE&RS 74(2), 2008; DLPan-Toolbox@a34f884 Quality_Indices/D_lambda.m (p = 1).
    """
    pairs = list(itertools.combinations(range(len(restored)), 2))
    changes = [block_quality(restored[i], restored[j]) - block_quality(upsampled[i], upsampled[j]) for i, j in pairs]
    return float(np.mean(np.abs(changes)))


def d_s(restored: Array, upsampled: Array, pan: Array, ratio: int = 4) -> float:
    """Spatial distortion, 0 at best: mean change of each band's ``block_quality`` with PAN.

    The upsampled bands are held against PAN reduced with ``reduce_bicubic`` and brought back with ``interp23tap``.

    Raises:
        UserError: If a side is not divisible by ``ratio``.

    Source: Alparone et al. 2008; DLPan-Toolbox@a34f884 Quality_Indices/D_s.m (q = 1).
    """
    low_pan = interp23tap(reduce_bicubic(pan[0], ratio), ratio)
    pairs = zip(restored, upsampled, strict=True)
    changes = [block_quality(band, pan[0]) - block_quality(low, low_pan) for band, low in pairs]
    return float(np.mean(np.abs(changes)))


def qnr(restored: Array, upsampled: Array, pan: Array, ratio: int = 4) -> float:
    """Quality with no reference, 1 at best: ``(1 - D_lambda) (1 - D_s)``."""
    return (1 - d_lambda(restored, upsampled)) * (1 - d_s(restored, upsampled, pan, ratio))


def d_lambda_k(restored: Array, upsampled: Array, kernels: Array) -> float:
    """Khan's spectral distortion, 0 at best: ``1 - Q2n(upsampled, MTF(restored))`` at PAN size.

    Args:
        restored: (C, H, W).
        upsampled: (C, H, W).
        kernels: (C, 41, 41) from ``sfigf.degrade.mtf.mtf_kernels``.

    Source: Khan et al., IEEE TGRS 47(11), 2009; DLPan-Toolbox@a34f884 Quality_Indices/D_lambda_K.m.
    """
    return 1 - q2n(upsampled, filter_bands(restored, kernels))


def hqnr(restored: Array, upsampled: Array, pan: Array, kernels: Array, ratio: int = 4) -> float:
    """Hybrid quality with no reference, 1 at best: ``(1 - D_lambda_K) (1 - D_s)``."""
    return (1 - d_lambda_k(restored, upsampled, kernels)) * (1 - d_s(restored, upsampled, pan, ratio))
