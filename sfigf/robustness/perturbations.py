"""All perturbations by name."""

from __future__ import annotations

from sfigf.robustness.base import Perturbation
from sfigf.robustness.guides import GuideNoise, GuideShift
from sfigf.robustness.inputs import Scale, SensorMtf, TargetNoise, UnderExposure

PERTURBATIONS: dict[str, Perturbation] = {
    perturbation.name: perturbation
    for perturbation in (GuideShift(), GuideNoise(), Scale(), SensorMtf(), TargetNoise(), UnderExposure())
}
