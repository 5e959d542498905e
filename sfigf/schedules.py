"""How the learning rate goes on."""

from __future__ import annotations

import math

from sfigf.training_settings import Training


def learning_rate(step: int, settings: Training) -> float:
    """Linear warm-up, then a half cosine down to the final rate, or steps down by ``decay``; ``step`` counts from 0."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "step":
        return settings.learning_rate * settings.decay ** _decays(step, settings)
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    fall = 0.5 * (1 + math.cos(math.pi * done))
    return settings.final_learning_rate + (settings.learning_rate - settings.final_learning_rate) * fall


def _decays(step: int, settings: Training) -> int:
    """How often the rate has fallen before a step."""
    if settings.decay_every_steps is not None:
        return step // settings.decay_every_steps
    return sum(mark <= step for mark in settings.decay_at_steps)
