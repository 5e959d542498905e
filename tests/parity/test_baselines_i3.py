"""Learned pan-sharpening baselines against reference values; parameter counts; any size, bands and precision."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sfigf.degrade.exp import interp23tap
from sfigf.degrade.pan import WaldProtocol
from sfigf.export import export_onnx
from sfigf.interface import Scene, Signature, UserError
from sfigf.methods.learned_pan_a import (
    BDPNCard,
    DiCNNCard,
    GPPNNCard,
    LAGConvCard,
    MSDCNNCard,
    PanNetCard,
    PNNCard,
)
from sfigf.nets.baselines.pan_layers import coarse_bands
from sfigf.nets.baselines.pannet import high_pass
from sfigf.training_settings import Training, settled
from sfigf.weights import build_network, save_weights

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "baselines"
EIGHT, FOUR, THREE = (Signature(bands, 1, bands) for bands in (8, 4, 3))
COUNTS = [
    (PNNCard(), EIGHT, 104_360),
    (PanNetCard(), EIGHT, 83_024),
    (MSDCNNCard(), EIGHT, 228_556),
    (DiCNNCard(), EIGHT, 46_792),
    (LAGConvCard(), EIGHT, 151_397),
    (GPPNNCard(), EIGHT, 238_592),
    (GPPNNCard(), FOUR, 119_808),
    (BDPNCard(), EIGHT, 1_487_069),
]
CARDS = [card for card, signature, _ in COUNTS if signature == EIGHT]
SMALL = [
    PNNCard(width=4),
    PanNetCard(width=4),
    PanNetCard(width=4, factor=2),
    MSDCNNCard(width=4, shallow_width=4),
    DiCNNCard(width=4),
    LAGConvCard(width=4),
    GPPNNCard(width=4),
    GPPNNCard(width=4, depth=2, factor=2),
    BDPNCard(width=4, depth=2),
]


def named(card) -> str:
    return "-".join([card.name, *(str(value) for value in card.model_dump().values())])


def reference(name: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the stored arrays and the weights of one reference network."""
    if not REFERENCE.is_dir():
        pytest.skip(f"reference values not present: {REFERENCE}")
    with np.load(REFERENCE / f"{name}.npz") as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored if stored[key].dtype.kind in "fiu"}
    weights = load_file(REFERENCE / f"{name}.safetensors")
    return arrays, {key: value.float() for key, value in weights.items()}


def loaded(card, weights: dict[str, torch.Tensor], *pairs: tuple[str, str | Callable[[re.Match[str]], str]]):
    """Build a network for eight bands and load reference weights under our names; every key must find its place."""
    net = card.build(EIGHT)
    renamed = {}
    for key, value in weights.items():
        for pattern, replacement in pairs:
            key = re.sub(pattern, replacement, key)
        renamed[key] = value
    net.load_state_dict(renamed)
    return net.eval()


def assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Agree within 1e-5 of the reference's range."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-5 * (theirs.max() - theirs.min())


def place(pattern: str, name: str) -> tuple[str, Callable[[re.Match[str]], str]]:
    """Rename layers counted from 1 to layers counted from 0."""
    return pattern, lambda found: f"{name}.{int(found[1]) - 1}"


@torch.no_grad()
def test_pnn_is_the_reference_network() -> None:
    arrays, weights = reference("pan_PNN")
    net = loaded(PNNCard(), weights, ("conv1", "first"), ("conv2", "second"), ("conv3", "last"))
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_pannet_is_the_reference_network() -> None:
    arrays, weights = reference("pan_PanNet")
    net = loaded(PanNetCard(), weights, ("deconv", "up"), ("conv1", "head"), ("conv3", "tail"),
                 place(r"res(\d+)", "blocks"), ("conv20", "first"), ("conv21", "second"))  # fmt: skip
    assert_same(high_pass(arrays["ms"]), arrays["ms_hp"])
    assert_same(high_pass(arrays["pan"]), arrays["pan_hp"])
    assert_same(net.core(arrays["lms"], arrays["ms"], arrays["pan"]), arrays["out"])
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_msdcnn_is_the_reference_network() -> None:
    arrays, weights = reference("pan_MSDCNN")
    net = loaded(MSDCNNCard(), weights, ("conv1", "deep.0"), place(r"conv2_(\d)", "deep.2.scales"), ("conv3", "deep.3"),
                 place(r"conv4_(\d)", "deep.5.scales"), ("conv5", "deep.6"),
                 (r"shallow(\d)", lambda found: f"shallow.{2 * int(found[1]) - 2}"))  # fmt: skip
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_dicnn_is_the_reference_network() -> None:
    arrays, weights = reference("pan_DiCNN")
    net = loaded(DiCNNCard(), weights, ("conv1", "first"), ("conv2", "second"), ("conv3", "last"))
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_lagconv_is_the_reference_network() -> None:
    arrays, weights = reference("pan_LAGConv")
    net = loaded(LAGConvCard(), weights, ("head_conv.0", "head"), ("tail_conv", "tail"), place(r"RB(\d)", "blocks"),
                 ("conv1", "first"), ("conv2", "second"), ("attention1", "attention"),
                 (r"attention3\.(\d)", lambda found: f"bias.{int(found[1]) - 1}"))  # fmt: skip
    head = torch.relu(net.head(torch.cat([arrays["pan"], arrays["lms"]], dim=1)))
    assert_same(head[:, :4], arrays["head"])
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_gppnn_is_the_reference_network() -> None:
    arrays, weights = reference("pan_GPPNN")
    net = loaded(GPPNNCard(), weights, ("lr_blocks", "coarse_steps"), ("pan_blocks", "guide_steps"),
                 ("get_LR|get_PAN", "seen"), ("get_HR_residual", "back"), (r"\.basic_unit", ""))  # fmt: skip
    assert_same(net.core(arrays["ms"], arrays["pan"]), arrays["out"])
    target = torch.from_numpy(interp23tap(arrays["ms"].numpy(), 4)).float()
    assert_same(net(target, arrays["pan"]), arrays["out"])


@torch.no_grad()
def test_bdpn_is_the_reference_network() -> None:
    arrays, weights = reference("pan_BDPN")
    net = loaded(BDPNCard(), weights, place(r"rres(\d+)", "middle"), place(r"res(\d+)", "fine"), ("conv20", "first"),
                 ("conv21", "second"), ("prelu", "activation"), ("conv1", "head"), ("conv3", "details"),
                 ("conv4", "first_up"), ("conv5", "second_up"))  # fmt: skip
    half, whole = net.core(arrays["ms"], arrays["pan"])
    assert_same(half, arrays["level1"])
    assert_same(whole, arrays["out"])
    assert_same(net(arrays["lms"], arrays["pan"]), arrays["out"])


@pytest.mark.parametrize(("card", "signature", "count"), COUNTS, ids=lambda value: getattr(value, "name", None))
def test_published_parameter_counts(card, signature: Signature, count: int) -> None:
    assert sum(parameter.numel() for parameter in card.build(signature).parameters()) == count


@pytest.mark.parametrize("ratio", [2, 4])
def test_coarse_bands_come_back_out_of_the_target(ratio: int) -> None:
    rng = np.random.default_rng(0)
    bands = rng.uniform(0, 2047, (4, 24, 32))
    scene = Scene("field", "field", "all", {"multispectral": bands}, {"sensor": "QB", "peak": 2047})
    sample = WaldProtocol(ratio)(scene, rng)
    recovered = coarse_bands(torch.from_numpy(sample.target), ratio)
    assert torch.equal(recovered, torch.from_numpy(sample.coarse))


def test_high_pass_mirrors_about_the_edge_pixel_at_any_size() -> None:
    for shape in ((1, 1), (1, 2), (2, 3), (4, 9)):
        image = np.random.default_rng(1).random(shape)
        mirrored = np.pad(image, 2, mode="reflect")
        means = np.lib.stride_tricks.sliding_window_view(mirrored, (5, 5)).mean(axis=(2, 3))
        assert np.allclose(high_pass(torch.from_numpy(image)[None, None])[0, 0].numpy(), image - means, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("card", SMALL, ids=named)
def test_any_size_bands_and_precision(card, dtype: torch.dtype) -> None:
    for bands, height, width in ((8, 1, 1), (4, 7, 3), (3, 18, 33)):
        net = card.build(Signature(bands, 1, bands)).to(dtype).eval()
        target, guide = (torch.rand(2, channels, height, width, dtype=dtype) for channels in (bands, 1))
        restored = net(target, guide)
        assert restored.shape == target.shape
        assert restored.dtype == dtype
        assert restored.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("card", SMALL, ids=named)
def test_a_batch_of_two_is_two_batches_of_one(card) -> None:
    torch.manual_seed(0)
    net = card.build(FOUR).double().eval()
    target, guide = torch.rand(2, 4, 13, 10).double(), torch.rand(2, 1, 13, 10).double()
    apart = torch.cat([net(target[index : index + 1], guide[index : index + 1]) for index in range(2)])
    assert torch.allclose(net(target, guide), apart, atol=1e-12)


@pytest.mark.parametrize("card", SMALL, ids=named)
def test_every_live_parameter_learns_and_both_inputs_matter(card) -> None:
    torch.manual_seed(0)
    net = card.model_copy(update={"width": 12}).build(FOUR)  # wide enough that no layer is silent from the start
    target, guide = (torch.randn(2, channels, 16, 16, requires_grad=True) for channels in (4, 1))
    net(target, guide).square().mean().backward()
    dead = tuple(getattr(net, "dead", ()))
    learning = {name: parameter.grad is not None for name, parameter in net.named_parameters()}
    assert {name for name, learns in learning.items() if not learns} == {
        name for name in learning if name.startswith(dead)
    }
    for name, parameter in net.named_parameters():
        assert not learning[name] or 0 < parameter.grad.abs().max() < torch.inf, name
    assert target.grad.abs().max() > 0
    assert guide.grad.abs().max() > 0


def test_msdcnn_cuts_at_zero_only_as_published() -> None:
    torch.manual_seed(0)
    target, guide = torch.randn(1, 4, 9, 9), torch.randn(1, 1, 9, 9)
    cut = MSDCNNCard(width=4, shallow_width=4).build(FOUR)
    free = MSDCNNCard(width=4, shallow_width=4, rectify=False).build(FOUR)
    free.load_state_dict(cut.state_dict())
    assert free(target, guide).min() < 0
    assert torch.equal(cut(target, guide), free(target, guide).relu())


def test_pannet_sees_no_radiometry() -> None:
    """A constant added to the bands comes out again: only high-passes enter the blocks."""
    torch.manual_seed(0)
    net = PanNetCard(width=4).build(FOUR).double()
    target, guide = torch.rand(1, 4, 16, 16).double(), torch.rand(1, 1, 16, 16).double()
    assert torch.allclose(net(target + 0.25, guide + 0.5), net(target, guide) + 0.25, atol=1e-12)


@pytest.mark.parametrize("name", ["pannet", "lagconv", "gppnn", "bdpn"])
def test_the_network_can_be_exported(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    facts = {
        "task": "pan", "method": name, "options": {"method": name, "width": 4, "depth": 1}, "variant": "full",
        "signature": {"target": 4, "guide": 1, "output": 4, "upscale": 1}, "training": {"encoding": "none"},
    }  # fmt: skip
    torch.manual_seed(0)
    save_weights(tmp_path / "w.safetensors", build_network(facts), facts)
    assert export_onnx(tmp_path / "w.safetensors", tmp_path / "m.onnx") < 1e-5


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_published_settings_are_settings_of_our_loop(card) -> None:
    training = settled(Training(**card.published), "pan", "training")
    assert training.encoding == "none"
    assert training.gradient_clip is None


def test_an_epoch_becomes_steps_of_whole_batches() -> None:
    published = MSDCNNCard.published
    assert published["steps"] == 500 * (9714 // 64)
    assert published["decay_every_steps"] == 40 * (9714 // 64)
    assert "decay_every_steps" not in PanNetCard.published


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_shapes_a_network_cannot_serve_are_named(card) -> None:
    for signature in (Signature(4, 4, 3, 2), Signature(8, 3, 8), Signature(8, 1, 4)):
        with pytest.raises(UserError, match=card.name):
            card.build(signature)
    with pytest.raises(UserError, match="no variant 'half'"):
        card.build(EIGHT, "half")
