"""Networks, and how they are asked."""

from __future__ import annotations

import inspect
from typing import Any


def takes_mosaic(network: Any) -> bool:
    """Whether a network is given a raw mosaic alone, ``network(mosaic)``, and no guide beside its target."""
    return len(inspect.signature(network.forward).parameters) == 1
