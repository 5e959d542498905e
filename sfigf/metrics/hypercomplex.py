"""Q2n (Q4, Q8): the universal quality index of pixels read as hypercomplex numbers, one component per band."""

from __future__ import annotations

import functools

import numpy as np

from sfigf.interface import Array


def q2n(truth: Array, restored: Array, block_px: int = 32) -> float:
    """Mean over blocks of the hypercomplex quality index, 1 at best.

    Both images are rounded half up to unsigned 16 bits first, so values must be digital numbers (0..2047, say), never
    [0,1]. Sides are mirrored up to whole blocks; bands are zero-padded to a power of two (a case the reference code
    handles, but for which no reference value was at hand). The order of arguments matters.

    Args:
        truth: (C, H, W) digital numbers.
        restored: (C, H, W) digital numbers.
        block_px: Side of the disjoint blocks.

    Source: Garzelli & Nencini, IEEE GRSL 6(4), 2009; liangjiandeng/DLPan-Toolbox@a34f884 Quality_Indices/q2n.m.
    """
    reference, fused = (_blocks(_quantised(image), block_px) for image in (truth, restored))
    mean = reference.mean(axis=-1, keepdims=True)
    deviation = reference.std(axis=-1, ddof=1, keepdims=True)
    deviation[deviation == 0] = np.finfo(float).eps
    deviation[mean == 0] = 1  # an empty band is only shifted
    fused = (fused - mean) / deviation + 1
    fused[:, 1:] *= -1
    return float(_quality((reference - mean) / deviation + 1, fused).mean())


def _quantised(image: Array) -> Array:
    """Cast to uint16 as MATLAB does: half away from zero, saturated."""
    return np.clip(np.floor(np.asarray(image, dtype=np.float64) + 0.5), 0, 65535)


def _blocks(image: Array, block: int) -> Array:
    """Cut (C, H, W) into (blocks, bands, pixels), padded by mirroring and with zero bands."""
    bands, height, width = image.shape
    image = np.pad(image, ((0, 0), (0, -height % block), (0, -width % block)), mode="symmetric")
    image = np.pad(image, ((0, (1 << (bands - 1).bit_length()) - bands), (0, 0), (0, 0)))
    bands, height, width = image.shape
    tiled = image.reshape(bands, height // block, block, width // block, block)
    return tiled.transpose(1, 3, 0, 2, 4).reshape(-1, bands, block * block)


def _quality(first: Array, second: Array) -> Array:
    """Modulus of the index of each block; ``second`` is conjugated already."""
    pixels = first.shape[-1]
    mean_first, mean_second = first.mean(axis=-1), second.mean(axis=-1)
    squares = (mean_first**2).sum(axis=-1), (mean_second**2).sum(axis=-1)
    moments = first @ second.transpose(0, 2, 1) / pixels - mean_first[:, :, None] * mean_second[:, None, :]
    covariance = np.einsum("kij,bij->bk", _multiplication(first.shape[1]), moments)
    power = (first**2).mean(axis=-1).sum(axis=-1) + (second**2).mean(axis=-1).sum(axis=-1)
    variances = power - squares[0] - squares[1]
    bias = 2 * np.sqrt(squares[0] * squares[1]) / (squares[0] + squares[1])
    # The factor N/(N-1) of covariance and variances cancels; a block without variance is judged by its mean alone.
    safe = np.where(variances == 0, 1, variances)
    contrast = np.where(variances == 0, 1, 2 * np.linalg.norm(covariance, axis=-1) / safe)
    return bias * contrast


@functools.cache
def _multiplication(size: int) -> Array:
    """Return the Cayley-Dickson table T with ``(x*y)[k] = sum_ij T[k,i,j] x[i] y[j]``."""
    unit = np.eye(size)
    return np.stack([[_product(x, y) for y in unit] for x in unit]).transpose(2, 0, 1)


def _product(x: Array, y: Array) -> Array:
    if x.size == 1:
        return x * y
    half = x.size // 2
    a, b, c, d = x[:half], x[half:], y[:half], y[half:]
    return np.concatenate(
        [_product(a, c) - _product(_conjugate(d), b), _product(d, a) + _product(b, _conjugate(c))],
    )


def _conjugate(x: Array) -> Array:
    return np.concatenate([x[:1], -x[1:]])
