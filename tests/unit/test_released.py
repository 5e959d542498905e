"""The authors' weights come in from every wrapper and file, and nothing else does."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

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


def images(variant, network, height=19, width=22):
    rng = torch.Generator().manual_seed(5)
    bands = getattr(network, "bands", 1)
    guide = {"depth": [3], "pan": [1], "raw-mono": []}.get(variant, [bands])
    return [torch.rand(1, count, height, width, generator=rng) for count in (bands, *guide)]


def answer(variant, network):
    with torch.no_grad():
        restored = network(*images(variant, network))
    return torch.cat([image.flatten() for image in (restored if isinstance(restored, tuple) else (restored,))])


def same(network, state=PAN):
    """Whether a pan network holds the numbers of a released state dict, float32."""
    ours = network.state_dict()
    return all(
        torch.equal(ours[name].flatten(), value.float().flatten())
        for key, value in state.items()
        if (name := our_name(key, "pan")) is not None
    )


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


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


WRAPPERS = {
    "bare": lambda state: state,
    "ordered": collections.OrderedDict,
    "records beside": lambda state: {"epoch": 3, "best": np.float64(31.5), "net": state, "curve": np.arange(3.0)},
    "optimizer": lambda state: {"optimizer": optimizer_state(), "model": state, "args": argparse.Namespace(width=4)},
    "twice": lambda state: {"checkpoint": {"model": {"state_dict": state}}},
    **{name: lambda state, name=name: {name: state} for name in ("params", "weights", "network", "generator", "g_a")},
    "parallel": lambda state: {f"module.module.{key}": value for key, value in state.items()},
    "compiled": lambda state: {"net": {f"module._orig_mod.{key}": value for key, value in state.items()}},
    "inside": lambda state: {key.replace("smfe.", "smfe.module."): value for key, value in state.items()},
    "lightning": lambda state: {"state_dict": {f"net.{key}": value for key, value in state.items()} | {"loss.w": ONE}},
    "average beside": lambda state: {"params_ema": doubled(state), "params": state},
    "average before": lambda state: {"state_dict": renamed("ema.", doubled(state)) | renamed("model.", state)},
    "average alone": lambda state: {"model_ema": {"n_averaged": ONE} | renamed("module.", state)},
    "list": lambda state: [3, {"net": state}],
    "counted": lambda state: state | {"total_ops": ONE, "smfe.total_params": ONE, "epoch": 7},
}
ONE = torch.ones(1)


def doubled(state):
    return {key: 2 * value for key, value in state.items()}


def renamed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def optimizer_state():
    layer = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_are_taken_off(wrapper, tmp_path):
    assert same(import_released(saved(tmp_path / "w.pth", WRAPPERS[wrapper](PAN)), "pan"))


@pytest.mark.parametrize("name", ["w.pth", "w.pth.tar", "w.tar", "W.PTH", "w.pt", "w"])
@pytest.mark.parametrize("zipped", [True, False])
def test_pytorch_files_of_any_name_and_age(name, zipped, tmp_path):
    path = saved(tmp_path / name, {"net": PAN}, _use_new_zipfile_serialization=zipped)
    assert same(import_released(path, "pan"))
    assert same(import_released(str(path), "pan"))


def test_safetensors_under_any_name(tmp_path):
    for name in ("w.safetensors", "W.SAFETENSORS", "w.pth"):
        save_file(renamed("module.", PAN), tmp_path / name, metadata={"format": "pt"})
        assert same(import_released(tmp_path / name, "pan"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_become_float32(dtype, tmp_path):
    state = {key: value.to(dtype) for key, value in PAN.items()}
    network = import_released(saved(tmp_path / "w.pth", state), "pan")
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert same(network, state)


def test_float64_is_kept_where_float32_cannot_hold_it(tmp_path):
    state = {key: value.double() / 3 for key, value in PAN.items()}
    network = import_released(saved(tmp_path / "w.pth", state), "pan")
    ours = network.state_dict()
    assert torch.equal(ours["fusion.stem.target.weight"], state["smfe.init_rgb.0.weight"])


def test_views_and_shared_tensors(tmp_path):
    state = {key: value.transpose(0, -1).contiguous().transpose(0, -1) for key, value in PAN.items()}
    whole = torch.stack([PAN["guide1.norm1.weight"], PAN["guide1.norm2.weight"]], dim=1)
    state["guide1.norm1.weight"], state["guide1.norm2.weight"] = whole.unbind(dim=1)
    assert same(import_released(saved(tmp_path / "w.pth", state), "pan"))


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_saved_on_a_gpu(zipped, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("torch.serialization.location_tag", lambda storage: "cuda:1")
        path = saved(tmp_path / "w.pth", {"net": PAN}, _use_new_zipfile_serialization=zipped)
    assert b"cuda:1" in path.read_bytes()
    assert same(import_released(path, "pan"))


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle", "beside"])
def test_code_in_a_file_is_refused_and_not_run(kind, tmp_path):
    proof, path = tmp_path / "proof", tmp_path / "w.pth"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Evil(proof), protocol=2))
    else:
        content = {"net": PAN, "hook": Evil(proof)} if kind == "beside" else Evil(proof)
        saved(path, content, _use_new_zipfile_serialization=kind != "legacy")
    with pytest.raises(UserError, match=r"cannot be read as weights alone: it names \w+\.mkdir, which would run code"):
        import_released(path, "pan")
    assert not proof.exists()
    pickle.loads(pickle.dumps(Evil(proof)))
    assert proof.exists()  # it would have


def test_whole_networks_are_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"names torch\.nn\.modules\.linear\.Linear.*save the state dict"):
        import_released(saved(tmp_path / "w.pth", nn.Linear(2, 2)), "pan")
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "script.pth")
    with pytest.raises(UserError, match="TorchScript"):
        import_released(tmp_path / "script.pth", "pan")


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_damaged_files_give_one_line(kind, tmp_path):
    path = tmp_path / "w.bin"
    if kind == "safetensors":
        save_file(PAN, path)
    else:
        saved(path, {"net": PAN}, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    for size in (0, 1, 5, 9, 100, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError) as refused:
            import_released(path, "pan")
        assert "\n" not in str(refused.value)
        assert "weights_only" not in str(refused.value)
    rng = np.random.default_rng(0)
    for _ in range(30):
        broken = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 3000), 3):
            broken[at] = int(rng.integers(256))
        path.write_bytes(broken)
        try:  # noqa: SIM105
            import_released(path, "pan")
        except UserError:
            pass


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"epoch": 3, "loss": 0.1}, r"holds a dict without tensors \(epoch, loss\)"),
        (torch.ones(3), "holds a Tensor"),
        ({"conv.weight": torch.ones(3)}, r"these are no weights of SFIGF\): 1 .*conv\.weight|no weights of SFIGF"),
    ],
)
def test_other_contents_are_named(content, says, tmp_path):
    with pytest.raises(UserError, match=says):
        import_released(saved(tmp_path / "w.pth", content), "pan")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match=r"none\.pth' do not exist"):
        import_released(tmp_path / "none.pth", "pan")
    with pytest.raises(UserError, match="is no file"):
        import_released(tmp_path, "pan")
    with pytest.raises(UserError, match="unknown SFIGF variant 'raw'; known are depth, pan"):
        import_released(saved(tmp_path / "w.pth", PAN), "raw")


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
