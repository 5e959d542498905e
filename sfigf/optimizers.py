"""The optimisers that the settings name."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import nn

from sfigf.training_settings import Training

_OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": functools.partial(torch.optim.SGD, momentum=0.9),
}


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Adam, AdamW, or SGD with momentum 0.9; weight decay leaves out vectors (biases, norms, scales)."""
    live = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in live if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in live if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return _OPTIMIZERS[settings.optimizer]([group for group in groups if group["params"]], lr=settings.learning_rate)
