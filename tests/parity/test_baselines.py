"""Learned baselines and guided-filter fusion against reference values; parameter counts; any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sfigf.interface import Sample, Signature, UserError
from sfigf.methods.baselines import DJFRCard, FusionNetCard, IFCNNCard, SIDUNetCard, SVLRMCard
from sfigf.methods.classic.focus import GuidedFilterFusion

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "baselines"
DEPTH, PAN, FOCUS, RAW = Signature(1, 3, 1), Signature(8, 1, 8), Signature(3, 3, 3), Signature(4, 4, 3, 2)
SERVED = [
    (DJFRCard(), DEPTH, 56_323),
    (SVLRMCard(), DEPTH, 371_650),
    (SVLRMCard(), PAN, None),
    (SVLRMCard(), FOCUS, None),
    (SVLRMCard(), RAW, None),
    (FusionNetCard(), PAN, 78_632),
    (IFCNNCard(), FOCUS, 83_587),
    (SIDUNetCard(use_guide=False), RAW, 7_760_748),
    (SIDUNetCard(width=4), RAW, None),
]
IDS = [f"{card.name}-{signature.target}-{signature.guide}" for card, signature, _ in SERVED]


def reference(name: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the stored arrays and the weights of one reference network."""
    if not REFERENCE.is_dir():
        pytest.skip(f"reference values not present: {REFERENCE}")
    with np.load(REFERENCE / f"{name}.npz") as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored if stored[key].dtype.kind in "fiu"}
    weights = load_file(REFERENCE / f"{name}.safetensors")
    return arrays, {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}


def load(net: torch.nn.Module, weights: dict[str, torch.Tensor], rename: Callable[[str], str]) -> torch.nn.Module:
    """Load reference weights under our names; every key must find its place."""
    net.load_state_dict({rename(key): value for key, value in weights.items()})
    return net.eval()


def assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Agree within 1e-5 of the reference's range."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-5 * (theirs.max() - theirs.min())


def renamer(*pairs: tuple[str, str]) -> Callable[[str], str]:
    def rename(key: str) -> str:
        for pattern, replacement in pairs:
            key = re.sub(pattern, replacement, key)
        return key

    return rename


@torch.no_grad()
def test_djfr_is_the_reference_network() -> None:
    arrays, weights = reference("depth_DJFR")
    names = renamer(
        ("cnn_t", "target_branch"), ("cnn_g", "guide_branch"), ("cnn_f", "joint_branch"), (r"\.feature", "")
    )
    net = load(DJFRCard().build(DEPTH), weights, names)
    assert_same(net(arrays["up"], arrays["image"]), arrays["out"])


@torch.no_grad()
def test_svlrm_is_the_reference_network() -> None:
    arrays, weights = reference("depth_SVLRM")
    names = renamer((r"medium_layer\.(\d+)\.conv", r"trunk.\1"), ("input", "first"), ("output", "last"))
    net = load(SVLRMCard().build(DEPTH), weights, names)
    coefficients = torch.cat(net.coefficients(arrays["depth_up"], arrays["guide"]), dim=1)
    assert_same(coefficients, arrays["coef"])
    assert_same(net(arrays["depth_up"], arrays["guide"].repeat(1, 3, 1, 1)), arrays["out"])


@torch.no_grad()
def test_fusionnet_is_the_reference_network() -> None:
    arrays, weights = reference("pan_FusionNet")
    names = renamer(("conv1", "head"), ("conv3", "tail"), (r"res([1-4])", lambda found: f"blocks.{int(found[1]) - 1}"),
                    ("conv20", "first"), ("conv21", "second"))  # fmt: skip
    net = load(FusionNetCard().build(PAN), weights, names)
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_ifcnn_is_the_reference_network() -> None:
    arrays, weights = reference("focus_IFCNN")
    names = renamer(
        ("conv1", "stem"), ("conv2", "extract"), ("conv3", "merge"), ("conv4", "reconstruct"), ("bn", "norm")
    )
    net = load(IFCNNCard().build(FOCUS), weights, names)
    image_a, image_b = (arrays[key].permute(2, 0, 1)[None].float() / 255 for key in ("A_uint8", "B_uint8"))
    fused = net(image_a, image_b)
    assert_same((fused - net.mean) / net.deviation, arrays["out"])
    truncated = (fused.clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0).int()
    assert (truncated - arrays["final_uint8"].int()).abs().max() <= 1


@torch.no_grad()
def test_sid_unet_is_the_reference_network() -> None:
    arrays, weights = reference("raw_SID")

    def names(key: str) -> str:
        layer, kind = key.rsplit(".", 1)
        found = re.fullmatch(r"conv(\d+)_([12])", layer)
        if found is None:
            return f"ups.{int(layer.removeprefix('upv')) - 6}.{kind}"
        stage, position = int(found[1]), 2 * (int(found[2]) - 1)
        if stage == 10:
            return f"last.{kind}"
        return f"encoder.{stage - 1}.{position}.{kind}" if stage < 6 else f"decoder.{stage - 6}.{position}.{kind}"

    net = load(SIDUNetCard(width=8, use_guide=False).build(RAW), weights, names)
    assert_same(net(arrays["packed"], torch.zeros_like(arrays["packed"])), arrays["out"])


def test_guided_filter_fusion_is_the_reference() -> None:
    if not REFERENCE.is_dir():
        pytest.skip(f"reference values not present: {REFERENCE}")
    with np.load(REFERENCE / "focus_GFF_ref.npz") as stored:
        image_a, image_b = (stored[key].transpose(2, 0, 1) / 255 for key in ("A_uint8", "B_uint8"))
        fused = GuidedFilterFusion().restore(Sample("pair", image_a, image_b))
        assert np.abs(fused - stored["out"].transpose(2, 0, 1)).max() < 1e-6


@pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
def test_published_parameter_counts(card, signature: Signature, count: int | None) -> None:
    if count is not None:
        assert sum(parameter.numel() for parameter in card.build(signature).parameters()) == count


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
def test_any_size_batch_and_precision(card, signature: Signature, count: int | None, dtype: torch.dtype) -> None:
    net = card.model_copy(update={"width": 4}).build(signature).to(dtype).eval()
    for batch, height, width in ((1, 1, 1), (2, 7, 3), (1, 18, 33)):
        target = torch.rand(batch, signature.target, height, width, dtype=dtype)
        guide = torch.rand(batch, signature.guide, height, width, dtype=dtype)
        restored = net(target, guide)
        assert restored.shape == (batch, signature.output, height * signature.upscale, width * signature.upscale)
        assert restored.dtype == dtype
        assert restored.isfinite().all()


@pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
def test_every_parameter_learns_and_both_inputs_matter(card, signature: Signature, count: int | None) -> None:
    torch.manual_seed(0)
    net = card.model_copy(update={"width": 4}).build(signature)
    target = torch.rand(2, signature.target, 32, 32, requires_grad=True)
    guide = torch.rand(2, signature.guide, 32, 32, requires_grad=True)
    net(target, guide).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in net.parameters())
    assert target.grad.abs().max() > 0
    unguided = getattr(card, "use_guide", True) is False
    assert (guide.grad is None) if unguided else (guide.grad.abs().max() > 0)


def test_svlrm_lays_the_guide_beside_each_colour_and_phase() -> None:
    net = SVLRMCard(width=2, depth=0).build(RAW)
    torch.nn.init.zeros_(net.last.weight)
    with torch.no_grad():
        net.last.bias[:12], net.last.bias[12:] = 1.0, 0.0
    mosaic = torch.rand(1, 1, 6, 8)
    packed = torch.nn.functional.pixel_unshuffle(mosaic, 2)
    restored = net(torch.zeros_like(packed), packed)
    assert torch.equal(restored, mosaic.expand(1, 3, 6, 8))


def test_svlrm_residual_adds_the_target_and_refuses_where_it_cannot() -> None:
    torch.manual_seed(0)
    net = SVLRMCard(width=2, depth=1, residual=True).build(PAN)
    target, pan = torch.rand(1, 8, 5, 5), torch.rand(1, 1, 5, 5)
    slope, offset = net.coefficients(target, pan)
    assert torch.allclose(net(target, pan), slope * pan + offset + target)
    with pytest.raises(UserError, match="12 output values"):
        SVLRMCard(residual=True).build(RAW)


@pytest.mark.parametrize(
    ("card", "signature"),
    [(DJFRCard(), PAN), (FusionNetCard(), RAW), (IFCNNCard(), DEPTH), (SVLRMCard(), Signature(1, 5, 2))],
)
def test_shapes_a_network_cannot_serve_are_named(card, signature: Signature) -> None:
    with pytest.raises(UserError, match=card.name):
        card.build(signature)
    with pytest.raises(UserError, match="no variant 'half'"):
        card.build(signature, "half")
