"""The networks take any size, own no dead parameter, and are what their options say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sfigf.interface import Signature, UserError
from sfigf.methods.sfigf_method import Sfigf
from sfigf.nets import blocks
from sfigf.nets.sfigf import build_sfigf
from sfigf.nets.sfigf.names import our_name
from sfigf.nets.sfigf.network import Sides
from sfigf.released import import_released

CHANNELS = {"depth": (1, 3, 1, 1), "pan": (5, 1, 5, 1), "focus": (3, 3, 3, 1), "raw-red": (4, 4, 3, 2)}


def _network(variant: str, **changes: object) -> nn.Module:
    torch.manual_seed(0)
    bands = None if variant == "raw-mono" else CHANNELS[variant][0]
    levels = {} if variant in {"pan", "focus"} else {"levels": 3}
    return build_sfigf(variant, bands=bands, width=8, **{**levels, **changes})


def _images(variant: str, height: int, width: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    target, guide = (torch.rand(2, n, height, width, generator=rng) for n in CHANNELS[variant][:2])
    return target, guide


@pytest.mark.parametrize("variant", CHANNELS)
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (17, 23), (33, 1)])
def test_any_size_from_one_pixel(variant: str, size: tuple[int, int]) -> None:
    _, _, outputs, upscale = CHANNELS[variant]
    with torch.no_grad():
        restored = _network(variant).eval()(*_images(variant, *size))
    assert restored.shape == (2, outputs, size[0] * upscale, size[1] * upscale)
    assert restored.isfinite().all()


def test_raw_mono_takes_any_size() -> None:
    with torch.no_grad():
        mono, rgb = _network("raw-mono", levels=2).eval()(torch.rand(1, 1, 19, 3))
    assert (mono.shape, rgb.shape) == ((1, 1, 19, 3), (1, 3, 19, 3))


@pytest.mark.parametrize("variant", [*CHANNELS, "raw-mono"])
def test_the_faster_way_where_nothing_is_learned_gives_the_same(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfigf.nets.sfigf.filters._MLP_VALUES", 4000)  # so that a small image is cut into rows as well
    network = _network(variant).eval()
    nn.init.normal_(network.fusion.head.gate.channel[0].weight)
    images = (torch.rand(2, 1, 32, 40),) if variant == "raw-mono" else _images(variant, 32, 40)
    with torch.no_grad():
        fast = network(*images)
    plain = network(*images)
    torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-6)


def test_without_onednn_a_pointwise_layer_is_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = blocks.pointwise(5, 7), torch.rand(2, 5, 3, 4)
    monkeypatch.setattr(blocks, "_has_onednn", lambda: False)
    with torch.no_grad():
        expected = nn.Conv2d.forward(layer, x)
        torch.testing.assert_close(layer(x), expected)
        monkeypatch.undo()
        torch.testing.assert_close(layer(x), expected)
        torch.testing.assert_close(layer.double()(x.double()).float(), expected)


def test_an_image_of_one_channel_turns_nothing_around() -> None:
    features, image = torch.rand(1, 4, 5, 6).to(memory_format=torch.channels_last), torch.rand(1, 1, 5, 6)
    together = blocks.joined([features, image])
    assert torch.equal(together, torch.cat([features, image], dim=1))
    assert together.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("levels", "accepted", "refused"), [(1, [2, 3, 9], [1]), (4, [16, 20, 68], [12, 17, 18, 22])])
def test_sides_are_those_of_the_released_code(levels: int, accepted: list[int], refused: list[int]) -> None:
    sides = Sides(multiple=2 ** max(0, levels - 2), least=2**levels)
    assert [sides.fit(side) for side in accepted] == accepted
    assert all(sides.fit(side) > side for side in refused)


def test_padding_reflects_where_it_can_and_replicates_where_it_must() -> None:
    ramp = torch.arange(6.0).view(1, 1, 6, 1)
    padded = Sides(multiple=8, least=8).pad(ramp)
    assert padded[0, 0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 4, 3]
    assert (padded == padded[..., :1]).all()


@pytest.mark.parametrize("variant", [*CHANNELS, "raw-mono"])
@pytest.mark.parametrize("branches", ["full", "image-only", "feature-only"])
@pytest.mark.parametrize("attention", ["cross", "self", "conv"])
def test_every_parameter_is_alive(variant: str, branches: str, attention: str) -> None:
    network = _network(variant, branches=branches, attention=attention, drop_path=0.0)
    with torch.no_grad():  # a residual scale of zero would hide what lies before it
        for name, parameter in network.named_parameters():
            if name.endswith((".beta", ".gamma")):
                parameter.fill_(0.5)
    if variant == "raw-mono":
        loss = sum((image * image).sum() for image in network(torch.rand(2, 1, 32, 32)))
    else:
        loss = (network(*_images(variant, 17, 22)) ** 2).sum()
    loss.backward()
    dead = [
        name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert dead == []


@pytest.mark.parametrize("variant", CHANNELS)
def test_residual_network_starts_as_its_base(variant: str) -> None:
    target, guide = _images(variant, 16, 20)
    base = {
        "focus": (target + guide[:, :3]) / 2 if variant == "focus" else None,
        "raw-red": nn.functional.pixel_shuffle(guide, 2).expand(-1, 3, -1, -1) if variant == "raw-red" else None,
    }.get(variant, target)
    torch.testing.assert_close(_network(variant, residual=True)(target, guide), base)


def test_ablations_differ_from_the_whole() -> None:
    images = _images("depth", 24, 24)
    outputs = [
        _network("depth", **change)(*images) for change in ({}, {"attention": "self"}, {"branches": "image-only"})
    ]
    assert not torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_rgb_guide_counts_as_its_luma() -> None:
    network = _network("depth").eval()
    target, guide = _images("depth", 16, 16)
    luma = 0.299 * guide[:, :1] + 0.587 * guide[:, 1:2] + 0.114 * guide[:, 2:]
    torch.testing.assert_close(network(target, guide), network(target, luma))


def test_drop_path_drops_in_training_only() -> None:
    images = _images("focus", 21, 21)
    network = _network("focus", drop_path=0.5)
    assert not torch.equal(network(*images), network(*images))
    assert torch.equal(network.eval()(*images), network(*images))


def test_unfit_input_is_named_with_both_sides_numbers() -> None:
    network = _network("depth")
    with pytest.raises(UserError, match=r"\(1, 1, 8, 8\) and guide \(1, 3, 8, 9\)"):
        network(torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 9))
    with pytest.raises(UserError, match="target of 1 channels and a guide of 1 or 3; they have 2 and 3"):
        network(torch.zeros(1, 2, 8, 8), torch.zeros(1, 3, 8, 8))
    with pytest.raises(UserError, match="one level, not 2"):
        build_sfigf("pan", levels=2)
    with pytest.raises(UserError, match="kernel must be odd"):
        build_sfigf("pan", kernel=4)


@pytest.mark.parametrize("variant", CHANNELS)
def test_method_builds_each_tasks_network(variant: str) -> None:
    signature = Signature(*CHANNELS[variant])
    for branches in Sfigf.variants:
        assert Sfigf(width=8).build(signature, branches).variant == variant


def test_released_names() -> None:
    assert (
        our_name("smfe.encoder.naf_inp3.2.sca.1.weight", "depth")
        == "fusion.encoder.coupled.2.target.block.gate.mix.weight"
    )
    assert our_name("guide2.attn.kv.weight", "raw-red") == "fusion.filters.1.attend.mix.key_value.weight"
    assert our_name("guide1.conv_b.0.weight", "depth") is None
    assert our_name("sca.1.weight", "pan") is None
    with pytest.raises(UserError, match=r"'nothing\.weight' belongs to no part of the pan network"):
        our_name("nothing.weight", "pan")


def test_wrapped_checkpoint_loads_and_code_does_not(tmp_path: Path) -> None:
    import numpy as np

    released = {f"module.{name}": value for name, value in _as_released().items()}
    torch.save({"net": released, "best": np.float64(1.5)}, tmp_path / "w.pth.tar")
    assert import_released(tmp_path / "w.pth.tar", "pan").bands == 5
    torch.save({"net": released, "hook": print}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="cannot be read as weights alone"):
        import_released(tmp_path / "evil.pth", "pan")


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    released = _as_released()
    released["out.2.weight"] = released["out.2.weight"][:, :3]
    del released["guide_b.0.bias"]
    torch.save(released, tmp_path / "w.pth")
    with pytest.raises(
        UserError, match=r"1 missing: fusion.image_filter.b.0.bias; 1 other shape: .*\(5, 3, 1, 1\), wanted \(5, 13"
    ):
        import_released(tmp_path / "w.pth", "pan")


def _as_released() -> dict[str, Tensor]:
    """A pan network's state under the released names, found by trying the translation backwards."""
    state = _network("pan").state_dict()
    parts = [
        "smfe.init_rgb.0",
        "smfe.init_mono.0",
        "smfe.init_rgb_mono.0",
        "smfe.encoder.naf_inp",
        "smfe.encoder.naf_guide",
    ]
    naf = ["0", *(f"2.{name}" for name in ("conv1", "conv2", "sca.1", "conv3", "conv4", "conv5", "norm1", "norm2"))]
    inner = {part: [""] if part.endswith(".0") else naf for part in parts}
    inner["guide1"] = [
        *("conv_a.0", "conv_a.2", "norm_inp", "norm_inp2", "norm1", "norm2", "attn_inp.qkv", "attn_inp.proj"),
        *("attn.q", "attn.kv", "attn.proj", "mlp_inp.fc1", "mlp_inp.fc2", "mlp.fc1", "mlp.fc2"),
    ]
    inner |= {"guide_a": ["0", "2", "4"], "guide_b": ["0", "2", "4"], "out": ["0", "2"]}
    inner["ca_out"] = ["conv_du.0", "conv_du.2", "conv_spa.0", "conv_spa.2", "conv_spa.4"]
    names = [
        ".".join(filter(None, (part, word, kind)))
        for part, words in inner.items()
        for word in words
        for kind in ("weight", "bias")
    ]
    names += [f"guide1.{attention}.rpb" for attention in ("attn", "attn_inp")]
    names += [f"smfe.encoder.naf_{which}.2.{scale}" for which in ("inp", "guide") for scale in ("beta", "gamma")]
    released = {name: state[our_name(name, "pan")] for name in names}
    assert len(released) == len(state)
    return released
