"""The authors' weights come in from every wrapper and file, and nothing else does."""

from __future__ import annotations

import argparse
import collections
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sfigf.interface import UserError
from sfigf.nets.sfigf.names import our_name
from sfigf.released import import_released
from tests.unit.test_released import ONE, PAN, renamed, saved


def same(network, state=PAN):
    """Whether a pan network holds the numbers of a released state dict, float32."""
    ours = network.state_dict()
    return all(
        torch.equal(ours[name].flatten(), value.float().flatten())
        for key, value in state.items()
        if (name := our_name(key, "pan")) is not None
    )


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


def doubled(state):
    return {key: 2 * value for key, value in state.items()}


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
