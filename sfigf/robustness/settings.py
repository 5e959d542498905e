"""The part of a study's settings that says what is perturbed, how far, and on how many images."""

from __future__ import annotations

from pydantic import Field, field_validator

from sfigf.registry import nearest
from sfigf.robustness.perturbations import PERTURBATIONS
from sfigf.sections import Section


class Robustness(Section):
    """Which perturbations a study measures.

    Attributes:
        perturbations: Levels by name; the nominal level is measured anyway.
        images: At most so many test images with a truth from each data set.
        crop_px: Side of the window in the middle of an image that is restored, in pixels of the truth; None restores
            whole images, whose nominal scores are then those of the tables. Images are perturbed before they are cut.
    """

    perturbations: dict[str, list[float]] = Field(min_length=1)
    images: int = Field(ge=1)
    crop_px: int | None = Field(ge=64)

    @field_validator("perturbations")
    @classmethod
    def _known(cls, given: dict[str, list[float]]) -> dict[str, list[float]]:
        for name, levels in given.items():
            if name not in PERTURBATIONS:
                known = ", ".join(PERTURBATIONS)
                raise ValueError(f"unknown perturbation '{name}'{nearest(name, PERTURBATIONS)}; there are {known}")
            for level in levels:
                if problem := PERTURBATIONS[name].problem(level):
                    raise ValueError(f"{name}: {problem}, not {level:g}")
            if len(set(levels)) < len(levels) or not levels:
                raise ValueError(f"{name}: give one or more levels, each once, not {levels}")
        return given

    def of(self, task: str) -> dict[str, list[float]]:
        """The perturbations that a task has, with their levels."""
        return {name: levels for name, levels in self.perturbations.items() if task in PERTURBATIONS[name].tasks}
