"""Zhao's Q_P: how well the phase congruency of the sources, and its edges and corners, reach the fused image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sfigf.interface import Array
from sfigf.metrics.fusion_channels import blurred, channel_mean, gaussian

_SCALES = 4
_ORIENTATIONS = 6
_SHORTEST_WAVE_PX = 3
_SCALE_STEP = 2.1
_EPSILON = 1e-4
_FEATURE = 0.1


class Features(NamedTuple):
    """Phase congruency of a channel, each (H, W): how much of it there is, and its largest and smallest moment."""

    congruency: Array
    edges: Array
    corners: Array


@channel_mean
def q_p(first: Array, second: Array, fused: Array) -> float:
    """Q_P, product of the local correlations of congruency, edges and corners with the sources', about 0..1.

    Takes (C, H, W) arrays holding whole numbers 0..255; mean over the channels, no unit, higher is better. Gray is a
    call with one channel. NaN where no source has a feature or the fused image is constant.

    Source: Zhao et al., IJICIC 3(6A), 2007; zhengliu6699/imageFusionMetrics@d6f7f1a metricZhao.m.
    """
    a, b, f = map(phase_congruency, (first, second, fused))
    nearer = a.congruency > b.congruency
    strongest = Features(*(np.where(nearer, x, y) for x, y in zip(a, b, strict=True)))
    sources = a, b, strongest
    masks = [source.congruency > _FEATURE for source in sources]
    return float(np.prod([_preserved(maps, f[i], masks) for i, maps in enumerate(zip(*sources, strict=True))]))


def _preserved(sources: tuple[Array, ...], fused: Array, masks: list[Array]) -> float:
    """Sum the best correlation at each pixel with a feature, over the number of features of both sources together."""
    best = np.maximum.reduce(
        [np.where(mask, _correlation(source * mask, fused), 0) for source, mask in zip(sources, masks, strict=True)]
    )
    return best.sum() / masks[-1].sum()


def _correlation(x: Array, y: Array) -> Array:
    weights = gaussian(5, 1.5)
    means = blurred(x, weights), blurred(y, weights)
    covariance = blurred(x * y, weights) - means[0] * means[1]
    variances = [blurred(z * z, weights) - mean**2 for z, mean in zip((x, y), means, strict=True)]
    return (covariance + _EPSILON) / (np.sqrt(np.abs(variances[0] * variances[1])) + _EPSILON)


def phase_congruency(channel: Array) -> Features:
    """Find where the Fourier components of (H, W) are in phase: congruency 0..1, edges and corners from 0.

    Four scales from 3 px by 2.1, six orientations, noise threshold at 2 standard deviations.

    Source: Kovesi, Videre 1(3), 1999 (PC_2) and DICTA 2003 (moments); imageFusionMetrics@d6f7f1a myphasecong3.m, which
    pools the congruency over the orientations and takes the noise of each orientation by itself.
    """
    spectrum = np.fft.fft2(channel - channel[0, 0])  # so that a constant channel leaves no rounding noise
    radial, direction = _filters(channel.shape)
    energies, amplitudes, angles = [], [], np.arange(_ORIENTATIONS) * np.pi / _ORIENTATIONS
    for angle in angles:
        energy, amplitude = _energy(spectrum, radial * _sector(direction, angle))
        energies.append(energy)
        amplitudes.append(amplitude)
    total = np.sum(energies, axis=0) / (np.sum(amplitudes, axis=0) + _EPSILON)
    return Features(total, *_moments(np.divide(energies, amplitudes), angles))


def _filters(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the log-Gabor filters (scale, H, W), zero at frequency 0, and the direction of each frequency."""
    down, across = (np.fft.ifftshift(_centred(size) / (size - size % 2)) for size in shape)
    radius = np.hypot(down[:, None], across)
    radius[0, 0] = 1
    waves = _SHORTEST_WAVE_PX * _SCALE_STEP ** np.arange(_SCALES)
    radial = np.exp(-(np.log(radius * waves[:, None, None]) ** 2) / (2 * np.log(0.55) ** 2)) * _lowpass(shape)
    radial[:, 0, 0] = 0
    return radial, np.arctan2(-down[:, None], across)


def _centred(size: int) -> Array:
    return np.arange(size) - size // 2.0


def _lowpass(shape: tuple[int, ...]) -> Array:
    """Return a Butterworth filter of order 15 that ends at 0.45 cycles per px.

    For odd sizes it is one frequency off the centre: the reference shifts it with fftshift, not its inverse.
    """
    down, across = (np.fft.fftshift(_centred(size) / size) for size in shape)
    return 1 / (1 + (np.hypot(down[:, None], across) / 0.45) ** 30)


def _sector(direction: Array, angle: float) -> Array:
    width = np.pi / _ORIENTATIONS / 1.2
    away = (direction - angle + np.pi) % (2 * np.pi) - np.pi
    return np.exp(-(away**2) / (2 * width**2))


def _energy(spectrum: Array, filters: Array) -> tuple[Array, Array]:
    """Return the energy in phase above the noise, weighted by the spread of frequencies, and the whole amplitude."""
    responses = np.fft.ifft2(spectrum * filters)
    amplitudes = np.abs(responses)
    together = responses.sum(axis=0)
    turned = responses * np.conj(together / (np.abs(together) + _EPSILON))
    energy = (turned.real - np.abs(turned.imag)).sum(axis=0) - _noise(amplitudes[0], filters)
    amplitude = amplitudes.sum(axis=0)
    spread = amplitude / (amplitudes.max(axis=0) + _EPSILON) / _SCALES
    return np.maximum(energy, 0) / (1 + np.exp((0.5 - spread) * 10)), amplitude


def _noise(finest: Array, filters: Array) -> float:
    """Estimate the energy of noise plus 2 standard deviations from the median of the finest scale (Rayleigh)."""
    power = np.median(finest**2) / np.log(2) / (filters[0] ** 2).sum()
    pulse = np.fft.ifft2(filters.sum(axis=0)).real
    rayleigh = np.sqrt(power * (pulse**2).sum() * pulse.size)
    return float(rayleigh * (np.sqrt(np.pi / 2) + 2 * np.sqrt(2 - np.pi / 2)) / 1.7)


def _moments(congruencies: Array, angles: Array) -> tuple[Array, Array]:
    """Return the largest and the smallest moment of the congruencies (orientation, H, W)."""
    squares = congruencies**2
    across, down, mixed = (
        np.tensordot(weights, squares, axes=1) * 2 / _ORIENTATIONS
        for weights in (np.cos(angles) ** 2, np.sin(angles) ** 2, np.cos(angles) * np.sin(angles) / 2)
    )
    root = np.sqrt(mixed**2 + (across - down) ** 2) + _EPSILON
    return (down + across + root) / 2, (down + across - root) / 2
