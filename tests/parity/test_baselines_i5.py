"""SESF-Fuse, GACN, U2Fusion, IFCNN's published stem, NAFNet and the MCR net against reference values; any size."""

from __future__ import annotations

import re

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from sfigf.interface import Signature, UserError
from sfigf.methods.baselines import IFCNNCard
from sfigf.methods.learned_focus_b import GACNCard, SESFFuseCard, U2FusionCard
from sfigf.methods.learned_raw_a import MCRNetCard, NAFNetCard
from sfigf.nets.baselines.nafnet import NAFNet
from sfigf.nets.baselines.sesf import guided_filter, tidied
from sfigf.nets.baselines.u2fusion import from_luma_chroma, mixed_chroma, to_luma_chroma
from sfigf.nets.complexity import count_multiply_adds, count_parameters
from tests.parity.test_baselines import DEPTH, FOCUS, RAW, assert_same, load, reference, renamer

SERVED = [
    (SESFFuseCard(), FOCUS, 74_803),
    (GACNCard(), FOCUS, 68_820),
    (U2FusionCard(), FOCUS, 659_217),
    (NAFNetCard(), RAW, 5_903_148),
    (NAFNetCard(use_guide=False, encoder=(2, 1), decoder=(1, 1)), RAW, None),
    (MCRNetCard(), RAW, 15_013_791),
]
IDS = [f"{card.name}-{number}" for number, (card, _, _) in enumerate(SERVED)]
SQUEEZE = [(r"fc\.0", "squeeze"), (r"fc\.2", "excite")]


def down_by(offset: int, layout: str):
    """Return a replacement that puts a captured number less an offset into a layout."""
    return lambda found: layout.format(int(found[1]) - offset)


def small(card):
    return card.model_copy(update={"width": 4})


def lively(net: torch.nn.Module) -> torch.nn.Module:
    """Give NAFNet's steps, which start as nothing, some weight."""
    for name, parameter in net.named_parameters():
        if name.endswith(("beta", "gamma")):
            torch.nn.init.normal_(parameter, std=0.3)
    return net


def pair(arrays: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    return [arrays[key].permute(2, 0, 1)[None].double() / 255 for key in ("A_uint8", "B_uint8")]


@torch.no_grad()
def test_sesf_is_the_reference_network() -> None:
    arrays, weights = reference("focus_SESF")
    names = renamer(
        (r"^features", "encoder.blocks.0"), (r"conv_encode_(\d)", r"encoder.blocks.\1"), ("se_f", "se_0"),
        (r"se_(\d)", r"encoder.gates.\1"), (r"conv_decode_(\d)", down_by(1, "decoder.{}")), *SQUEEZE,
    )  # fmt: skip
    net = load(SESFFuseCard().build(FOCUS), weights, names)
    assert_same(net.reconstruct(arrays["A"]), arrays["reconstruction_of_A"])
    assert torch.equal(net.decide(arrays["A"], arrays["B"])[0, 0], arrays["raw_decision"].float())
    net = net.double()
    image_a, image_b = pair(arrays)
    assert_same(net.normalised(image_a).float(), arrays["A"])
    # The original is cut to 8 bit, after rounding errors of its own: whole levels may come out one lower there.
    ahead = 255 * net(image_a, image_b)[0].permute(1, 2, 0) - arrays["final_uint8"]
    assert ahead.min() > -1e-9
    assert ahead.max() < 1 + 1e-9


@torch.no_grad()
def test_gacn_is_the_reference_network() -> None:
    arrays, weights = reference("focus_GACN")
    names = renamer(
        (r"\.\w+_Conv2d", ".0"), (r"\.\w+_BatchNorm", ".2"), (r"feature_extraction_conv(\d)", r"encoder.blocks.\1"),
        (r"decision_path_conv(\d)", down_by(1, "votes.{}")), (r"se_([4-8])\.fc\.0", down_by(4, "gates.{}.gate")),
        (r"se_(\d)", r"encoder.gates.\1"), *SQUEEZE,
    )  # fmt: skip
    net = load(GACNCard().build(FOCUS), weights, names)
    mask = net.mask(arrays["A"], arrays["B"])
    # The last sigmoid has a slope of 1000 / 4: rounding of 1e-7 before it is 2.5e-5 after it.
    assert (mask - arrays["mask"]).abs().max() < 1e-4
    assert torch.equal(mask > 0.5, arrays["mask"] > 0.5)
    assert_same(net.share(arrays["mask"], arrays["A"], arrays["B"]), arrays["mask_bgf"])
    assert_same(net.share(mask, arrays["A"], arrays["B"]), arrays["mask_bgf"])
    assert_same(net(*(image.float() for image in pair(arrays))), arrays["fused"])


@torch.no_grad()
def test_u2fusion_is_the_reference_network() -> None:
    arrays, weights = reference("focus_U2Fusion")
    names = renamer(
        ("kernel", "weight"), (r"encoder\.conv1_1", "first"), (r"decoder\.conv2_4", "last"),
        (r"encoder\.dense_block_conv(\d)", down_by(1, "dense.{}")), (r"decoder\.conv2_(\d)", down_by(1, "decoder.{}")),
    )  # fmt: skip
    net = load(U2FusionCard().build(FOCUS), weights, names)
    assert_same(net.core(arrays["A"], arrays["B"]), arrays["out"])
    grey_a, grey_b = (arrays[key].expand(-1, 3, -1, -1) for key in "AB")
    assert (net(grey_a, grey_b) - arrays["out"]).abs().max() < 1e-5


@torch.no_grad()
def test_nafnet_is_the_reference_network() -> None:
    arrays, weights = reference("raw_NAFNet")
    names = renamer((r"sca\.1", "attention"), ("middle_blks", "middle"), (r"ups\.(\d)\.0", r"ups.\1"))
    net = load(NAFNet(4, 4, 8, (1, 1, 2), 1, (1, 1, 1)), weights, names)
    assert_same(net.restore(arrays["packed"]), arrays["out"])


@torch.no_grad()
def test_mcr_net_is_the_reference_network() -> None:
    arrays, weights = reference("raw_DBLE")
    names = renamer(
        (r"\.Conv1", ".0"), (r"\.Conv2", ".2"), (r"DBF\.DBF_", "first."), (r"DBLE\.(DBLE_)?", "second."),
        (r"conv_du\.0", "squeeze"), (r"conv_du\.2", "excite"),
        (r"channel_attention(\d)", down_by(6, "attentions.{}")), ("color", "colour"), (r"\.out", ".last"),
        (r"first\.conv([1-5])", down_by(1, "first.encoder.{}")), (r"first\.conv(\d)", down_by(6, "first.decoder.{}")),
        (r"first\.upv(\d)", down_by(5, "first.ups.{}")), (r"(mono|colour)_up5", r"\1_up"),
        (r"mono_conv(\d)", down_by(1, "mono.{}")), (r"colour_conv(\d)", down_by(1, "colour.{}")),
        (r"dual_conv(\d)", down_by(6, "decoder.{}")), (r"dual_up(\d)", down_by(6, "ups.{}")),
    )  # fmt: skip
    net = load(MCRNetCard(width=4, reduction=4).build(RAW), weights, names)
    mono, restored = net.stages(arrays["bayer"])
    assert_same(mono, arrays["mono"])
    assert_same(restored, arrays["rgb"])
    packed = torch.nn.functional.pixel_unshuffle(arrays["bayer"], 2)
    assert_same(net(packed, torch.full_like(packed, torch.nan)), arrays["rgb"])


def test_ifcnn_takes_the_published_stem_from_a_file(tmp_path) -> None:
    arrays, weights = reference("focus_IFCNN")
    save_file({"conv1.weight": weights["conv1.weight"]}, tmp_path / "stem.safetensors")
    net = IFCNNCard(stem="resnet", stem_file=str(tmp_path / "stem.safetensors")).build(FOCUS)
    assert count_parameters(net) == 74_179
    assert torch.equal(net.stem.weight, weights["conv1.weight"])
    net(*(image.float() for image in pair(arrays))).mean().backward()
    assert net.stem.weight.grad is None
    names = renamer(("conv2", "extract"), ("conv3", "merge"), ("conv4", "reconstruct"), ("bn", "norm"))
    learned = {names(key): value for key, value in weights.items() if not key.startswith("conv1")}
    assert net.load_state_dict(learned, strict=False).missing_keys == ["stem.weight"]
    fused = net.eval()(*(image.float() for image in pair(arrays)))
    assert_same(((fused - net.mean) / net.deviation).detach(), arrays["out"])


def test_ifcnn_refuses_a_stem_without_weights(tmp_path) -> None:
    image = torch.rand(1, 3, 8, 8)
    with pytest.raises(UserError, match="stem_file"):
        IFCNNCard(stem="resnet").build(FOCUS)(image, image)
    save_file({"conv1.weight": torch.ones(4, 3, 7, 7)}, tmp_path / "narrow.safetensors")
    with pytest.raises(UserError, match="64, 3, 7, 7"):
        IFCNNCard(stem="resnet", stem_file=str(tmp_path / "narrow.safetensors")).build(FOCUS)
    (tmp_path / "torn.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match=r"conv1\.weight"):
        IFCNNCard(stem="resnet", stem_file=str(tmp_path / "torn.safetensors")).build(FOCUS)


@pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
def test_published_parameter_counts(card, signature: Signature, count: int | None) -> None:
    if count is not None:
        net = card.build(signature)
        assert sum(parameter.numel() for parameter in net.parameters()) == count
        assert count_multiply_adds(net, signature, 64, 64) > 10 * count


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ((32, (2, 2, 4, 8), 12, (2, 2, 2, 2)), 29_160_292),
        ((64, (2, 2, 4, 8), 12, (2, 2, 2, 2)), 115_984_068),
        ((32, (1, 1, 1, 28), 1, (1, 1, 1, 1)), 17_112_484),
        ((32,), 5_899_684),
    ],
)
def test_nafnet_has_the_published_parameters_at_its_published_sizes(sizes: tuple, count: int) -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in NAFNet(4, 4, *sizes).parameters()) == count


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("card", "signature", "count"), SERVED, ids=IDS)
def test_any_size_batch_and_precision(card, signature: Signature, count: int | None, dtype: torch.dtype) -> None:
    net = lively(small(card).build(signature)).to(dtype).eval()
    for batch, height, width in ((1, 1, 1), (2, 7, 3), (2, 18, 33)):
        target = torch.rand(batch, signature.target, height, width, dtype=dtype)
        guide = torch.rand(batch, signature.guide, height, width, dtype=dtype)
        restored = net(target, guide)
        assert restored.shape == (batch, signature.output, height * signature.upscale, width * signature.upscale)
        assert restored.dtype == dtype
        assert restored.isfinite().all()
        if dtype == torch.float64:
            apart = torch.cat([net(target[i : i + 1], guide[i : i + 1]) for i in range(batch)])
            assert (restored - apart).abs().max() < 1e-6


def test_small_islands_and_holes_turn_over_and_large_ones_stay() -> None:
    decision = torch.zeros(1, 1, 100, 100)
    decision[..., :50] = 1
    decision[..., 20:60, 70:95] = 1  # 1000 px: large
    expected = tidied(decision)
    decision[..., 70:72, 70:72] = 1
    decision[..., 20:29, 10:19] = 0  # 81 px hole; opening widens it, below 1 % it is filled
    assert torch.equal(tidied(decision), expected)
    assert expected[0, 0, 40, 80] == 1
    assert expected[0, 0, 40, 20] == 1


def test_guided_filter_with_one_channel_is_the_classical_one() -> None:
    from sfigf.methods.classic import filters

    guide, target = torch.rand(2, 1, 1, 20, 30, generator=torch.Generator().manual_seed(0)).double()
    ours = guided_filter(guide, target, 3, 0.1)[0, 0].numpy()
    assert ours == pytest.approx(filters.guided_filter(guide[0, 0].numpy(), target[0, 0].numpy(), 3, 0.1), abs=1e-12)


def test_chroma_goes_there_and_back_and_grey_keeps_the_colour_of_the_other() -> None:
    colour = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    luma, chroma = to_luma_chroma(colour)
    assert torch.allclose(from_luma_chroma(luma, chroma), colour, atol=1e-6)
    _, none = to_luma_chroma(luma.expand(-1, 3, -1, -1))
    assert torch.allclose(mixed_chroma(chroma, torch.zeros_like(none)), chroma)
    assert torch.equal(mixed_chroma(torch.zeros_like(none), torch.zeros_like(none)), torch.zeros_like(none))
    assert torch.allclose(mixed_chroma(torch.tensor([0.1]), torch.tensor([-0.3])), torch.tensor([-0.2]))


def test_what_a_network_cannot_serve_is_named() -> None:
    for card in (SESFFuseCard(), GACNCard(), U2FusionCard(), MCRNetCard()):
        with pytest.raises(UserError, match=card.name):
            card.build(DEPTH)
    with pytest.raises(ValidationError, match="as many"):
        NAFNetCard(encoder=(1, 1))


def test_every_card_says_what_it_was_proven_against() -> None:
    assert all(re.search("1e-", card.proof) and card.source and card.published for card, _, _ in SERVED)
