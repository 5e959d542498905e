"""Feature mutual information: what 3x3 patches of features of the fused image share with those of the sources."""

from __future__ import annotations

import numpy as np

from sfigf.interface import Array, UserError

FEATURES = ("none", "gradient", "dct")
_PATCH = 9
_PATCHES_AT_ONCE = 16384
_FLAT = 1e-25  # sum of squares of a flat distribution: nothing but rounding


def feature_mutual_information(first: Array, second: Array, fused: Array, feature: str = "none") -> float:
    """FMI, about 0..1, 1 at best: mean over pixels, sources and channels of the normalised mutual information.

    Every 3x3 patch is read, column by column, as a distribution over nine places; the joint distribution of two is
    made up from their correlation and the closest that two such distributions can be (or the farthest, if negative).

    Args:
        first: (C, H, W), 0..255; both sides at least 3.
        second: (C, H, W).
        fused: (C, H, W).
        feature: "none" (the pixels), "gradient" (the horizontal one) or "dct" (of the whole image).

    Raises:
        UserError: If the feature is unknown.

    Source: Haghighat & Razian, AICT 2014 (Fast-FMI); the authors' code as in
    Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153 analysis_fmi.m. Its default, "edge", is not ours.
    """
    if feature not in FEATURES:
        raise UserError(f"unknown feature '{feature}' of FMI; known: {', '.join(FEATURES)}")
    fused = np.asarray(fused, dtype=np.float64)
    sources = [np.broadcast_to(np.asarray(image, dtype=np.float64), fused.shape) for image in (first, second)]
    trios = zip(*sources, fused, strict=True)
    return float(np.mean([_shared(*(_feature(channel, feature) for channel in trio)) for trio in trios]))


def _feature(channel: Array, feature: str) -> Array:
    from scipy.fft import dctn

    if feature == "gradient":
        return np.gradient(channel, axis=1)
    return dctn(channel, norm="ortho") if feature == "dct" else channel


def _shared(first: Array, second: Array, fused: Array) -> float:
    """Mean normalised mutual information of all patches of the fused (H, W) image with those of either source."""
    patches = [_patches(image) for image in (first, second, fused)]
    starts = range(0, len(patches[2]), _PATCHES_AT_ONCE)
    parts = [_of_patches(*(image[i : i + _PATCHES_AT_ONCE] for image in patches)) for i in starts]
    return float(np.concatenate(parts).mean())


def _of_patches(first: Array, second: Array, fused: Array) -> Array:
    """Mean over both sources; a patch equal to the fused one shares all.

    The reference has stretched the fused patch by the time it compares it with the second source, unless it equalled
    the first: one bright pixel taken from the second source therefore counts 0, from the first 1. So it does here.
    """
    equal = (first == fused).all(axis=1)
    later = np.where(equal[:, None], fused, _stretched(fused))
    halves = _normalised(first, fused), _normalised(second, fused)
    return (np.where(equal, 1, halves[0]) + np.where((second == later).all(axis=1), 1, halves[1])) / 2


def _patches(image: Array) -> Array:
    """Return all 3x3 patches as (pixels, 9), columns first."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return windows.swapaxes(-1, -2).reshape(-1, _PATCH)


def _normalised(source: Array, fused: Array) -> Array:
    """Normalised mutual information of patches, (pixels,); 0 between two patches of one bright pixel each."""
    p, q = (_stretched(patches) for patches in (source, fused))
    p, q = (shares / shares.sum(axis=1, keepdims=True) for shares in (p, q))
    entropies = _entropy(p) + _entropy(q)
    mutual = entropies - _entropy(_joint(p, q).reshape(len(p), -1))
    return np.divide(2 * mutual, entropies, out=np.zeros_like(mutual), where=entropies > 0)


def _stretched(patches: Array) -> Array:
    """Stretch to [0,1]; a flat patch becomes ones."""
    low, high = patches.min(axis=1, keepdims=True), patches.max(axis=1, keepdims=True)
    return np.divide(patches - low, high - low, out=np.ones_like(patches), where=high > low)


def _entropy(shares: Array) -> Array:
    logarithms = np.log2(np.abs(shares), out=np.zeros_like(shares), where=shares != 0)
    return -(shares * logarithms).sum(axis=1)


def _joint(p: Array, q: Array) -> Array:
    """Joint distribution (pixels, 9, 9) between independence and the extreme one of Frechet, as far as correlated."""
    correlation = _correlation(p, q)
    up, across = np.cumsum(p, axis=1)[:, :, None], np.cumsum(q, axis=1)[:, None, :]
    nearest, farthest = np.minimum(up, across), np.maximum(up + across - 1, 0)
    extreme = np.where(correlation[:, None, None] >= 0, nearest, farthest)
    covariance = (extreme - up * across).sum(axis=(1, 2))
    spread = _deviation(p) * _deviation(q)
    usable = (spread > 0) & (correlation != 0) & (covariance != 0)
    share = np.divide(correlation * spread, covariance, out=np.zeros_like(spread), where=usable)[:, None, None]
    density = np.diff(np.diff(extreme, axis=1, prepend=0), axis=2, prepend=0)
    return share * density + (1 - share) * p[:, :, None] * q[:, None, :]


def _correlation(p: Array, q: Array) -> Array:
    """Pearson's coefficient of each pair; two flat patches agree fully, a flat one with no other."""
    p, q = (shares - shares.mean(axis=1, keepdims=True) for shares in (p, q))
    squares = (p**2).sum(axis=1), (q**2).sum(axis=1)
    flat = squares[0] < _FLAT, squares[1] < _FLAT
    products, lengths = (p * q).sum(axis=1), np.sqrt(squares[0] * squares[1])
    return np.divide(products, lengths, out=(flat[0] & flat[1]).astype(float), where=~(flat[0] | flat[1]))


def _deviation(shares: Array) -> Array:
    """Standard deviation of the place within the patch."""
    places = np.arange(1, _PATCH + 1)
    return np.sqrt(np.maximum(shares @ places**2 - (shares @ places) ** 2, 0))
