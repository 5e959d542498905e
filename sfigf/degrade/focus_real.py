"""Real multi-focus pairs: nothing is simulated, the two photographs are the sample."""

from __future__ import annotations

import dataclasses

import numpy as np

from sfigf.degrade.colour import unit_range
from sfigf.interface import Sample, Scene, UserError

_PAIR = ("focus-a", "focus-b")


def is_pair(scene: Scene) -> bool:
    """Whether the scene was photographed twice, focused at different distances."""
    return set(_PAIR) <= scene.arrays.keys()


def pair_sample(scene: Scene) -> Sample:
    """Image A is the target, image B the guide, ``sharp`` the truth where there is one; all (3,H,W) in [0,1].

    Raises:
        UserError: If the pictures differ in shape.
    """
    roles = [role for role in (*_PAIR, "sharp") if role in scene.arrays]
    shapes = {role: scene.arrays[role].shape for role in roles}
    if len(set(shapes.values())) > 1:
        raise UserError(f"scene '{scene.name}': its pictures differ in shape: {shapes}; they must agree pixel by pixel")
    first, second, *sharp = (unit_range(scene.arrays[role]) for role in roles)
    meta = {key: scene.meta[key] for key in ("grey",) if key in scene.meta}
    return Sample(scene.name, target=first, guide=second, truth=sharp[0] if sharp else None, meta=meta)


@dataclasses.dataclass(frozen=True)
class RealPair:
    """Real pairs alone, as they were taken; scenes with one picture give no sample."""

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Sample:
        """Return the pair.

        Raises:
            UserError: If the scene is no pair, or its pictures differ in shape.
        """
        if not is_pair(scene):
            raise UserError(f"scene '{scene.name}' is no multi-focus pair: it has {', '.join(scene.arrays)}")
        return pair_sample(scene)

    def samples(self, scene: Scene, rng: np.random.Generator) -> list[Sample]:
        """Return the pair, or nothing for a scene that is none."""
        return [pair_sample(scene)] if is_pair(scene) else []
