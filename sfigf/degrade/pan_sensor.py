"""One sensor's pan-sharpening samples: its own scenes, and training samples made in its bands from Sentinel-2."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from sfigf.degrade.pan import WaldProtocol
from sfigf.interface import Array, Sample, Scene, UserError
from sfigf.registry import nearest

# Centres of the bands, nm, ascending; panchromatic pass band, nm; largest digital number of the copies we read.
# Source: ESA, Sentinel-2 User Handbook (B2, B3, B4, B8); DigitalGlobe data sheets of WorldView-2 and GeoEye-1.
CENTRES_NM: dict[str, tuple[float, ...]] = {
    "sentinel2": (490, 560, 665, 842),
    "worldview2": (425, 480, 545, 605, 660, 725, 832.5, 950),
    "geoeye1": (480, 545, 672.5, 850),
}
PAN_NM: dict[str, tuple[float, float]] = {"worldview2": (450, 800), "geoeye1": (450, 800)}
PEAKS: dict[str, int] = {"worldview2": 2047, "geoeye1": 255}
_BRIGHT_QUANTILE = 0.999
_TITLES = {"sentinel2": "Sentinel-2", "worldview2": "WorldView-2", "geoeye1": "GeoEye-1"}


@dataclasses.dataclass(frozen=True)
class SensorProtocol:
    """Test on a sensor's real scenes, train on a stand-in for it.

    No open training image with the bands of these sensors travels in the package index, so a network for them is
    trained on Sentinel-2: an honest stand-in, not the sensor. The four bands of a pixel are interpolated linearly in
    wavelength at the centres of the sensor's bands, held constant beyond the ends; scaled, each scene by itself, so
    that 99.9 % of all values lie below the sensor's peak, where the rest saturate; filtered with the sensor's own MTF
    gains; and given a PAN simulated with the sensor's pass band. Such spectra know nothing between the four
    wavelengths: WorldView-2's coastal and blue band come out equal, real ones do not. The ground is sampled at 10 m,
    not at 2 m.

    Attributes:
        sensor: ``worldview2`` or ``geoeye1``.
        ratio: Fine pixels per coarse pixel, 2 or 4.
        noise_share: Standard deviation of the noise of a simulated PAN, as a share of the peak.

    Raises:
        UserError: If nothing is known of the sensor.
    """

    sensor: str
    ratio: int = 4
    noise_share: float = 0.002

    def __post_init__(self) -> None:
        if self.sensor not in PAN_NM:
            raise UserError(
                f"no protocol for sensor '{self.sensor}'{nearest(self.sensor, PAN_NM)}; there are {', '.join(PAN_NM)}"
            )

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Return the sample that has a truth.

        Raises:
            UserError: As ``samples``, and for a real scene of another sensor.
        """
        found = self.samples(scene, rng)
        if not found:
            raise UserError(f"scene '{scene.name}' is a real one of '{scene.meta['sensor']}', not of {self.sensor}")
        return found[0]

    def samples(self, scene: Scene, rng: np.random.Generator) -> list[Sample]:
        """Return what a scene gives: one of the sensor as ``WaldProtocol`` does; one without PAN a training sample.

        A real scene of another sensor gives none: the protocol is one sensor's.

        Raises:
            UserError: As ``WaldProtocol.samples``; if the centres of the scene's bands are not known.
        """
        wald = WaldProtocol(self.ratio, simulated_noise_dn=self.noise_share * PEAKS[self.sensor])
        if "pan" in scene.arrays:
            return wald.samples(scene, rng) if scene.meta.get("sensor") == self.sensor else []
        sample = wald(self._seen_by_sensor(scene), rng)
        bands = f"interpolated in wavelength from {_TITLES[scene.meta['sensor']]}"
        return [dataclasses.replace(sample, meta={**sample.meta, "bands": bands})]

    def _seen_by_sensor(self, scene: Scene) -> Scene:
        """Return the scene in the sensor's bands and digital numbers."""
        given, bands = scene.meta.get("sensor"), scene.arrays["multispectral"]
        if given not in CENTRES_NM or len(CENTRES_NM[given]) != len(bands):
            raise UserError(
                f"scene '{scene.name}': the wavelengths of {len(bands)} bands of sensor '{given}' are not known; take "
                "Sentinel-2 with its four bands of 10 m"
            )
        spectrum = np.tensordot(interpolation(CENTRES_NM[given], CENTRES_NM[self.sensor]), bands, axes=1)
        peak = PEAKS[self.sensor]
        numbers = np.minimum(spectrum * peak / np.quantile(spectrum, _BRIGHT_QUANTILE), peak)
        meta = {**scene.meta, "sensor": self.sensor, "peak": peak, "pan_mix": pan_mix(self.sensor)}
        return dataclasses.replace(scene, arrays={"multispectral": numbers}, meta=meta)


def interpolation(given_nm: Sequence[float] | Array, wanted_nm: Sequence[float] | Array) -> Array:
    """Return the (wanted, given) matrix of linear interpolation in wavelength, constant beyond the ends; rows sum to 1.

    Raises:
        ValueError: If the given wavelengths do not ascend.
    """
    if np.any(np.diff(given_nm) <= 0):
        raise ValueError(f"wavelengths must ascend: {given_nm}")
    return np.stack([np.interp(wanted_nm, given_nm, unit) for unit in np.eye(len(given_nm))], axis=1)


def pan_mix(sensor: str) -> list[float]:
    """Return the share of each band in the sensor's PAN: none negative, their sum 1.

    The spectrum, linear in wavelength between the centres of the bands, is averaged over the panchromatic pass band
    with a flat response. On the real scenes this mix correlates with PAN brought to the bands' grid at 0.972
    (WorldView-2) and 0.969 (GeoEye-1); the plain mean of the bands at 0.936 and 0.940.
    """
    low, high = PAN_NM[sensor]
    wavelengths = np.linspace(low, high, int(2 * (high - low)) + 1)
    return [float(share) for share in interpolation(CENTRES_NM[sensor], wavelengths).mean(axis=0).round(4)]
