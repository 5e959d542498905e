"""Exponential moving average of a network's weights, for validation and for keeping."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


class Average:
    """``average += (1 - decay) * (weights - average)`` after every step; young averages forget faster.

    The decay of update n is at most ``(1 + n) / (10 + n)``, so that the first, random weights are soon forgotten.
    Counters and other integers are taken as they are.

    Args:
        network: What is averaged.
        decay: In [0, 1); 0.999 averages over about a thousand steps.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.state = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights of a step."""
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        pairs = [(self.state[key], value) for key, value in network.state_dict().items()]
        floats = [(mean, value) for mean, value in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [value for _, value in floats], share)
        for mean, value in pairs:
            if not mean.is_floating_point():
                mean.copy_(value)

    @contextlib.contextmanager
    def shown(self, network: nn.Module) -> Iterator[None]:
        """Let a network have the averaged weights for a while."""
        own = {key: value.detach().clone() for key, value in network.state_dict().items()}
        network.load_state_dict(self.state)
        try:
            yield
        finally:
            network.load_state_dict(own)

    def facts(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"state": self.state, "updates": self.updates}

    def restore(self, facts: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.updates = facts["updates"]
        kept: dict[str, Tensor] = facts["state"]
        for key, mean in self.state.items():
            mean.copy_(kept[key])
