"""What bfloat16 costs in the metric of the task: trained weights on the test images of the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import forms
from benchmarks.alone import Calls, Form, side_by_side
from benchmarks.forms import BFLOAT16, OURS
from benchmarks.section import Section
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from torch import Tensor


def measure(sizes: Sizes) -> dict[str, Section]:
    """Two rows, or none where the study's weights or samples are not there."""
    title, paths = "Depth, trained weights: what bfloat16 costs", (sizes.weights, sizes.samples)
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        return {"task": Section(title, f"Not measured: {' and '.join(missing)} are made by `make reproduce`.", {})}
    rows = {
        form: Form(make, (form, *paths), hidden=forms.hidden(form), threads=sizes.threads)
        for form in (OURS, OURS + BFLOAT16)
    }
    return {
        "task": Section(
            title=title,
            text="Test images of the study at the study's width, RMSE of the disparity in pixels, mean over the "
            "images; bicubic is the target as it comes in.",
            rows=side_by_side(rows, sizes),
            facts={
                "rmse": ("RMSE, px", ".5f"),
                "difference": ("from float32, px", ".1e"),
                "bicubic": ("bicubic", ".5f"),
            },
        )
    }


def make(form: str, weights: str, samples: str) -> Calls:
    """Build the facts."""
    return {"facts": lambda: _facts(form, weights, samples)}


def _facts(form: str, weights: str, path: str) -> dict[str, float]:
    import numpy as np
    import torch

    from sfigf.inference import restore_sample
    from sfigf.registry import lookup
    from sfigf.store import SampleFile
    from sfigf.weights import load_network

    network, facts = load_network(weights, "depth")
    metric, encoding, device = lookup("metric", "rmse")(), facts["training"]["encoding"], torch.device("cpu")
    samples = list(SampleFile(path))
    exact = [restore_sample(network, sample, device, encoding) for sample in samples]
    kind: Any = InBfloat16(network) if form.endswith(BFLOAT16) else network
    restored = [restore_sample(kind, sample, device, encoding) for sample in samples]
    apart = [
        sample.to_units(one) - sample.to_units(other)
        for sample, one, other in zip(samples, restored, exact, strict=True)
    ]
    return {
        "rmse": float(np.mean([metric(image, sample) for image, sample in zip(restored, samples, strict=True)])),
        "difference": float(np.mean([np.sqrt(np.mean(np.square(difference))) for difference in apart])),
        "bicubic": float(np.mean([metric(sample.target, sample) for sample in samples])),
    }


class InBfloat16:
    """A network whose weights and features are bfloat16, for images that are not."""

    def __init__(self, network: Any) -> None:
        import torch

        self.kind = torch.bfloat16
        self.network = network.to(self.kind)

    def __call__(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored image in bfloat16."""
        return self.network(target.to(self.kind), guide.to(self.kind))
