"""What holds of every registered method, a new one too: any size, bands, precision, batch; weights; gradients."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sfigf.catalogue import SIGNATURES
from sfigf.degrade.camera import camera_from_srgb
from sfigf.interface import Sample, Signature
from sfigf.plan import method_settings, runs
from sfigf.planning import read_study
from sfigf.registry import registered
from sfigf.trainer import Job, Trainer
from sfigf.training_settings import published_settings
from sfigf.weights import load_network, save_weights
from tests.conftest import ROOT, make_sample

SIZES = [(37, 29), (5, 7)]
SMALL: dict[str, Any] = {
    "width": 4, "mono_width": 4, "shallow_width": 4, "depth": 1, "blocks": 1, "rounds": 1, "levels": 2, "reduction": 2,
    "layers": (8, 4), "encoder": (1, 1), "decoder": (1, 1), "queries": 500,
}  # fmt: skip
OURS = [cls for cls in registered("method").values() if cls.__module__.startswith("sfigf.")]
LEARNED = [
    (cls, task, variant)
    for cls in OURS
    if hasattr(cls, "build")
    for task in cls.tasks
    for variant in cls.variants
]  # fmt: skip
CLASSICAL = [(cls, task) for cls in OURS if not hasattr(cls, "build") for task in cls.tasks]
learned = pytest.mark.parametrize(("cls", "task", "variant"), LEARNED, ids=[f"{c.name}-{t}-{v}" for c, t, v in LEARNED])
WIDE = read_study([ROOT / "config/default.yaml", ROOT / "config/wide.yaml"])
TRAINED = [run for run in runs(WIDE) if run.learned]
classical = pytest.mark.parametrize(("cls", "task"), CLASSICAL, ids=[cls.name for cls, _ in CLASSICAL])


def small(cls: Any) -> Any:
    return cls(**{name: size for name, size in SMALL.items() if name in cls.model_fields})


def signatures(task: str) -> list[Signature]:
    return [SIGNATURES[task], Signature(8, 1, 8)] if task == "pan" else [SIGNATURES[task]]


def lively(network: nn.Module) -> nn.Module:
    """Give what starts as nothing some weight, so that all there is takes part."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    return network


def network_of(cls: Any, signature: Signature, variant: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return lively(small(cls).build(signature, variant))


def inputs(signature: Signature, height: int, width: int, batch: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target, guide = (
        torch.rand(batch, n, height, width, generator=generator) for n in (signature.target, signature.guide)
    )
    return target, guide


@torch.no_grad()
@learned
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_odd_sizes_bands_and_precisions(cls, task: str, variant: str, dtype: torch.dtype) -> None:
    for signature in signatures(task):
        network = network_of(cls, signature, variant).to(dtype).eval()
        for height, width in SIZES:
            restored = network(*(image.to(dtype) for image in inputs(signature, height, width)))
            assert restored.shape == (1, signature.output, height * signature.upscale, width * signature.upscale)
            assert restored.dtype == dtype
            assert restored.isfinite().all()


@torch.no_grad()
@learned
def test_a_batch_of_two_is_two_batches_of_one(cls, task: str, variant: str) -> None:
    signature = SIGNATURES[task]
    network = network_of(cls, signature, variant).double().eval()
    target, guide = (image.double() for image in inputs(signature, 21, 18, batch=2))
    apart = torch.cat([network(target[[index]], guide[[index]]) for index in range(2)])
    assert (network(target, guide) - apart).abs().max() < 1e-6


@torch.no_grad()
@learned
def test_weights_come_back_from_a_file(cls, task: str, variant: str, tmp_path) -> None:
    signature = SIGNATURES[task]
    network = network_of(cls, signature, variant).train()
    shown = inputs(signature, 21, 18, batch=2)
    network(*shown)  # batch normalisation has statistics of its own to keep
    options = small(cls).model_dump(mode="json") | {"method": cls.name}
    facts = {"task": task, "method": cls.name, "options": options, "variant": variant}
    save_weights(tmp_path / "w.safetensors", network, facts | {"signature": dataclasses.asdict(signature)})
    again, _ = load_network(tmp_path / "w.safetensors", task)
    assert torch.equal(again(*shown), network.eval()(*shown))


@learned
def test_a_gradient_reaches_every_parameter_that_is_not_dead(cls, task: str, variant: str) -> None:
    reached: set[str] = set()
    for seed in range(16):  # a narrow network of ReLUs may be born silent
        network = network_of(cls, SIGNATURES[task], variant, seed)
        loss_of(network, cls, SIGNATURES[task], seed).backward()
        learning = {name: parameter.grad for name, parameter in network.named_parameters() if parameter.requires_grad}
        gradients = {name: gradient for name, gradient in learning.items() if gradient is not None}
        assert all(gradient.isfinite().all() for gradient in gradients.values())
        reached |= {name for name, gradient in gradients.items() if gradient.any()}
        dead = {name for name in learning if name.startswith(tuple(getattr(network, "dead", ("no such",))))}
        if reached == learning.keys() - dead:
            return
    assert reached == learning.keys() - dead


def loss_of(network: nn.Module, cls: Any, signature: Signature, seed: int) -> Tensor:
    target, guide = inputs(signature, 32, 32, batch=2, seed=seed)
    truth = torch.rand(2, signature.output, *(signature.upscale * side for side in target.shape[2:]))
    if getattr(cls, "needs_own_loss", False):
        return network.loss(target, guide, truth, torch.ones_like(truth[:, :1]))
    return (network(target, guide) - truth).square().mean()


def samples(task: str) -> Iterator[tuple[Sample, Sample]]:
    """Odd sizes, four and eight bands; each without a truth (full resolution) and with one and a mask."""
    colours = np.linalg.inv(camera_from_srgb()).tolist()
    for signature, (height, width) in itertools.product(signatures(task), SIZES):
        rng = np.random.default_rng(0)
        target, guide, coarse = (
            rng.random(shape, dtype=np.float32)
            for shape in (
                (signature.target, height, width),
                (signature.guide, height, width),
                (signature.target, -(-height // 4), -(-width // 4)),
            )
        )
        sides = (height * signature.upscale, width * signature.upscale)
        truth, valid = rng.random((signature.output, *sides), dtype=np.float32), rng.random((1, *sides)) < 0.8
        meta = {"factor": 4, "colour_matrix": colours}
        bare = Sample("bare", target, guide, coarse=coarse if task in ("depth", "pan") else None, meta=meta)
        yield bare, dataclasses.replace(bare, truth=truth, valid=valid)


@classical
def test_classical_methods_serve_every_sample_and_look_at_no_truth(cls, task: str) -> None:
    for bare, judged in samples(task):
        restored = cls().restore(bare)
        assert restored.shape == judged.truth.shape
        assert restored.dtype == np.float32
        assert np.isfinite(restored).all()
        assert np.array_equal(cls().restore(judged), restored)


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.name)
def test_every_card_says_where_it_is_from_and_what_it_was_proven_against(cls) -> None:
    assert cls.source
    assert cls.proof
    assert cls.kind == "classical" or any(published_settings(cls, task) for task in cls.tasks)
    assert cls.__doc__.strip().endswith(".")


def test_the_wide_study_has_every_method() -> None:
    for task, study in WIDE.tasks.items():
        assert study.methods.keys() == {cls.name for cls in OURS if task in cls.tasks}


@pytest.mark.parametrize("run", TRAINED, ids=[run.path for run in TRAINED])
def test_the_wide_study_trains_every_method(run) -> None:
    settings = method_settings(WIDE, run.task, run.method, run.condition)
    training = settings.training.model_copy(update={"steps": 2, "batch_size": 2, "patch_px": 32})
    sizes = SMALL | {"width": 12}  # wide enough to be born alive
    options = settings.options | {name: size for name, size in sizes.items() if name in settings.options}
    facts = {
        "task": run.task, "condition": run.condition, "label": run.method, "variant": run.variant, "seed": 0,
        "options": options, "signature": dataclasses.asdict(SIGNATURES[run.task]), "training": training.model_dump(),
    }  # fmt: skip
    sample = make_sample(run.task, side=64)
    trainer = Trainer(Job(facts, training, WIDE.part(run.task).metrics[0], [sample], [sample]), torch.device("cpu"))
    before = [parameter.detach().clone() for parameter in trainer.network.parameters()]
    for _ in range(2):
        trainer.advance()
    trainer._validate()
    assert any(not torch.equal(*pair) for pair in zip(before, trainer.network.parameters(), strict=True))
    assert all(parameter.isfinite().all() for parameter in trainer.network.parameters())
    assert np.isfinite(trainer.best["value"])
