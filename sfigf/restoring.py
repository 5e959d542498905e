"""Restore a whole set with one method and say what it cost."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sfigf.files import write_text
from sfigf.inference import check_sample
from sfigf.interface import Array, Sample, UserError
from sfigf.store import Record, SampleFile, write_records


class Restorer:
    """A method ready to restore: classical, or learned with its weights on a device.

    Args:
        method: The method object of the settings.
        task: Task the weights must be of.
        weights: Weight file of a learned method.
        device: Device name for a learned method.
    """

    def __init__(self, method: Any, task: str, weights: str | Path | None = None, device: str = "auto") -> None:
        self.method = method
        self.facts: dict[str, Any] = {}
        if not hasattr(method, "build"):
            return
        from sfigf.inference import choose_device
        from sfigf.weights import load_network

        if weights is None:
            raise UserError(f"method '{method.name}' is learned and needs --weights")
        self.device = choose_device(device)
        network, self.facts = load_network(weights, task)
        if "encoding" not in self.facts.get("training", {}):
            raise UserError(f"{weights}: does not say its training's encoding; fetch or train it again")
        self.network = network.to(self.device)

    def __call__(self, sample: Sample) -> Array:
        """Restore one sample; (Co,H',W') float32 on the scale of ``sample.target``."""
        check_sample(sample)
        if not self.facts:
            return np.asarray(self.method.restore(sample), dtype=np.float32)
        from sfigf.inference import restore_sample

        return restore_sample(self.network, sample, self.device, self.facts["training"]["encoding"])

    def cost(self, sample: Sample) -> dict[str, Any]:
        """Parameters and multiply-adds per megapixel of output; zero parameters for a classical method."""
        if not self.facts:
            return {"parameters": 0, "multiply_adds_per_megapixel": None, "device": "cpu"}
        from sfigf.interface import Signature
        from sfigf.nets.complexity import count_multiply_adds, count_parameters

        signature = Signature(**self.facts["signature"])
        side = 128
        network = self.network.to("cpu")
        adds = count_multiply_adds(network, signature, side, side)
        self.network.to(self.device)
        return {
            "parameters": count_parameters(network),
            "multiply_adds_per_megapixel": adds / (side * side * signature.upscale**2) * 1e6,
            "device": str(self.device),
        }


def restore_set(restorer: Restorer, samples: str | Path, output: str | Path, cost: str | Path, run: dict) -> None:
    """Restore every sample of a set; write the images, and apart from them what it cost.

    An image is written before the next is restored. The first is restored once unmeasured, so that compilation and
    caches are not in the seconds.
    """
    stored = SampleFile(samples)
    restorer(stored[0])
    spent = _Spent()
    write_records(output, _restored(restorer, stored, spent))
    rate = spent.seconds / spent.pixels * 1e6
    facts = {"kind": restorer.method.kind, "seconds_per_megapixel": rate, "threads": _threads()}
    write_text(cost, json.dumps(run | restorer.cost(stored[0]) | facts, indent=1, sort_keys=True) + "\n")


@dataclasses.dataclass
class _Spent:
    seconds: float = 0.0
    pixels: int = 0


def _restored(restorer: Restorer, stored: SampleFile, spent: _Spent) -> Iterator[Record]:
    for sample in stored:
        began = time.perf_counter()
        restored = restorer(sample)
        spent.seconds += time.perf_counter() - began
        spent.pixels += restored[0].size
        yield Record(sample.name, {"restored": restored}, {})


def _threads() -> int:
    import sys

    return sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 1
