"""Losses and schedules: the released formulas, by hand and against the metrics."""

import itertools

import numpy as np
import pytest
import torch

from sfigf.interface import UserError
from sfigf.losses import focus_loss, loss_of, masked_loss, raw_mono_loss, ssim
from sfigf.metrics import display
from sfigf.schedules import learning_rate
from sfigf.training_settings import Training

BUDGET = {"steps": 100, "batch_size": 1, "patch_px": 8, "learning_rate": 1.0, "validate_every_steps": 50}


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


@pytest.mark.parametrize(("kind", "expected"), [("l1", 2.0), ("mse", 4.0), ("charbonnier", 2.0)])
def test_loss_counts_valid_pixels_only(kind, expected):
    truth, restored = torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 100.0)
    valid = torch.zeros(1, 1, 4, 4)
    valid[..., 0] = 1
    restored[..., 0] = 2.0
    assert masked_loss(restored, truth, valid, kind).item() == pytest.approx(expected, rel=1e-6)


def test_the_released_pan_loss_is_the_mean_square_over_twice_the_batch():
    truth, restored = noise(5, 8, 6, 6).float(), noise(5, 8, 6, 6, seed=1).float()
    batch = {"truth": truth, "valid": torch.ones(5, 1, 6, 6)}
    loss = loss_of(restored, batch, Training(**(BUDGET | {"batch_size": 5}), loss="mse-released"))
    assert loss.item() == pytest.approx(torch.nn.functional.mse_loss(restored, truth).item() / 10, rel=1e-5)


def test_ssim_equals_the_metric():
    for seed, sides in enumerate(((11, 11), (40, 53))):
        truth = noise(1, 3, *sides, seed=seed)
        restored = 0.7 * truth + 0.3 * noise(1, 3, *sides, seed=9)
        assert ssim(truth, restored).item() == pytest.approx(
            display.ssim(truth[0].numpy(), restored[0].numpy()), abs=1e-12
        )
    assert ssim(truth, truth).item() == pytest.approx(1)
    with pytest.raises(UserError, match="at least 11 px, got 8"):
        ssim(noise(1, 3, 8, 20), noise(1, 3, 8, 20))


def test_ssim_can_be_climbed():
    truth, restored = noise(1, 1, 16, 16), noise(1, 1, 16, 16, seed=1).requires_grad_()
    before = ssim(truth, restored)
    (slope,) = torch.autograd.grad(before, restored)
    assert ssim(truth, restored + 1e-2 * slope / slope.norm()) > before


def test_raw_mono_adds_both_cameras():
    rgb, mono, truth, grey = (
        noise(2, 3, 16, 16),
        noise(2, 1, 16, 16, seed=1),
        noise(2, 3, 16, 16, seed=2),
        noise(2, 1, 16, 16),
    )
    colour = (rgb.float() - truth).abs().mean() + 0.5 * (1 - ssim(truth, rgb.float()))
    assert raw_mono_loss(rgb, truth, grey).item() == pytest.approx(colour.item(), rel=1e-6)
    both = raw_mono_loss((mono, rgb), truth, grey) - colour
    assert both.item() == pytest.approx((mono - grey).abs().mean().item(), rel=1e-5)


def test_the_focus_loss_by_hand():
    # A is flat left and striped right, B the other way round: the sharper of both is known at every inner pixel.
    stripes = (torch.arange(12) % 2).double().expand(12, 12)
    flat = torch.full((12, 12), 0.5, dtype=torch.float64)
    left = torch.arange(12) < 6
    first, second = torch.where(left, flat, stripes)[None, None], torch.where(left, stripes, flat)[None, None]
    sharp = stripes[None, None]
    inner = (..., slice(1, -1), slice(1, 5))
    assert focus_loss(sharp[inner], first[inner], second[inner]) < focus_loss(
        flat[None, None][inner], first[inner], second[inner]
    )
    mask = torch.zeros_like(first)
    mask[...] = _mask(first, second)
    restored = noise(1, 1, 12, 12, seed=3)
    intensity = (mask * (restored - first) ** 2 + (1 - mask) * (restored - second) ** 2).mean()
    gradient = 0
    for axis in (2, 3):
        d = [image.diff(dim=axis) for image in (restored, first, second)]
        m = mask.narrow(axis, 0, 11)
        gradient = gradient + (m * (d[0] - d[1]) ** 2 + (1 - m) * (d[0] - d[2]) ** 2).mean()
    assert focus_loss(restored, first, second).item() == pytest.approx(
        (0.5 * intensity + 1.5 * gradient).item(), rel=1e-12
    )


def _mask(first, second):
    """1 where A is sharper, with the blur written out tap by tap."""
    padded = [torch.nn.functional.pad(image, (1, 1, 1, 1)) for image in (first, second)]
    weights = {(0, 0): 4, (0, 1): 2, (0, -1): 2, (1, 0): 2, (-1, 0): 2}
    blurred = []
    for image in padded:
        total = 0
        for row, column in itertools.product((-1, 0, 1), repeat=2):
            part = image[..., 1 + row : 13 + row, 1 + column : 13 + column]
            total = total + weights.get((row, column), 1) * part / 16
        blurred.append(total)
    return ((first - blurred[0]).abs() > (second - blurred[1]).abs()).double()


def test_a_detached_gradient_term_is_in_the_loss_but_trains_nothing():
    first, second = noise(1, 3, 12, 12), noise(1, 3, 12, 12, seed=1)
    slopes, values = [], []
    for trains in (True, False):
        restored = noise(1, 3, 12, 12, seed=2).requires_grad_()
        loss = focus_loss(restored, first, second, trains_gradient=trains)
        slopes.append(torch.autograd.grad(loss, restored)[0])
        values.append(loss.item())
    assert values[0] == values[1]
    restored = noise(1, 3, 12, 12, seed=2).requires_grad_()
    sharper = torch.autograd.grad(focus_loss(restored, first, second, trains_gradient=False), restored)[0]
    assert torch.equal(sharper, slopes[1])
    assert not torch.allclose(slopes[0], slopes[1])


def test_learning_rate_warms_up_and_falls():
    settings = Training(**BUDGET, final_learning_rate=0.1, warmup_steps=10)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"decay": 0.2, "decay_every_steps": 3}, [1, 1, 1, 0.2, 0.2, 0.2, 0.04]),
        ({"decay": 0.5, "decay_at_steps": [2, 5]}, [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]),
        ({}, [1] * 7),
    ],
)
def test_steps_fall_where_the_released_schedules_do(schedule, expected):
    settings = Training(**BUDGET, schedule="step", **schedule)
    assert [learning_rate(step, settings) for step in range(7)] == pytest.approx(expected)
    if schedule:
        every = schedule.get("decay_every_steps")
        optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        of_torch = (
            torch.optim.lr_scheduler.StepLR(optimizer, every, schedule["decay"])
            if every
            else torch.optim.lr_scheduler.MultiStepLR(optimizer, schedule["decay_at_steps"], schedule["decay"])
        )
        for step in range(7):
            assert of_torch.get_last_lr()[0] == pytest.approx(learning_rate(step, settings))
            optimizer.step()
            of_torch.step()
