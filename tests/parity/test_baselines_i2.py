"""FDSR, DCTNet, PGSR and JIIF against reference values; what they recover from our inputs; counts; any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from sfigf.degrade.resample import resize_bicubic
from sfigf.interface import Signature, UserError
from sfigf.methods.learned_depth_b import DCTNetCard, FDSRCard, JIIFCard, PGSRCard
from sfigf.nets.baselines.dctnet import cosine, laplacian, smoothed
from sfigf.nets.baselines.depth_inputs import low_resolution
from sfigf.nets.complexity import count_multiply_adds

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "baselines"
DEPTH = Signature(1, 3, 1)
PUBLISHED = [(FDSRCard(), 601_105), (DCTNetCard(), 482_865), (PGSRCard(), 728_737), (JIIFCard(), 10_831_026 - 48)]
SMALL = [
    FDSRCard(width=4),
    DCTNetCard(width=4, depth=2),
    PGSRCard(width=4),
    PGSRCard(width=6, factor=3),
    JIIFCard(width=4, blocks=1, layers=(8,)),
    JIIFCard(width=3, blocks=1, layers=(8, 4), factor=3),
]
IDS = [f"{card.name}-x{getattr(card, 'factor', 8)}" for card in SMALL]
Arrays = dict[str, torch.Tensor]


def reference(name: str) -> tuple[Arrays, Arrays]:
    """Return the stored arrays and the weights of one reference network, those frozen and never called left out."""
    if not REFERENCE.is_dir():
        pytest.skip(f"reference values not present: {REFERENCE}")
    with np.load(REFERENCE / f"{name}.npz") as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored if stored[key].dtype.kind == "f"}
    weights = load_file(REFERENCE / f"{name}.safetensors")
    return arrays, {
        key: value.float() if value.is_floating_point() else value
        for key, value in weights.items()
        if not re.search("(sub|add)_mean", key)
    }


def load(net: torch.nn.Module, weights: Arrays, *renamings: tuple[str, str | Callable[..., str]]) -> torch.nn.Module:
    """Load reference weights under our names; every key must find its place."""

    def rename(key: str) -> str:
        for pattern, replacement in renamings:
            key = re.sub(pattern, replacement, key)
        return key

    net.load_state_dict({rename(key): value for key, value in weights.items()})
    return net.eval()


def assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Agree within 1e-5 of the reference's range."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-5 * (theirs.max() - theirs.min())


def as_rgb(normalised: torch.Tensor) -> torch.Tensor:
    """Undo ImageNet's statistics."""
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
    return normalised * deviation + mean


def upsampled(low: torch.Tensor, factor: int) -> torch.Tensor:
    """Enlarge (1,1,h,w) as our depth samples are."""
    height, width = low.shape[-2:]
    return torch.from_numpy(resize_bicubic(low[0].numpy(), factor * height, factor * width))[None]


def counted(pattern: str, offset: int = 0) -> Callable[[re.Match[str]], str]:
    """Return a replacement that fills the digit of a match, plus ``offset``, into ``pattern``."""
    return lambda found: pattern.format(int(found[1]) + offset)


@torch.no_grad()
def test_fdsr_is_the_reference_network() -> None:
    arrays, weights = reference("depth_FDSR")
    net = load(
        FDSRCard().build(DEPTH), weights,
        ("conv_rgb1", "guide_head"), ("conv_dp1", "target_head"), (r"rgb_cbl(\d)\.conv", counted("octaves.{}", -2)),
        ("conv_h2", "fine_to_"), ("conv_l2", "coarse_to_"), ("to_h", "to_fine"), ("to_l", "to_coarse"),
        (r"MSB(\d)", counted("blocks.{}", -1)), ("conv1", "near"), ("conv2", "far"), ("conv4", "mix"),
        (r"conv_recon(\d)", counted("up.{}", -1)), ("restore", "last"),
    )  # fmt: skip
    assert_same(net(arrays["up"], arrays["image"]), arrays["out"])


@torch.no_grad()
def test_dctnet_is_the_reference_network() -> None:
    arrays, weights = reference("depth_DCTNet")
    assert_same(laplacian(arrays["image"]), arrays["laplacian_of_image"])
    net = load(
        DCTNetCard().build(DEPTH), weights,
        ("^lambd$", "log_strength"), (r"Encoder_coupled\.coupled_feat_extractor", "coupled"),
        (r"Encoder_coupled\.init_deep\.0", "target_head"), (r"Encoder_coupled\.init_rgb\.0", "guide_head"),
        (r"kernel_(\w+)_(\d)", r"\2.\1.weight"), (r"bias_(\w+)_(\d)", r"\2.\1.bias"), ("shared", "common"),
        (r"1\.(common|depth|rgb)", r"first.\1"), (r"2\.(common|depth|rgb)", r"second.\1"),
        (r"\.depth\.", ".target."), (r"\.rgb\.", ".guide."), ("WPNet", "edge_weight"), ("conv1", "squeeze"),
        ("conv_f", "across"), ("conv2", "halve"), ("conv_max", "small.0"), ("conv3_", "small.2"), ("conv3", "small.1"),
        ("conv4", "expand"), ("conv_dilation", "dilated"), (r"Decoder_depth\.Decoder_Deep", "decoder"),
        (r"decoder\.2", "decoder.1"), (r"decoder\.4", "decoder.2"),
    )  # fmt: skip
    assert_same(net(arrays["up"], as_rgb(arrays["image"])), arrays["out"])


@torch.no_grad()
def test_pgsr_is_the_reference_network() -> None:
    arrays, weights = reference("depth_PGSR")
    net = load(
        PGSRCard().build(DEPTH), weights,
        (r"^conv_(depth|rgb|shared)\.", r"\1_head."), (r"feature_extraction_(\w+)\.(\d)\.body", r"\1_groups.\2.body"),
        ("PGR", "reconstruction"), (r"recon_trunk", "groups"), (r"body\.([01])\.body", r"blocks.\1"),
        (r"(blocks\.\d)\.0\.0", r"\1.first"), (r"(blocks\.\d)\.2\.0", r"\1.second"), (r"body\.2\.0", "last"),
        (r"3\.conv_du\.0", "squeeze"), (r"3\.conv_du\.2", "expand"),
        (r"conv_(\w+)_semi", r"\1_semi"), (r"conv_depth_mapping(\d)", counted("merge_depth.{}", -1)),
        (r"conv_rgb_mapping(\d)", counted("merge_rgb.{}", -1)), (r"PAI_(\d)", counted("interpolations.{}", -1)),
        (r"interpolations\.(\d)\.upconv1", r"fusion_depths.\1.up.0"),
        (r"interpolations\.(\d)\.upconv2", r"fusion_depths.\1.up.1"),
        (r"interpolations\.(\d)\.fusion2Depth", r"fusion_depths.\1.last"),
        ("conv_offset", "seeds"), (r"(int.*)conv_parameterized_depth", r"\1planes"), ("conv_depth2feature", "of_depth"),
        ("conv_depthMapping", "of_target"), ("conv_fusion", "fuse"), ("conv_depth2Plane", "target_planes"),
        (r"depth_mapping\.body", "inner"), ("conv_MP", "mutual"), ("conv_parameterized_depth", "guide_planes"),
        (r"Q_(\d)", counted("query.{}", -1)), (r"K_(\d)", counted("key.{}", -1)), (r"\.V\.", ".value."),
        (r"reconstruction\.fusion", "reconstruction.join"), (r"upconv(\d)", counted("up.{}", -1)), ("HRconv", "fine"),
        ("conv_last", "last"), ("^depth_", "target_"), ("^rgb_", "guide_"), ("^shared_", "common_"),
        ("merge_depth", "merge_target"), ("merge_rgb", "merge_guide"),
    )  # fmt: skip
    assert_same(net.core(arrays["up_torch_bicubic"], arrays["image"]), arrays["out"])
    assert_same(net(upsampled(arrays["lr"], 8), as_rgb(arrays["image"])), arrays["out"])


@torch.no_grad()
def test_jiif_is_the_reference_network_in_one_pass_and_in_chunks() -> None:
    arrays, weights = reference("depth_JIIF")
    net = load(
        JIIFCard(width=24, layers=(128, 64, 32, 16)).build(DEPTH), weights,
        ("image_encoder", "guide_encoder"), ("depth_encoder", "target_encoder"), (r"head\.0", "head"),
        (r"encoder\.body\.16", "encoder.tail"), (r"encoder\.body\.(\d+)\.body", r"encoder.blocks.\1"),
        (r"(blocks\.\d+)\.0", r"\1.first"), (r"(blocks\.\d+)\.2", r"\1.second"), ("imnet", ""), (r"^\.", ""),
        (r"layers\.(\d)", lambda found: f"layers.{int(found[1]) // 2}"),
    )  # fmt: skip
    up = arrays["lr_pixel"].view(1, 1, 64, 64)
    for chunk in (4096, 1000):
        net.chunk = chunk
        assert_same(up + net.core(arrays["lr"], arrays["image"], arrays["lr_image"]), arrays["out"])
        assert_same(net(up, as_rgb(arrays["image"]).flip(1)), arrays["out"])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31))
def test_the_map_before_pillow_enlarged_it_comes_back(factor: int, height: int, width: int, seed: int) -> None:
    low = torch.from_numpy(np.random.default_rng(seed).random((1, 1, height, width), dtype=np.float32))
    assert (low_resolution(upsampled(low, factor), factor) - low).abs().max() < 1e-5


def test_the_smoothing_is_the_cosine_transform_of_scipy() -> None:
    values, strength = torch.rand(2, 3, 7, 10, dtype=torch.float64), torch.rand(1, 3, 1, 1, dtype=torch.float64)
    assert np.allclose(cosine(values), scipy.fft.dct(values.numpy(), axis=-1))
    rows, columns = (2 * (np.cos(np.pi * np.arange(side) / side) - 1) for side in (7, 10))
    spectrum = scipy.fft.dctn(values.numpy(), axes=(-2, -1))
    spectrum /= 1 + strength.numpy() * (rows[:, None] + columns) ** 2
    assert np.allclose(smoothed(values, strength), scipy.fft.idctn(spectrum, axes=(-2, -1)))


@pytest.mark.parametrize(("card", "count"), PUBLISHED, ids=lambda value: getattr(value, "name", None))
def test_published_parameter_counts(card, count: int) -> None:
    net = card.build(DEPTH)
    assert sum(parameter.numel() for parameter in net.parameters()) == count
    assert count_multiply_adds(net, DEPTH, 64, 64) > 0


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("card", SMALL, ids=IDS)
def test_any_size_batch_and_precision(card, dtype: torch.dtype) -> None:
    net = card.build(DEPTH).to(dtype).eval()
    for batch, height, width in ((1, 1, 1), (2, 7, 3), (1, 18, 33)):
        restored = net(
            torch.rand(batch, 1, height, width, dtype=dtype), torch.rand(batch, 3, height, width, dtype=dtype)
        )
        assert restored.shape == (batch, 1, height, width)
        assert restored.dtype == dtype
        assert restored.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("card", SMALL, ids=IDS)
def test_a_batch_is_its_images_one_by_one(card) -> None:
    torch.manual_seed(0)
    net = card.build(DEPTH).double().eval()
    target, guide = torch.rand(2, 1, 26, 31).double(), torch.rand(2, 3, 26, 31).double()
    single = [net(target[i : i + 1], guide[i : i + 1]) for i in range(2)]
    assert torch.allclose(net(target, guide), torch.cat(single), atol=1e-12)


@pytest.mark.parametrize("card", SMALL, ids=IDS)
def test_every_parameter_learns_but_the_dead_and_both_inputs_matter(card) -> None:
    torch.manual_seed(0)
    net = card.build(DEPTH)
    for parameter in net.parameters():  # so that no last ReLU is shut and no plane lies beyond the nearest depth
        parameter.data.abs_()
    target, guide = torch.rand(2, 1, 24, 24, requires_grad=True), torch.rand(2, 3, 24, 24, requires_grad=True)
    net(target, guide).square().mean().backward()
    dead = tuple(getattr(net, "dead", ()))
    for name, parameter in net.named_parameters():
        assert (parameter.grad is None) == name.startswith(dead) if dead else parameter.grad is not None, name
        assert parameter.grad is None or parameter.grad.isfinite().all()
    assert target.grad.abs().max() > 0
    assert guide.grad.abs().max() > 0


def test_the_own_loss_of_pgsr_reaches_the_depth_of_its_fusions_and_counts_valid_pixels_alone() -> None:
    torch.manual_seed(0)
    net = PGSRCard(width=4).build(DEPTH).eval()
    target, guide, truth = torch.rand(1, 1, 20, 22), torch.rand(1, 3, 20, 22), torch.rand(1, 1, 20, 22)
    valid = torch.ones_like(truth)
    valid[..., :8, :8] = 0
    loss = net.loss(target, guide, truth, valid)
    loss.backward()
    silent = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert silent
    assert all(re.match(r"merge_\w+\.[12]", name) for name in silent)
    hidden = truth.clone()
    hidden[..., :2, :2] = 9
    assert torch.equal(net.loss(target, guide, hidden, valid), loss)
    depth = net(target, guide)
    main = ((100 * (depth - truth)).square() * valid).sum() / valid.sum()
    assert loss > main
    assert loss < 1.1 * main


def test_the_own_loss_of_jiif_asks_so_many_pixels_as_it_is_told() -> None:
    torch.manual_seed(0)
    net = JIIFCard(width=3, blocks=1, layers=(8,), queries=50).build(DEPTH)
    target, guide, truth = torch.rand(2, 1, 21, 18), torch.rand(2, 3, 21, 18), torch.rand(2, 1, 21, 18)
    valid = (torch.rand(2, 1, 21, 18) > 0.2).float()
    asked: list[int] = []
    net.layers[0].register_forward_hook(lambda layer, inputs, out: asked.append(out.shape[1]))
    net.loss(target, guide, truth, valid).backward()
    assert asked == [50] * 4
    assert all(parameter.grad is not None for parameter in net.parameters())
    net.queries = 21 * 18
    everywhere = ((net(target, guide) - truth).abs() * valid).sum() / valid.sum()
    assert torch.allclose(net.loss(target, guide, truth, valid), everywhere)


@torch.no_grad()
def test_jiif_asks_a_chunk_at_a_time() -> None:
    net = JIIFCard(width=3, blocks=1, layers=(8,)).build(DEPTH).eval()
    target, guide = torch.rand(1, 1, 24, 24), torch.rand(1, 3, 24, 24)
    whole = net(target, guide)
    asked: list[int] = []
    net.layers[0].register_forward_hook(lambda layer, inputs, out: asked.append(out.shape[1]))
    net.chunk = 100
    assert torch.allclose(net(target, guide), whole, atol=1e-6)
    assert max(asked) == 100


@pytest.mark.parametrize("card", SMALL[:3] + SMALL[4:5], ids=lambda card: card.name)
def test_shapes_a_network_cannot_serve_are_named(card) -> None:
    for signature in (Signature(8, 1, 8), Signature(4, 4, 3, 2), Signature(1, 1, 1)):
        with pytest.raises(UserError, match=card.name):
            card.build(signature)
    with pytest.raises(UserError, match="no variant 'half'"):
        card.build(DEPTH, "half")
