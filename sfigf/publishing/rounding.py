"""Weights in half the bytes, and what that costs on the test images."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from pathlib import Path

from sfigf.interface import UserError
from sfigf.plan import Run
from sfigf.published import Mean
from sfigf.publishing.study import FinishedStudy, means_of


@dataclasses.dataclass(frozen=True)
class Rounding:
    """Test scores before and after, on one machine, metric by metric in the same order."""

    before: tuple[Mean, ...]
    after: tuple[Mean, ...]

    @property
    def main(self) -> list[tuple[Mean, Mean]]:
        """The main metric on each test set, before and after."""
        pairs = zip(self.before, self.after, strict=True)
        return [pair for pair in pairs if pair[0].metric == self.before[0].metric]

    @property
    def loss(self) -> float:
        """Largest share by which the main metric is worse on a test set."""
        return max(worse(one, other) for one, other in self.main)

    def told(self) -> str:
        """The loss in words."""
        return f"bfloat16 worsens {self.before[0].metric} by {self.loss:.3%}"

    def refuse(self, run: Run, bound: float, asked: bool) -> None:
        """Raise UserError if it was asked for."""
        if asked:
            raise UserError(f"{run.path}: {self.told()}, above the bound of {bound:.2%}; publish it as float32")


def worse(before: Mean, after: Mean) -> float:
    """By what share a value is worse; of a value in dB, the error that it stands for. Below 0 where it is better."""
    step = before.value - after.value if before.higher_is_better else after.value - before.value
    if before.unit == "dB":
        return math.expm1(step / 20 * math.log(10))
    return step / abs(before.value) if before.value else math.copysign(math.inf, step) if step else 0.0


def save_rounded(source: str | Path, output: str | Path) -> None:
    """Write the weights with every array of two or more dimensions in bfloat16; biases and norms stay as they are."""
    import torch

    from sfigf.weights import load_network, save_weights

    network, facts = load_network(source)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.to(torch.bfloat16)
    save_weights(output, network, facts | {"floats": "bfloat16"})


def measure(study: FinishedStudy, run: Run, rounded: Path, device: str) -> Rounding:
    """Restore and score the test images with the weights as trained, and as rounded."""
    return Rounding(_scored(study, run, study.weights(run), device), _scored(study, run, rounded, device))


def _scored(study: FinishedStudy, run: Run, weights: Path, device: str) -> tuple[Mean, ...]:
    from sfigf.restoring import Restorer, restore_set
    from sfigf.score import score_run, write_scores

    facts = {key: getattr(run, key) for key in ("task", "condition", "method", "variant", "seed")}
    with tempfile.TemporaryDirectory() as name:
        restored, cost, scores = (Path(name) / file for file in ("restored.safetensors", "cost.json", "scores.csv"))
        restore_set(Restorer(study.line(run).method, run.task, weights, device), study.samples(run), restored, cost, {})
        write_scores(scores, score_run(facts, study.metrics(run), study.samples(run), restored))
        return means_of(scores, study.metrics(run))
