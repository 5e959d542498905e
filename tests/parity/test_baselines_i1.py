"""DJF, FDKN, DKN and CU-Net (depth, focus) against reference values; taps, passes, any size, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from sfigf.config import Training
from sfigf.interface import Signature, UserError
from sfigf.methods.learned_depth_a import CUNetCard, DJFCard, DKNCard, FDKNCard
from sfigf.methods.learned_focus_a import CUNetFusionCard
from sfigf.nets.baselines.deformable_kernels import filter_taps, sample, tap_positions
from sfigf.nets.complexity import count_multiply_adds, count_parameters
from tests.parity.test_baselines import assert_same, load, reference, renamer

DEPTH, PAN, FOCUS = Signature(1, 3, 1), Signature(8, 1, 8), Signature(3, 3, 3)
SERVED = [
    (DJFCard(), DEPTH, 56_323),
    (FDKNCard(), DEPTH, 693_856),
    (FDKNCard(taps="corners", residual=False), DEPTH, None),
    (DKNCard(), DEPTH, 1_158_070),
    (DKNCard(taps="half-pixel", passes="sixteen"), DEPTH, None),
    (CUNetCard(), DEPTH, 207_375),
    (CUNetFusionCard(), FOCUS, 637_647),
]
IDS = [f"{card.name}-{index}" for index, (card, _, _) in enumerate(SERVED)]
served = pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
KERNEL_NETS = ("ImageKernel", "guide_kernels"), ("DepthKernel", "target_kernels")


def in_order(*starts: int) -> Callable[[re.Match[str]], str]:
    """Name the n-th convolution of a trunk, or its normalisation, by its place in our ``features``."""
    return lambda found: f"features.{starts[int(found[1]) - 1] + (found[2] is not None)}."


def kernel_names(*starts: int) -> Callable[[str], str]:
    heads = ("conv_weight", "weights"), ("conv_offset", "offsets")
    return renamer(*KERNEL_NETS, *heads, (r"conv(\d)(_bn)?\.", in_order(*starts)))


def cunet_weights(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The five thresholds of a code are one parameter of ours."""
    for net in ("net_u", "net_v", "net_z"):
        names = ["lam_in", *(f"lam_{index}" for index in range(4))]
        weights[f"{net}.thresholds"] = torch.cat([weights.pop(f"{net}.{name}") for name in names])
    return weights


CUNET_NAMES = renamer(
    ("net_u", "codes.unique_a"), ("net_v", "codes.unique_b"), ("net_z", "codes.common"), ("layer_in", "encode"),
    (r"^conv_u", "codes.explained_a"), (r"^conv_v", "codes.explained_b"),
    (r"down_conv_(\d)", r"decoders.\1"), (r"up_conv_(\d)", r"encoders.\1"),
)  # fmt: skip


@torch.no_grad()
def test_djf_is_the_reference_network() -> None:
    arrays, weights = reference("depth_DJF")
    names = renamer(
        ("cnn_t", "target_branch"), ("cnn_g", "guide_branch"), ("cnn_f", "joint_branch"), (r"\.feature", "")
    )
    net = load(DJFCard().build(DEPTH), weights, names)
    assert_same(net(arrays["up"], arrays["image"]), arrays["out"])


@torch.no_grad()
@pytest.mark.parametrize(("taps", "output"), [("half-pixel", "out"), ("corners", "out_align_corners_true")])
def test_fdkn_is_the_reference_network(taps: str, output: str) -> None:
    arrays, weights = reference("depth_FDKN")
    net = load(FDKNCard(taps=taps).build(DEPTH), weights, kernel_names(0, 3, 5, 8, 10, 13))
    assert_same(net(arrays["up"], arrays["image"]), arrays[output])


@torch.no_grad()
@pytest.mark.parametrize("passes", ["one", "sixteen"])
def test_dkn_is_the_reference_network(passes: str) -> None:
    arrays, weights = reference("depth_DKN")
    names = kernel_names(0, 3, 5, 8, 10, 13, 15)
    net = load(DKNCard(taps="half-pixel", passes=passes).build(DEPTH), weights, names)
    weight, offset = net.kernels(arrays["up"], arrays["image"])
    # Both maps are stored in 16 bit, which has 11 digits.
    assert torch.allclose(weight - weight.mean(1, keepdim=True), arrays["weight"].float(), rtol=2**-11, atol=1e-6)
    assert torch.allclose(offset, arrays["offset"].float(), rtol=2**-11, atol=1e-6)
    assert_same(net(arrays["up"], arrays["image"]), arrays["out"])


@torch.no_grad()
def test_cunet_is_the_reference_network() -> None:
    arrays, weights = reference("depth_CUNet")
    names = renamer(("decoder.conv_1", "decode_unique"), ("decoder.conv_2", "decode_common"))
    net = load(CUNetCard().build(DEPTH), cunet_weights(weights), lambda key: CUNET_NAMES(names(key)))
    assert_same(net.codes.unique_a(arrays["x"])[:, :8], arrays["u"])
    assert_same(net.core(arrays["x"], arrays["y"]), arrays["out"])
    target, luma = arrays["x"] + arrays["mean_x"], arrays["y"] + arrays["mean_y"]
    assert_same(net(target, luma), arrays["out"] + arrays["mean_x"])
    assert_same(net(target, luma.expand(-1, 3, -1, -1)), arrays["out"] + arrays["mean_x"])


@torch.no_grad()
def test_cunet_fusion_is_the_reference_network() -> None:
    arrays, weights = reference("focus_CUNet")
    names = renamer(("decoder.conv_1", "decode_a"), ("decoder.conv_2", "decode_common"), ("decoder.conv_3", "decode_b"))
    net = load(CUNetFusionCard().build(FOCUS), cunet_weights(weights), lambda key: CUNET_NAMES(names(key)))
    assert_same(net(arrays["A"], arrays["B"]), arrays["out"])


@served
def test_published_parameter_counts(card, signature: Signature, count: int | None) -> None:
    net = card.build(signature)
    assert count is None or count_parameters(net) == count
    assert count_multiply_adds(net, signature, 16, 16) > 0


def test_published_settings_are_settings_of_ours() -> None:
    for card, _, _ in SERVED:
        training = Training(**card.published)
        assert training.steps == 100 * training.validate_every_steps
        assert training.decay_every_steps < training.steps


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@served
def test_any_size_batch_and_precision(card, signature: Signature, count: int | None, dtype: torch.dtype) -> None:
    net = card.model_copy(update={"width": 4}).build(signature).to(dtype).eval()
    for height, width in ((1, 1), (7, 3), (18, 33)):
        target = torch.rand(2, signature.target, height, width, dtype=dtype)
        guide = torch.rand(2, signature.guide, height, width, dtype=dtype)
        both = net(target, guide)
        assert both.shape == (2, signature.output, height, width)
        assert both.dtype == dtype
        assert both.isfinite().all()
        alone = torch.cat([net(target[i : i + 1], guide[i : i + 1]) for i in range(2)])
        assert torch.allclose(both, alone, atol=4 * torch.finfo(dtype).eps, rtol=4 * torch.finfo(dtype).eps)


@served
def test_every_parameter_learns_and_both_inputs_matter(card, signature: Signature, count: int | None) -> None:
    torch.manual_seed(0)
    net = card.model_copy(update={"width": 4}).build(signature)
    target = torch.rand(2, signature.target, 32, 32, requires_grad=True)
    guide = torch.rand(2, signature.guide, 32, 32, requires_grad=True)
    net(target, guide).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name
    assert target.grad.abs().max() > 0
    assert guide.grad.abs().max() > 0


def windowed(image: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The plain way: cut the 15x15 window of every pixel out and sample it."""
    batch, taps, height, width = x.shape
    windows = functional.unfold(image, 15, padding=7).transpose(1, 2).reshape(-1, 1, 15, 15)
    places = torch.stack([x, y], dim=-1).permute(0, 2, 3, 1, 4).reshape(-1, taps, 1, 2) / 7
    found = functional.grid_sample(windows, places, align_corners=True, padding_mode="zeros")
    return found.view(batch, height, width, taps).permute(0, 3, 1, 2)


def test_sampling_equals_cut_windows_also_beyond_them() -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 1, 9, 20, dtype=torch.float64, requires_grad=True)
    x, y = (5 * torch.randn(2, 9, 9, 20, dtype=torch.float64) for _ in range(2))
    x, y = x.requires_grad_(), y.requires_grad_()
    assert ((x.abs() > 8) | (y.abs() > 8)).any()
    ours, theirs = sample(image, x, y), windowed(image, x, y)
    assert torch.allclose(ours, theirs, atol=1e-12)
    mix = torch.randn_like(ours)
    pairs = zip(*(torch.autograd.grad((way * mix).sum(), (image, x, y)) for way in (ours, theirs)), strict=True)
    assert all(torch.allclose(of_ours, of_theirs, atol=1e-10) for of_ours, of_theirs in pairs)


def test_taps_lie_where_the_card_says() -> None:
    offsets = torch.zeros(1, 18, 1, 1)
    offsets[:, 2] = 0.25  # tap 1 to the right
    for taps, first, step in (("centred", -1, 1), ("half-pixel", -0.5, 1), ("corners", -7 / 15, 14 / 15)):
        x, y = (place.flatten() for place in tap_positions(offsets, taps))
        index = torch.arange(9)
        moved = 0.25 * step * (index == 1)
        assert torch.allclose(x, first + step * (index // 3) + moved)
        assert torch.allclose(y, first + step * (index % 3).float())


def test_weights_sum_to_nought_with_the_residual_and_to_one_without() -> None:
    torch.manual_seed(0)
    image, weights, offsets = torch.full((1, 1, 30, 30), 0.5), torch.rand(1, 9, 30, 30), torch.rand(1, 18, 30, 30)
    for residual in (True, False):
        inner = filter_taps(image, weights, offsets, "centred", residual)[..., 9:-9, 9:-9]
        assert torch.allclose(inner, torch.full_like(inner, 0.5), atol=1e-6)
    middle = functional.one_hot(torch.tensor(4), 9).view(1, 9, 1, 1).expand(1, 9, 30, 30).float()
    noise = torch.rand(1, 1, 30, 30)
    assert torch.equal(filter_taps(noise, middle, 0 * offsets, "centred", False), noise)


@torch.no_grad()
def test_one_pass_equals_sixteen_at_any_size() -> None:
    torch.manual_seed(0)
    net = DKNCard(width=4).build(DEPTH).double().eval()
    for height, width in ((1, 1), (5, 11), (16, 12)):
        image = torch.rand(2, 3, height, width, dtype=torch.float64)
        pairs = zip(*(net.guide_kernels(image, passes) for passes in ("one", "sixteen")), strict=True)
        assert all(torch.allclose(one, sixteen, atol=1e-12) for one, sixteen in pairs)


@torch.no_grad()
def test_cunet_carries_the_level_of_each_image_through() -> None:
    torch.manual_seed(0)
    net = CUNetCard(width=4).build(DEPTH).eval()
    target, guide = torch.rand(2, 1, 12, 12), torch.rand(2, 3, 12, 12)
    level = torch.tensor([0.5, -2.0]).view(2, 1, 1, 1)
    assert torch.allclose(net(target + level, guide + level), net(target, guide) + level, atol=1e-5)


@pytest.mark.parametrize(
    ("card", "signature"),
    [
        *((card, PAN) for card, _, _ in SERVED),
        (FDKNCard(), Signature(1, 4, 1)),
        (CUNetCard(), Signature(1, 2, 1)),
        (CUNetFusionCard(), Signature(3, 3, 3, 2)),
    ],
)
def test_shapes_a_network_cannot_serve_are_named(card, signature: Signature) -> None:
    with pytest.raises(UserError, match=f"{card.name} needs"):
        card.build(signature)
