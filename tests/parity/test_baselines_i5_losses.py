"""The losses of SESF-Fuse, GACN, U2Fusion, NAFNet and the MCR net: they reach every parameter and fall."""

from __future__ import annotations

import pytest
import torch

from sfigf.interface import Signature
from sfigf.methods.learned_focus_b import SESFFuseCard, U2FusionCard
from sfigf.methods.learned_raw_a import MCRNetCard, NAFNetCard
from sfigf.nets.baselines.gacn import _soft_q_g
from tests.parity.test_baselines import FOCUS, RAW
from tests.parity.test_baselines_i5 import SERVED, lively, small

OWN_LOSS = [entry for entry in SERVED if entry[0].name != "u2fusion"]


def batch_of(signature: Signature, seed: int = 0, side: int = 64) -> tuple[torch.Tensor, ...]:
    """Two soft random photographs: target, guide, truth, valid. Focus: A is sharp on the left, B on the right."""
    generator = torch.Generator().manual_seed(seed)
    octaves = [(torch.rand(2, 3, size, size, generator=generator), share) for size, share in ((4, 0.5), (side, 0.3))]
    truth = sum(
        torch.nn.functional.interpolate(octave, size=side, mode="bilinear") * share for octave, share in octaves
    )
    assert isinstance(truth, torch.Tensor)
    if signature == FOCUS:
        blurred = torch.nn.functional.avg_pool2d(truth, 7, 1, 3, count_include_pad=False)
        left = (torch.arange(side) < torch.rand(2, 1, 1, 1, generator=generator) * side).float()
        target, guide = left * truth + (1 - left) * blurred, (1 - left) * truth + left * blurred
    else:
        packed = torch.nn.functional.pixel_unshuffle(truth.mean(dim=1, keepdim=True), 2)
        target, guide = (packed + 0.1 * torch.rand(packed.shape, generator=generator) for _ in range(2))
    return target, guide, truth, torch.ones(2, 1, side, side)


@pytest.mark.parametrize(("card", "signature", "count"), OWN_LOSS, ids=lambda value: getattr(value, "name", ""))
def test_own_loss_reaches_every_parameter_and_falls(card, signature: Signature, count: int | None) -> None:
    torch.manual_seed(0)
    net = lively(small(card).build(signature))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses, reached = [], {name: torch.zeros(()) for name, _ in net.named_parameters()}
    for step in range(12):
        loss = net.loss(*batch_of(signature, step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all(), name
            reached[name] = torch.maximum(reached[name], parameter.grad.abs().max())
    assert not [name for name, gradient in reached.items() if gradient == 0]
    assert sum(losses[-3:]) < sum(losses[:3])


@pytest.mark.parametrize("card", [U2FusionCard(), NAFNetCard(), MCRNetCard()], ids=lambda card: card.name)
def test_an_ordinary_loss_trains_every_parameter(card) -> None:
    torch.manual_seed(0)
    signature = FOCUS if "focus" in card.tasks else RAW
    net = lively(small(card).build(signature))
    target, guide, truth, _ = batch_of(signature)
    (net(target, guide) - truth).square().mean().backward()
    assert all(parameter.grad.isfinite().all() and parameter.grad.any() for parameter in net.parameters())


def test_sesf_says_that_it_needs_its_own_loss() -> None:
    image = torch.rand(1, 3, 16, 16)
    assert SESFFuseCard.needs_own_loss
    assert not SESFFuseCard(width=2).build(FOCUS)(image, image).requires_grad


@pytest.mark.parametrize("card", [NAFNetCard(), MCRNetCard()], ids=lambda card: card.name)
def test_own_losses_leave_out_what_is_not_valid(card) -> None:
    net = small(card).build(RAW)
    target, guide, truth, valid = batch_of(RAW)
    valid[..., :20] = 0
    changed = truth.clone()
    changed[..., :20] = 0.5
    assert torch.equal(net.loss(target, guide, truth, valid), net.loss(target, guide, changed, valid))


def test_mcr_net_is_held_against_the_monochrome_truth_where_there_is_one() -> None:
    torch.manual_seed(0)
    net = small(MCRNetCard()).build(RAW)
    target, guide, truth, valid = batch_of(RAW)
    mono, _ = net.both(target)
    with torch.no_grad():
        apart = net.loss(target, guide, truth, valid, mono + 0.25) - net.loss(target, guide, truth, valid)
    assert apart == pytest.approx(0.25, abs=1e-5)


def test_psnr_is_what_nafnet_minimises() -> None:
    net = NAFNetCard(width=2, encoder=(0,), decoder=(0,), middle=0).build(RAW)
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    target, guide, truth, valid = batch_of(RAW)
    assert float(net.loss(target, guide, torch.full_like(truth, 0.1), valid).detach()) == pytest.approx(-20, abs=1e-4)


def test_soft_quality_is_the_metric_on_ordinary_images() -> None:
    from sfigf.metrics.fusion_edges import q_g

    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 1, 1, 24, 24), generator=generator).double()
    soft = float(_soft_q_g(*(images / 255)).mean())
    assert soft == pytest.approx(q_g(*(image[0].numpy() for image in images)), abs=1e-3)
