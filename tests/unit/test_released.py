"""The authors' weights fit their network: sizes read off the shapes, misfits named, our format written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sfigf.cli import main
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.nets.sfigf import VARIANTS
from sfigf.nets.sfigf.names import our_name, released_name
from sfigf.released import convert, from_released, import_released
from sfigf.released.fitting import looks_like
from sfigf.weights import load_network, save_weights
from tests.unit.released_weights import released_state

LIVE = {"depth": 4_912_501, "pan": 81_452, "focus": 89_779, "raw-red": 4_921_928, "raw-mono": 12_828_289}
FILES = dict(zip(VARIANTS, ("depth_c8", "pan_released_wv3", "focus_c8", "raw-red_c8", "raw-mono_c8"), strict=True))
PAN = released_state("pan", 4, bands=3, kernel=3)
ONE = torch.ones(1)


def images(variant, network, height=19, width=22):
    rng = torch.Generator().manual_seed(5)
    bands = getattr(network, "bands", 1)
    guide = {"depth": [3], "pan": [1], "raw-mono": []}.get(variant, [bands])
    return [torch.rand(1, count, height, width, generator=rng) for count in (bands, *guide)]


def answer(variant, network):
    with torch.no_grad():
        restored = network(*images(variant, network))
    return torch.cat([image.flatten() for image in (restored if isinstance(restored, tuple) else (restored,))])


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def renamed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_generated_keys_and_shapes_are_the_released_ones(variant, reference):
    with safe_open(reference / "sfigf" / f"{FILES[variant]}.safetensors", framework="numpy") as file:
        released = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    state = released_state(variant, 32 if variant == "pan" else 8, heads=(8 if variant == "raw-mono" else 4, 8))
    assert {key: tuple(value.shape) for key, value in state.items()} == released


@pytest.mark.parametrize("variant", VARIANTS)
def test_released_sizes_have_the_released_number_of_live_parameters(variant):
    mono = variant == "raw-mono"
    network = from_released(released_state(variant, 48 if mono else 32, heads=(8 if mono else 4, 8)), variant)
    assert sum(value.numel() for value in network.parameters()) == LIVE[variant]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("width", "heads", "kernel", "levels", "dead"),
    [(12, (4, 8), 7, 4, True), (16, (8, 4), 5, 3, False), (20, (4, 8), 3, 2, True), (24, (2, 16), 7, 1, False)],
)
def test_sizes_are_read_off_the_shapes(variant, width, heads, kernel, levels, dead):
    levels = max(levels, 2)
    state = released_state(variant, width, None, levels, heads, kernel, dead=dead)
    network = from_released(state, variant)
    found = network.options
    assert (found.width, found.kernel, found.dilation) == (width, kernel, 3)
    assert found.levels == (1 if variant in ("pan", "focus") else levels)
    assert not any(module.training for module in network.modules())
    tables = {our_name(key, variant): value.shape[0] for key, value in state.items() if key.endswith(".rpb")}
    assert {name: network.get_parameter(name).shape[0] for name in tables} == tables
    assert answer(variant, network).isfinite().all()


@pytest.mark.parametrize("variant", ["pan", "focus"])
@pytest.mark.parametrize("bands", [2, 3, 4, 8])
def test_bands_are_read_off_the_shapes(variant, bands):
    assert from_released(released_state(variant, 8, bands), variant).bands == bands


@pytest.mark.parametrize("given", VARIANTS)
@pytest.mark.parametrize("asked", VARIANTS)
def test_weights_of_another_variant_are_recognised(given, asked, tmp_path):
    state = released_state(given, 8, levels=3, kernel=3)
    assert looks_like(state) == given
    if given == asked:
        return
    with pytest.raises(UserError) as refused:
        from_released(state, asked)
    message = str(refused.value)
    assert f"do not fit the {asked} network (looks like {given}): " in message
    assert any(word in message for word in (" missing: ", " too many: ", " other shape: "))
    assert "\n" not in message


def test_misfits_are_counted_with_shapes(tmp_path):
    state = dict(PAN)
    state["out.2.weight"] = state["out.2.weight"][:2]
    state["guide9.stray"] = ONE
    del state["guide_b.0.bias"]
    with pytest.raises(UserError) as refused:
        import_released(saved(tmp_path / "w.pth", state), "pan")
    message = str(refused.value)
    assert str(tmp_path / "w.pth") in message
    for part in (
        "1 missing: fusion.image_filter.b.0.bias",
        "1 too many: guide9.stray",
        "1 other shape: out.2.weight (2, 7, 1, 1), wanted (3, 7, 1, 1)",
        "the released name of what is missing: guide_b.0.bias",
    ):
        assert part in message


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_missing_is_told_by_itsreleased_name(variant):
    state = released_state(variant, 8, levels=2, kernel=3, dead=False)
    for key in state:
        assert released_name(our_name(key, variant), variant) == key


@pytest.mark.parametrize("key", ["smfe.init_rgb.0.weight", "guide1.attn.rpb", "guide1.attn_inp.rpb"])
def test_keys_that_tell_the_sizes_are_missed_by_name(key):
    with pytest.raises(UserError, match=key.replace(".", r"\.")):
        from_released({name: value for name, value in PAN.items() if name != key}, "pan")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_verb_writes_what_the_function_gives(variant, tmp_path, capsys):
    path = saved(tmp_path / "theirs.pth.tar", {"net": renamed("module.", released_state(variant, 12, levels=2))})
    output = tmp_path / "ours.safetensors"
    with pytest.raises(SystemExit) as ended:
        main(["import-released", str(path), "--variant", variant, "--output", str(output)])
    assert ended.value.code == 0
    assert f"{variant} network of width 12" in capsys.readouterr().out
    network, facts = load_network(output, "raw" if variant.startswith("raw") else variant)
    imported = import_released(path, variant)
    ours, theirs = network.state_dict(), imported.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert torch.equal(answer(variant, network), answer(variant, imported))
    assert network.options == imported.options
    assert not network.training
    shown = {"depth": "released-colours", "raw-red": "released-packing"}
    assert facts["training"]["encoding"] == shown.get(variant, "none")
    assert facts["condition"] == ("red-oracle" if variant == "raw-red" else "released")
    assert facts["origin"]["sha256"] == sha256_of(path)
    assert (facts["origin"]["variant"], facts["label"], facts["variant"]) == (variant, "sfigf", "full")


def test_our_format_and_theirs_are_told_apart(tmp_path):
    path, ours = saved(tmp_path / "w.pth", PAN), tmp_path / "ours.safetensors"
    convert(path, "pan", ours)
    with pytest.raises(UserError, match="our format already: give it as it is, with --weights"):
        import_released(ours, "pan")
    save_file(PAN, tmp_path / "theirs.safetensors")
    for theirs in (
        path,
        tmp_path / "theirs.safetensors",
        saved(tmp_path / "l.pth", PAN, _use_new_zipfile_serialization=False),
    ):
        with pytest.raises(UserError, match=r"imported first: `sfigf import-released`"):
            load_network(theirs)
    save_weights(tmp_path / "again.safetensors", *load_network(ours))
    assert sha256_of(tmp_path / "again.safetensors") == sha256_of(ours)


def test_a_network_our_format_would_mistake_is_refused(tmp_path):
    path = saved(tmp_path / "w.pth", released_state("pan", 4, bands=1, kernel=3))
    assert import_released(path, "pan").bands == 1
    with pytest.raises(UserError, match="a pan network of 1 bands has no place in our format"):
        convert(path, "pan", tmp_path / "ours.safetensors")
    assert not Path(tmp_path / "ours.safetensors").exists()
